// The judge, on histories made by hand: what is right passes, each broken promise is named.
#include "tests/chaos/judge.hpp"

#include <catch2/catch.hpp>

using namespace dr::chaos;

namespace {

steady::time_point at_ms(int ms) { return steady::time_point{} + std::chrono::milliseconds{ms}; }

operation asked(operation_kind kind, json wanted, int begun_ms, unsigned status, json said) {
  operation made;
  made.kind = kind;
  made.method = "POST";
  made.path = "/there";
  made.wanted = std::move(wanted);
  const auto result = outcome_of(status, said);
  made.attempts.push_back({at_ms(begun_ms), at_ms(begun_ms + 5), status, std::move(said), result});
  return made;
}

operation answered(std::int64_t response, const char* answer, int begun_ms, unsigned status) {
  json said{{"answer", answer}, {"verification", "none"}};
  if (status == 409) said = {{"type", "/problems/answer-frozen"}};
  if (status == 503) said = {{"type", "/problems/outcome-unknown"}};
  auto made = asked(operation_kind::answer, {{"answer", answer}}, begun_ms, status, said);
  made.response = response;
  return made;
}

json chosen(int seq, std::int64_t response, const char* answer, const char* before) {
  return {{"seq", seq},
          {"type", std::string(answer) == "accept" ? "AcceptChosen" : "DenyChosen"},
          {"drId", 1},
          {"userId", 1},
          {"responseId", response},
          {"data", {{"answer", answer}, {"before", before}}}};
}

/// One running campaign with one user and one response, answered as the events say.
final_state one_response(std::vector<json> answers, const char* answer) {
  final_state made;
  made.users[1] = {{"id", 1}, {"name", "하나"}, {"point", 0}, {"owedPoints", 0}, {"enrolled", true}};
  made.campaigns[1] = {{"id", 1}, {"name", "발령"}, {"status", "running"}, {"endsAt", nullptr}, {"orderKw", nullptr}};
  made.responses[1] = {{"id", 1}, {"drId", 1}, {"userId", 1}, {"answer", answer}};
  made.ledgers[1] = {};
  made.events = {{{"seq", 1},
                  {"type", "DRstarted"},
                  {"drId", 1},
                  {"userId", nullptr},
                  {"responseId", nullptr},
                  {"data", {{"status", "running"}}}},
                 {{"seq", 2},
                  {"type", "Listmade"},
                  {"drId", 1},
                  {"userId", nullptr},
                  {"responseId", nullptr},
                  {"data", json::object()}}};
  for (auto& event : answers) made.events.push_back(std::move(event));
  return made;
}

findings answers_of(const std::vector<operation>& asked, const final_state& said) {
  history seen;
  for (const auto& one : asked) seen.begin(one);
  findings out;
  judge_answers(seen, said, out);
  return out;
}

/// A session of user 1 that was told of no open campaign.
session empty_snapshot(int opened_ms, int whole_ms) {
  session made;
  made.user = 1;
  made.opened = at_ms(opened_ms);
  made.whole = at_ms(whole_ms);
  made.snapshot = {{"campaigns", json::array()}};
  return made;
}

} // namespace

TEST_CASE("an acknowledged answer that is there is right, one that is not is found", "[chaos]") {
  const auto accepted = one_response({chosen(3, 1, "accept", "ignore")}, "accept");
  CHECK(answers_of({answered(1, "accept", 0, 200)}, accepted).all().empty());
  CHECK(answers_of({answered(1, "accept", 0, 200)}, one_response({}, "ignore")).broke(promises::answers));
  CHECK(answers_of({answered(1, "accept", 0, 200), answered(1, "deny", 10, 200)}, accepted).broke(promises::answers));
}

TEST_CASE("a refused answer must not be there", "[chaos]") {
  const auto accepted = one_response({chosen(3, 1, "accept", "ignore")}, "accept");
  CHECK(answers_of({answered(1, "accept", 0, 409)}, accepted).broke(promises::answers));
  CHECK(answers_of({}, accepted).broke(promises::answers));
}

TEST_CASE("an answer of unknown outcome may be there or not, also behind a later one", "[chaos]") {
  const auto accepted = one_response({chosen(3, 1, "accept", "ignore")}, "accept");
  CHECK(answers_of({answered(1, "accept", 0, 503)}, accepted).all().empty());
  CHECK(answers_of({answered(1, "accept", 0, 503)}, one_response({}, "ignore")).all().empty());
  const auto late = one_response({chosen(3, 1, "deny", "ignore"), chosen(4, 1, "accept", "deny")}, "accept");
  CHECK(answers_of({answered(1, "accept", 0, 503), answered(1, "deny", 10, 200)}, late).all().empty());
}

TEST_CASE("a 503 that promises that nothing was done is a refusal", "[chaos]") {
  CHECK(outcome_of(503, {{"type", "/problems/overloaded"}}) == outcome::refused);
  CHECK(outcome_of(503, {{"type", "/problems/outcome-unknown"}}) == outcome::unknown);
  CHECK(outcome_of(503, "no problem document") == outcome::unknown);
  CHECK(outcome_of(201, {}) == outcome::acknowledged);
  CHECK(outcome_of(409, {}) == outcome::refused);
}

TEST_CASE("with a key, a final refusal settles an earlier unknown attempt; a passing one does not", "[chaos]") {
  auto op = answered(1, "accept", 0, 503);
  op.key = "k";
  op.attempts.push_back({at_ms(10), at_ms(15), 503, {{"type", "/problems/overloaded"}}, outcome::refused});
  CHECK(op.result() == outcome::unknown);
  op.attempts.push_back({at_ms(20), at_ms(25), 409, {}, outcome::refused});
  CHECK(op.result() == outcome::refused);
}

TEST_CASE("answers of one key that differ are found", "[chaos]") {
  history seen;
  auto op = asked(operation_kind::withdraw_points, {{"amount", 5}}, 0, 201, {{"id", 1}});
  op.key = "k";
  op.attempts.push_back({at_ms(10), at_ms(15), 201, {{"id", 2}}, outcome::acknowledged});
  seen.begin(op);
  findings out;
  judge_operations(seen, one_response({}, "ignore"), out);
  CHECK(out.broke(promises::retries));
}

TEST_CASE("gaps in the event log, and states that it does not explain, are found", "[chaos]") {
  findings out;
  judge_events(one_response({chosen(3, 1, "accept", "ignore")}, "accept"), out);
  CHECK(out.all().empty());
  judge_events(one_response({chosen(4, 1, "accept", "ignore")}, "accept"), out);
  CHECK(out.broke(promises::events));
  findings other;
  judge_events(one_response({}, "accept"), other);
  CHECK(other.broke(promises::events));
}

TEST_CASE("a balance that is not the sum of its ledger is found, a doubled credit too", "[chaos]") {
  auto said = one_response({}, "ignore");
  said.users[1]["point"] = 100;
  said.ledgers[1] = {{{"id", 1}, {"kind", "opening"}, {"amount", 100}, {"balanceAfter", 100}}};
  findings right;
  judge_books(said, right);
  CHECK(right.all().empty());
  said.ledgers[1].push_back({{"id", 2}, {"kind", "credit"}, {"amount", 7}, {"balanceAfter", 107}});
  findings unbooked;
  judge_books(said, unbooked);
  CHECK(unbooked.broke(promises::books));
  said.users[1]["point"] = 107; // the sums agree, but no check is behind it
  findings doubled;
  judge_books(said, doubled);
  CHECK(doubled.broke(promises::books));
}

TEST_CASE("an alert that a connected customer never got is found", "[chaos]") {
  history seen;
  seen.begin(asked(operation_kind::order_campaign, {{"name", "발령"}}, 100, 201, {{"id", 1}}));
  auto& heard = seen.begin(empty_snapshot(0, 10));
  const auto said = one_response({}, "ignore");
  findings missed;
  judge_alerts(seen, said, missed);
  CHECK(missed.broke(promises::alerts));
  heard.messages.push_back(
      {at_ms(110), {{"type", "campaign.started"}, {"campaign", {{"id", 1}}}, {"response", {{"userId", 1}}}}});
  findings right;
  judge_alerts(seen, said, right);
  CHECK(right.all().empty());
}

TEST_CASE("a change before the alert is found, unless the campaign was over when the snapshot was read", "[chaos]") {
  const auto found_with_end_at = [](int end_ms, int order_ms, const char* second = "campaign.canceled") {
    history seen;
    seen.begin(asked(operation_kind::order_campaign, {{"name", "발령"}}, order_ms, 201, {{"id", 1}}));
    auto end = asked(operation_kind::cancel_campaign, json::object(), end_ms, 200, {{"id", 1}});
    end.campaign = 1;
    seen.begin(end);
    auto& heard = seen.begin(empty_snapshot(10, 50));
    for (const auto* type : {"campaign.changed", second})
      heard.messages.push_back(
          {at_ms(200), {{"type", type}, {"campaign", {{"id", 1}}}, {"response", {{"userId", 1}}}}});
    findings out;
    judge_alerts(seen, one_response({}, "ignore"), out);
    return out;
  };
  CHECK(found_with_end_at(20, 0).all().empty());
  CHECK(found_with_end_at(20, 0, "campaign.announced").broke(promises::alerts)); // it was open
  CHECK(found_with_end_at(100, 0).broke(promises::alerts));  // open all along, and not in the snapshot
  CHECK(found_with_end_at(100, 60).broke(promises::alerts)); // ordered after the snapshot: an alert was due
}
