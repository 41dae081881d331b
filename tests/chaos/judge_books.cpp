// Ledgers, counts and the event log: each is the sum of what it is made of.
#include "tests/chaos/judge.hpp"

#include <cmath>
#include <utility>

namespace dr::chaos {

namespace {

std::int64_t number(const json& of, const char* name) { return of.at(name).get<std::int64_t>(); }

/// Watts, of a field in kW.
std::int64_t watts(const json& kw) { return std::llround(kw.get<double>() * 1'000); }

void judge_ledger(std::int64_t user, const json& account, const std::vector<json>& entries, findings& out) {
  std::int64_t balance = 0;
  for (const auto& entry : entries) {
    balance += number(entry, "amount");
    // A credit that is partly taken back at once is booked first: between the two the balance is the higher one.
    if (number(entry, "balanceAfter") != balance)
      out.add(promises::books, "user ", user, ": entry ", number(entry, "id"), " says ", number(entry, "balanceAfter"),
              " after it, the entries add up to ", balance);
    if (balance < 0) out.add(promises::books, "user ", user, " had ", balance, " points");
  }
  if (number(account, "point") != balance)
    out.add(promises::books, "user ", user, " has ", number(account, "point"), " points, its ledger adds up to ",
            balance);
}

/// opening + credits of the settled checks − payouts, with what is still owed.
void judge_balance(std::int64_t user, const json& account, const std::vector<json>& entries, const final_state& said,
                   findings& out) {
  std::int64_t right = 0;
  for (const auto& entry : entries)
    if (entry.at("kind") == "opening" || entry.at("kind") == "withdrawal") right += number(entry, "amount");
  for (const auto& [response, check] : said.checks)
    if (number(check, "userId") == user) right += number(check, "adjustPoint");
  const auto has = number(account, "point") - number(account, "owedPoints");
  if (has != right)
    out.add(promises::books, "user ", user, " has ", has, " points net of what it owes; opening, checks and payouts ",
            "come to ", right);
}

json count_responses(std::int64_t campaign, const final_state& said,
                     const std::map<std::int64_t, std::string>& choices) {
  json sum{{"dispatched", 0}, {"delivered", 0}, {"accept", 0}, {"deny", 0}, {"ignore", 0}};
  std::int64_t committed = 0;
  const auto add = [&](const std::string& what) { sum[what] = sum[what].get<std::int64_t>() + 1; };
  for (const auto& [id, response] : said.responses) {
    if (number(response, "drId") != campaign) continue;
    add("dispatched");
    const auto& choice = choices.at(id);
    add(choice);
    if (choice == "accept") committed += watts(response.at("userCapacity"));
    if (!response.at("deliveredAt").is_null()) add("delivered");
  }
  sum["committedW"] = committed;
  return sum;
}

json count_checks(std::int64_t campaign, const final_state& said) {
  json sum{{"real", 0},        {"unreal", 0},     {"unverifiable", 0},
           {"reductionWh", 0}, {"creditedWh", 0}, {"pointsCredited", 0}};
  const auto add = [&](const char* what, std::int64_t much) { sum[what] = sum[what].get<std::int64_t>() + much; };
  for (const auto& [response, check] : said.checks) {
    if (number(check, "drId") != campaign) continue;
    if (check.at("quality") == "unverifiable")
      add("unverifiable", 1);
    else
      add(check.at("isReal").get<bool>() ? "real" : "unreal", 1);
    add("reductionWh", number(check, "reductionWh"));
    add("creditedWh", number(check, "creditedWh"));
    add("pointsCredited", number(check, "adjustPoint"));
  }
  return sum;
}

void compare(std::int64_t campaign, const json& summary, const json& counted, findings& out) {
  for (const auto& [name, value] : counted.items()) {
    const bool of_checks = name == "real" || name == "unreal" || name == "unverifiable";
    const auto said = name == "committedW" ? json(watts(summary.at("committedKw")))
                      : of_checks          ? summary.at("verification").at(name)
                                           : summary.at(name);
    if (said != value) out.add(promises::counts, "campaign ", campaign, ": ", name, " is ", said, ", counted ", value);
  }
}

// ---- the event log -------------------------------------------------------------------------------------------------

/// The states that a reader of the log alone would believe in.
struct told {
  std::map<std::int64_t, std::string> status;                        ///< by campaign
  std::map<std::int64_t, std::string> answers;                       ///< by response
  std::map<std::int64_t, std::int64_t> revisions;                    ///< by response
  std::map<std::int64_t, std::int64_t> points;                       ///< by user
  std::map<std::int64_t, bool> gone;                                 ///< users that left
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> once; ///< campaign events that may come once
};

void read_campaign_event(const json& event, const std::string& type, told& log) {
  const auto id = number(event, "drId");
  if (type == "DRstarted") log.status[id] = event.at("data").at("status").get<std::string>();
  if (type == "DrBegun") log.status[id] = "running";
  if (type == "DrEnded") log.status[id] = "end";
  if (type == "DrCanceled") log.status[id] = "canceled";
  if (type != "DrChanged") ++log.once[{id, type}];
}

void read_response_event(const json& event, const std::string& type, told& log, findings& out) {
  const auto id = number(event, "responseId");
  const auto& data = event.at("data");
  if (type == "AcceptChosen" || type == "DenyChosen") {
    if (log.answers.contains(id) && data.at("before") != log.answers[id])
      out.add(promises::events, "event ", number(event, "seq"), " says that response ", id, " was ", data.at("before"),
              ", the log said ", log.answers[id]);
    log.answers[id] = data.at("answer").get<std::string>();
  } else if (type == "ReductionCheck") {
    if (number(data, "revision") != log.revisions[id] + 1)
      out.add(promises::events, "event ", number(event, "seq"), ": revision ", number(data, "revision"),
              " of response ", id, " follows ", log.revisions[id]);
    log.revisions[id] = number(data, "revision");
    log.answers[id] = data.at("answer").get<std::string>();
  } else if (type == "PointChanged") {
    if (number(data, "revision") != log.revisions[id])
      out.add(promises::events, "event ", number(event, "seq"), ": points of response ", id,
              " moved without its check");
    log.points[number(event, "userId")] += number(data, "amount");
  }
}

void read_event(const json& event, told& log, findings& out) {
  const auto type = event.at("type").get<std::string>();
  if (!event.at("responseId").is_null()) return read_response_event(event, type, log, out);
  if (!event.at("drId").is_null()) return read_campaign_event(event, type, log);
  if (event.at("userId").is_null()) return;
  const auto user = number(event, "userId");
  if (type == "UserEnrolled") log.points[user] += number(event.at("data"), "point");
  if (type == "PointWithdrawn") log.points[user] += number(event.at("data"), "amount");
  if (type == "UserWithdrawn") log.gone[user] = true;
}

void judge_told(const told& log, const final_state& said, findings& out) {
  for (const auto& [key, times] : log.once)
    if (times != 1) out.add(promises::events, "campaign ", key.first, " has ", times, " events ", key.second);
  for (const auto& [id, campaign] : said.campaigns) {
    const auto status = log.status.find(id);
    if (status == log.status.end() || campaign.at("status") != status->second)
      out.add(promises::events, "campaign ", id, " is ", campaign.at("status"), ", which the log does not say");
    const bool ended = campaign.at("status") == "end";
    if (!log.once.contains({id, "Listmade"}) || log.once.contains({id, "Listsaved"}) != ended)
      out.add(promises::events, "campaign ", id, " lacks Listmade or Listsaved, or has one too many");
  }
  for (const auto& [id, response] : said.responses) {
    const auto answer = log.answers.find(id);
    const auto logged = answer == log.answers.end() ? "ignore" : answer->second;
    if (response.at("answer") != logged)
      out.add(promises::events, "response ", id, " is ", response.at("answer"), ", the log says ", logged);
    const auto check = said.checks.find(id);
    const auto revision = log.revisions.find(id);
    const auto stored = check == said.checks.end() ? 0 : number(check->second, "revision");
    if (stored != (revision == log.revisions.end() ? 0 : revision->second))
      out.add(promises::events, "response ", id, " has a check of revision ", stored, ", which the log does not say");
  }
  for (const auto& [id, user] : said.users) {
    const auto points = log.points.find(id);
    if (number(user, "point") != (points == log.points.end() ? 0 : points->second))
      out.add(promises::events, "user ", id, " has ", number(user, "point"), " points, which the log does not say");
    if (user.at("enrolled").get<bool>() == log.gone.contains(id))
      out.add(promises::events, "user ", id, " is enrolled or not, against the log");
  }
}

} // namespace

void judge_books(const final_state& said, findings& out) {
  for (const auto& [id, user] : said.users) {
    judge_ledger(id, user, said.ledgers.at(id), out);
    judge_balance(id, user, said.ledgers.at(id), said, out);
  }
}

void judge_counts(const history& seen, const final_state& said, findings& out) {
  const auto choices = choices_of(said);
  for (const auto& [id, summary] : said.summaries) {
    compare(id, summary, count_responses(id, said, choices), out);
    compare(id, summary, count_checks(id, said), out);
  }
  for (const auto& at : seen.moments()) compare(at.campaign, at.summary, at.counted, out);
}

void judge_events(const final_state& said, findings& out) {
  told log;
  std::int64_t last = 0;
  for (const auto& event : said.events) {
    if (number(event, "seq") != last + 1)
      out.add(promises::events, "event ", number(event, "seq"), " follows event ", last);
    last = number(event, "seq");
    read_event(event, log, out);
  }
  judge_told(log, said, out);
}

} // namespace dr::chaos
