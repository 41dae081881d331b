#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

TEST_CASE("an answer is stored with its time, counted, and told once", "[storage][answers]") {
  house s{DR_BOTH};
  s.enrol("samsung", 400'000);
  auto c = s.open();
  auto chosen = s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  CHECK(chosen.changed);
  CHECK(chosen.before == answer::ignore);
  CHECK(chosen.response.answered_at == noon(1));
  CHECK(chosen.response.version == 2);
  CHECK(chosen.response.user_name == "samsung");
  CHECK(chosen.response.expected_points == expected_points(c, 400'000));
  CHECK(s.response_now({1}) == chosen.response);
  auto again = s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(2)});
  CHECK(!again.changed);
  CHECK(again.response == chosen.response);
  auto turned = s.must<response_changed>(choose_answer{{1}, answer::deny, 2, noon(3)});
  CHECK(turned.before == answer::accept);
  CHECK(s.campaign_now(c.id).counts.accept == 0);
  CHECK(s.campaign_now(c.id).counts.deny == 1);
  CHECK(s.campaign_now(c.id).counts.committed_w == 0);
  CHECK(s.refused(choose_answer{{1}, answer::accept, 2, noon(4)}) == errc::version_conflict);
  CHECK(s.refused(choose_answer{{9}, answer::accept, {}, noon(4)}) == errc::not_found);
  CHECK(s.event_types() ==
        std::vector<std::string>{"UserEnrolled", "DRstarted", "Listmade", "AcceptChosen", "DenyChosen"});
  s.holds();
}

TEST_CASE("no answer slips in after respondBy, the planned end or the end", "[storage][answers]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto timed = planned();
  timed.respond_by = noon(10);
  timed.ends_at = noon(20);
  auto c = s.open(timed);
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(10) - std::chrono::milliseconds{1}});
  CHECK(s.refused(choose_answer{{1}, answer::deny, {}, noon(10)}) == errc::answer_frozen);
  CHECK(!s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(11)}).changed);
  auto later = s.campaign_now(c.id);
  later.respond_by.reset();
  ++later.version;
  s.must<campaign>(save_campaign{later, later.version - 1, noon(11)});
  CHECK(s.refused(choose_answer{{1}, answer::deny, {}, noon(20)}) == errc::answer_frozen);
  s.end(c.id, noon(12));
  CHECK(s.refused(choose_answer{{1}, answer::deny, {}, noon(13)}) == errc::answer_frozen);
  CHECK(!s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(14)}).changed);
  CHECK(s.response_now({1}).answer == answer::accept);
  s.holds();
}

TEST_CASE("an answer behind the end in one batch is refused, one before it is taken", "[storage][answers]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  s.enrol("lg");
  auto c = s.open();
  auto done = s.batch({choose_answer{{1}, answer::accept, {}, noon(1)},
                       save_campaign{ended(c, noon(30)).value(), c.version, noon(30)},
                       choose_answer{{2}, answer::accept, {}, noon(29)}});
  CHECK(done.results[0].has_value());
  CHECK(done.results[1].has_value());
  REQUIRE(!done.results[2]);
  CHECK(done.results[2].error().code == errc::answer_frozen);
  CHECK(s.campaign_now(c.id).counts.accept == 1);
  s.holds();
}

TEST_CASE("a scheduled campaign takes answers already", "[storage][answers]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto later = planned();
  later.status = campaign_status::scheduled;
  later.starts_at = noon(60);
  s.open(later);
  CHECK(s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)}).changed);
  s.holds();
}

TEST_CASE("several answers of one user in one batch see each other", "[storage][answers]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto c = s.open();
  auto done =
      s.batch({choose_answer{{1}, answer::accept, {}, noon(1)}, mark_delivered{{1}, noon(1)},
               choose_answer{{1}, answer::deny, 3, noon(2)}, choose_answer{{1}, answer::deny, {}, noon(3)},
               choose_answer{{1}, answer::accept, 1, noon(4)}, choose_answer{{1}, answer::accept, {}, noon(5)}});
  CHECK(std::get<response_changed>(*done.results[2]).before == answer::accept);
  CHECK(!std::get<response_changed>(*done.results[3]).changed);
  CHECK(done.results[4].error().code == errc::version_conflict);
  CHECK(std::get<response_changed>(*done.results[5]).changed);
  auto r = s.response_now({1});
  CHECK(r.answer == answer::accept);
  CHECK(r.version == 5);
  CHECK(r.delivered_at == noon(1));
  CHECK(s.campaign_now(c.id).counts.accept == 1);
  s.holds();
}

TEST_CASE("answers to several campaigns in one batch are counted where they belong", "[storage][answers]") {
  house s{DR_BOTH};
  for (int i = 0; i < 50; ++i) s.enrol("user", 1000 * (i + 1));
  for (int i = 0; i < 3; ++i) s.open();
  std::vector<change> answers;
  for (std::int64_t id = 150; id > 0; --id)
    answers.push_back(choose_answer{{id}, id % 3 ? answer::accept : answer::deny, {}, noon(1)});
  auto done = s.batch(answers);
  for (const auto& one : done.results) CHECK(one.has_value());
  CHECK(done.last_seq == 50 + 6 + 150);
  s.holds();
}

TEST_CASE("the first delivery receipt counts", "[storage][answers]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto c = s.open();
  CHECK(s.must<response_changed>(mark_delivered{{1}, noon(1)}).changed);
  auto again = s.must<response_changed>(mark_delivered{{1}, noon(2)});
  CHECK(!again.changed);
  CHECK(again.response.delivered_at == noon(1));
  CHECK(s.campaign_now(c.id).counts.delivered == 1);
  CHECK(s.refused(mark_delivered{{9}, noon()}) == errc::not_found);
  CHECK(s.events().size() == 3);
  s.holds();
}

TEST_CASE("a receipt is still taken after the freeze, and the frozen counts stay", "[storage][answers]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto c = s.open();
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  s.end(c.id);
  s.freeze(c.id);
  auto late = s.must<response_changed>(mark_delivered{{1}, noon(61)});
  CHECK(late.response.verification == verification::pending);
  CHECK(s.response_now({1}) == late.response);
  s.holds();
}
