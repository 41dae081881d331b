// Users, lists, campaigns, payouts and answers: what was acknowledged is there, what was refused is not.
#include "tests/chaos/judge.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace dr::chaos {

namespace {

using by_name = std::multimap<std::string, std::int64_t>;

by_name names_of(const std::map<std::int64_t, json>& items) {
  by_name out;
  for (const auto& [id, item] : items) out.emplace(item.at("name").get<std::string>(), id);
  return out;
}

/// An answer that no client should ever see, and answers of one key that differ.
void judge_attempts(const operation& op, findings& out) {
  for (const auto& a : op.attempts)
    if (a.status == 500 || a.status == 501)
      out.add(promises::contract, op.method, " ", op.path, " answered ", std::int64_t{a.status}, ": ", a.body);
  if (op.key.empty()) return;
  const json* first = nullptr;
  for (const auto& a : op.attempts) {
    if (a.result != outcome::acknowledged) {
      if (first && a.result == outcome::refused && a.status < 500)
        out.add(promises::retries, op.method, " ", op.path, " was acknowledged, then refused: ", a.body);
      continue;
    }
    if (first && *first != a.body)
      out.add(promises::retries, op.method, " ", op.path, " with key ", op.key, " answered ", *first, " and ", a.body);
    if (!first) first = &a.body;
  }
}

void judge_enrolment(const operation& op, const by_name& users, const final_state& said, findings& out) {
  const auto name = op.wanted.at("name").get<std::string>();
  const auto found = static_cast<std::int64_t>(users.count(name));
  const auto result = op.result();
  if (found > 1) out.add(promises::users, "user ", name, " was enrolled ", found, " times");
  if (result == outcome::refused && found > 0) out.add(promises::users, "user ", name, " was refused and is there");
  if (result != outcome::acknowledged) return;
  const auto id = op.acknowledged_body().at("id").get<std::int64_t>();
  const auto user = said.users.find(id);
  if (user == said.users.end()) return out.add(promises::users, "user ", id, " (", name, ") is lost");
  for (const char* field : {"name", "custNo"})
    if (user->second.at(field) != op.wanted.at(field))
      out.add(promises::users, "user ", id, ": ", field, " is ", user->second.at(field), ", wanted ",
              op.wanted.at(field));
}

void judge_import(const operation& op, const by_name& users, findings& out) {
  const auto result = op.result();
  std::istringstream rows(op.wanted.get<std::string>());
  std::string row;
  std::getline(rows, row); // the header
  while (std::getline(rows, row)) {
    const auto name = row.substr(0, row.find(','));
    const auto found = static_cast<std::int64_t>(users.count(name));
    const bool fine = found == 1 || (found == 0 && result != outcome::acknowledged);
    if (!fine || (found == 1 && result == outcome::refused))
      out.add(promises::users, "the imported user ", name, " is there ", found, " times; the list was ",
              to_string(result));
  }
}

/// What must have happened to one campaign, from all operations about it.
struct fate {
  bool may_end = false;
  bool must_end = false;
  bool may_cancel = false;
  bool must_cancel = false;
  std::set<std::string> order_kw; ///< what it may be
};

void judge_order(const operation& op, const by_name& campaigns, const final_state& said, findings& out) {
  const auto name = op.wanted.at("name").get<std::string>();
  const auto found = static_cast<std::int64_t>(campaigns.count(name));
  const auto result = op.result();
  if (found > 1) out.add(promises::campaigns, "campaign ", name, " was ordered ", found, " times");
  if (result == outcome::refused && found > 0)
    out.add(promises::campaigns, "campaign ", name, " was refused and is there");
  if (result != outcome::acknowledged) return;
  const auto id = op.acknowledged_body().at("id").get<std::int64_t>();
  const auto campaign = said.campaigns.find(id);
  if (campaign == said.campaigns.end() || campaign->second.at("name") != name)
    out.add(promises::campaigns, "campaign ", id, " (", name, ") is lost");
}

std::map<std::int64_t, fate> fates_of(const history& seen, const final_state& said) {
  std::map<std::int64_t, fate> out;
  for (const auto& [id, campaign] : said.campaigns)
    if (!campaign.at("endsAt").is_null()) out[id].may_end = true;
  for (const auto& op : seen.operations()) {
    if (op.campaign == 0 || op.attempts.empty()) continue;
    auto& of = out[op.campaign];
    const auto result = op.result();
    const bool sure = result == outcome::acknowledged;
    if (op.kind == operation_kind::end_campaign && result != outcome::refused) {
      of.may_end = true;
      of.must_end |= sure;
    } else if (op.kind == operation_kind::cancel_campaign && result != outcome::refused) {
      of.may_cancel = true;
      of.must_cancel |= sure;
    } else if (op.kind == operation_kind::change_campaign && result != outcome::refused) {
      of.order_kw.insert(op.wanted.at("orderKw").dump());
      if (!sure) of.order_kw.insert("null");
    }
  }
  return out;
}

void judge_fates(const history& seen, const final_state& said, findings& out) {
  const auto fates = fates_of(seen, said);
  for (const auto& [id, campaign] : said.campaigns) {
    const auto found = fates.find(id);
    const auto of = found == fates.end() ? fate{} : found->second;
    const auto& status = campaign.at("status");
    const bool ended = status == "end";
    const bool canceled = status == "canceled";
    if ((of.must_end && !ended) || (of.must_cancel && !canceled) || (ended && !of.may_end) ||
        (canceled && !of.may_cancel))
      out.add(promises::campaigns, "campaign ", id, " is ", status, ", which nobody can have been told");
    const auto kw = campaign.at("orderKw").dump();
    if (of.order_kw.empty() ? kw != "null" : !of.order_kw.contains(kw))
      out.add(promises::campaigns, "campaign ", id, " has orderKw ", kw, ", which was not acknowledged last");
  }
}

void judge_withdrawals(const history& seen, const final_state& said, findings& out) {
  std::map<std::int64_t, outcome> told;
  for (const auto& op : seen.operations())
    if (op.kind == operation_kind::withdraw_user && !op.attempts.empty()) {
      const auto result = op.result();
      if (result != outcome::refused) told[op.user] = result;
    }
  for (const auto& [id, user] : said.users) {
    const auto op = told.find(id);
    const bool enrolled = user.at("enrolled").get<bool>();
    if (!enrolled && op == told.end()) out.add(promises::users, "user ", id, " left without being asked");
    if (enrolled && op != told.end() && op->second == outcome::acknowledged)
      out.add(promises::users, "user ", id, " was withdrawn and is enrolled");
  }
}

void judge_payouts(const history& seen, const final_state& said, findings& out) {
  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> booked; // by user, entry → amount
  for (const auto& [user, entries] : said.ledgers)
    for (const auto& entry : entries)
      if (entry.at("kind") == "withdrawal")
        booked[user][entry.at("id").get<std::int64_t>()] = -entry.at("amount").get<std::int64_t>();
  std::map<std::int64_t, std::multiset<std::int64_t>> possible; // unknown ones
  for (const auto& op : seen.operations()) {
    if (op.kind != operation_kind::withdraw_points || op.attempts.empty()) continue;
    const auto amount = op.wanted.at("amount").get<std::int64_t>();
    if (op.result() == outcome::unknown) possible[op.user].insert(amount);
    if (op.result() != outcome::acknowledged) continue;
    const auto id = op.acknowledged_body().at("id").get<std::int64_t>();
    auto& of_user = booked[op.user];
    const auto entry = of_user.find(id);
    if (entry == of_user.end() || entry->second != amount)
      out.add(promises::payouts, "payout ", id, " of user ", op.user, " is lost, doubled or of another amount");
    else
      of_user.erase(entry);
  }
  for (const auto& [user, rest] : booked)
    for (const auto& [id, amount] : rest) {
      auto& hoped = possible[user];
      if (const auto at = hoped.find(amount); at != hoped.end())
        hoped.erase(at);
      else
        out.add(promises::payouts, "payout ", id, " of user ", user, " was never acknowledged");
    }
}

/// Repeating the frozen answer, or what it was turned to, is acknowledged and changes nothing.
bool repeats_the_end(const operation& op) {
  if (op.result() != outcome::acknowledged) return false;
  const auto& body = op.acknowledged_body();
  const auto& response = body.contains("response") ? body.at("response") : body; // by socket, or by REST
  return response.at("verification") != "none";
}

/// What a response may have been in the end, by what its customer was told.
std::set<std::string> possible_choices(const std::vector<const operation*>& asked) {
  std::set<std::string> possible{"ignore"};
  std::vector<std::string> open; // of unknown outcome: each may still have happened after all that came later
  for (const auto* op : asked) {
    const auto wanted = op->wanted.at("answer").get<std::string>();
    if (op->result() == outcome::unknown) open.push_back(wanted);
    if (op->result() == outcome::acknowledged) possible.clear();
    possible.insert(open.begin(), open.end());
    if (op->result() == outcome::acknowledged) possible.insert(wanted);
  }
  return possible;
}

/// Who must, and who must not, have a response: by what was acknowledged before the order began and after it was known.
void judge_dispatch(const history& seen, const final_state& said, findings& out) {
  struct membership {
    steady::time_point surely_in = steady::time_point::max();
    steady::time_point maybe_out = steady::time_point::max();
  };
  std::map<std::int64_t, membership> members;
  for (const auto& op : seen.operations()) {
    if (op.attempts.empty() || op.result() == outcome::refused) continue;
    if (op.kind == operation_kind::enrol && op.result() == outcome::acknowledged)
      members[op.acknowledged_body().at("id").get<std::int64_t>()].surely_in = op.attempts.back().ended;
    if (op.kind == operation_kind::withdraw_user)
      members[op.user].maybe_out = std::min(members[op.user].maybe_out, op.attempts.front().begun);
  }
  std::set<std::pair<std::int64_t, std::int64_t>> have;
  for (const auto& [id, response] : said.responses)
    if (!have.emplace(response.at("drId").get<std::int64_t>(), response.at("userId").get<std::int64_t>()).second)
      out.add(promises::campaigns, "response ", id, " is the second one of its user in campaign ", response.at("drId"));
  for (const auto& op : seen.operations()) {
    if (op.kind != operation_kind::order_campaign || op.result() != outcome::acknowledged) continue;
    const auto campaign = op.acknowledged_body().at("id").get<std::int64_t>();
    for (const auto& [user, of] : members)
      if (of.surely_in < op.attempts.front().begun && of.maybe_out > op.attempts.back().ended &&
          !have.contains({campaign, user}))
        out.add(promises::campaigns, "user ", user, " has no response in campaign ", campaign);
  }
}

} // namespace

void judge_operations(const history& seen, const final_state& said, findings& out) {
  const auto users = names_of(said.users);
  const auto campaigns = names_of(said.campaigns);
  for (const auto& op : seen.operations()) {
    if (op.attempts.empty()) continue;
    judge_attempts(op, out);
    if (op.kind == operation_kind::enrol) judge_enrolment(op, users, said, out);
    if (op.kind == operation_kind::import_list) judge_import(op, users, out);
    if (op.kind == operation_kind::order_campaign) judge_order(op, campaigns, said, out);
  }
  judge_fates(seen, said, out);
  judge_withdrawals(seen, said, out);
  judge_payouts(seen, said, out);
  judge_dispatch(seen, said, out);
}

void judge_answers(const history& seen, const final_state& said, findings& out) {
  std::map<std::int64_t, std::vector<const operation*>> asked;
  for (const auto& op : seen.operations())
    if (op.kind == operation_kind::answer && !op.attempts.empty()) asked[op.response].push_back(&op);
  std::map<std::int64_t, std::map<std::string, std::int64_t>> changes;
  for (const auto& event : said.events)
    if (event.at("type") == "AcceptChosen" || event.at("type") == "DenyChosen")
      ++changes[event.at("responseId").get<std::int64_t>()][event.at("data").at("answer").get<std::string>()];

  for (const auto& [id, last] : choices_of(said)) {
    std::erase_if(asked[id],
                  [](const operation* op) { return op->result() == outcome::refused || repeats_the_end(*op); });
    std::map<std::string, std::int64_t> tries;
    for (const auto* op : asked[id]) {
      const auto wanted = op->wanted.at("answer").get<std::string>();
      ++tries[wanted];
      if (op->result() == outcome::acknowledged && op->acknowledged_body().at("answer") != wanted)
        out.add(promises::answers, "response ", id, " was told ", op->acknowledged_body(), " for ", wanted);
    }
    const auto possible = possible_choices(asked[id]);
    if (!possible.contains(last))
      out.add(promises::answers, "response ", id, " ended as ", last, "; possible: ", json(possible));
    for (const auto& [answer, count] : changes[id])
      if (count > tries[answer])
        out.add(promises::answers, "response ", id, " became ", answer, " ", count, " times, asked for ", tries[answer],
                " times");
  }
}

} // namespace dr::chaos
