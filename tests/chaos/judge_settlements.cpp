// Settlements: each accepting response once, with the figures that the model makes of the same meters.
#include "tests/chaos/judge.hpp"

#include <cmath>
#include <cstdlib>

namespace dr::chaos {

namespace {

std::int64_t number(const json& of, const char* name) { return of.at(name).get<std::int64_t>(); }

/// Rounding of a credit's spread over its quarters is not the market's business: so many Wh per credit may differ.
constexpr std::int64_t spread_slack_wh = 16;

/// Where in the log things happened.
struct places {
  std::map<std::int64_t, std::int64_t> ordered; ///< by campaign
  std::map<std::int64_t, std::int64_t> frozen;
  std::map<std::int64_t, std::int64_t> checked; ///< by response, the first check
};

places places_of(const final_state& said) {
  places out;
  for (const auto& event : said.events) {
    const auto& type = event.at("type");
    const auto seq = number(event, "seq");
    if (type == "DRstarted") out.ordered[number(event, "drId")] = seq;
    if (type == "Listsaved") out.frozen[number(event, "drId")] = seq;
    if (type == "ReductionCheck") out.checked.emplace(number(event, "responseId"), seq);
  }
  return out;
}

model_event event_of(const json& campaign, const json& response, const json& user) {
  model_event made;
  made.campaign = number(campaign, "id");
  made.programme = campaign.at("type").get<std::string>();
  made.starts_ms = instant_ms(campaign.at("startsAt"));
  if (!campaign.at("endsAt").is_null()) made.ends_ms = instant_ms(campaign.at("endsAt"));
  if (!campaign.at("endedAt").is_null()) made.ended_ms = instant_ms(campaign.at("endedAt"));
  made.capacity_w = std::llround(response.at("userCapacity").get<double>() * 1'000);
  if (!user.at("baselineMethod").is_null()) made.chosen_method = user.at("baselineMethod").get<std::string>();
  if (!user.at("saa").is_null()) made.chosen_saa = user.at("saa").get<bool>();
  return made;
}

bool same_days(const model_event& a, const model_event& b) {
  const auto day = [](quarter_number at) { return local_quarter_of(at * 900).day; };
  return day(a.first()) == day(a.last()) && day(b.first()) == day(b.last()) && day(a.first()) == day(b.first());
}

class user_judge {
public:
  user_judge(const final_state& said, const settlement_model& model, const places& at,
             const std::map<std::int64_t, std::string>& choices, findings& out)
      : said_(said), model_(model), at_(at), choices_(choices), out_(out) {}

  /// `settled`: the user's ReductionCheck events.
  void judge(std::int64_t user, const std::vector<std::int64_t>& responses, const std::vector<json>& settled);

private:
  struct accepted {
    std::int64_t response = 0;
    model_event event;
  };
  bool surely_known(const accepted& other, const accepted& to) const {
    return at_.frozen.at(other.event.campaign) < at_.frozen.at(to.event.campaign);
  }
  void judge_one(const json& user, const accepted& one, const std::vector<accepted>& all);
  void judge_order(const accepted& one, const std::vector<accepted>& all);
  void judge_overlaps(const std::vector<json>& settled, const std::vector<accepted>& all);

  const final_state& said_;
  const settlement_model& model_;
  const places& at_;
  const std::map<std::int64_t, std::string>& choices_;
  findings& out_;
  std::map<std::int64_t, std::pair<expectation, bool>> expected_; ///< by response; true: nothing else is possible
};

void user_judge::judge(std::int64_t user, const std::vector<std::int64_t>& responses,
                       const std::vector<json>& settled) {
  const auto& account = said_.users.at(user);
  std::vector<accepted> all;
  for (auto id : responses) {
    const auto& response = said_.responses.at(id);
    const auto& campaign = said_.campaigns.at(number(response, "drId"));
    const bool counts = campaign.at("status") == "end" && !campaign.at("test").get<bool>();
    const bool due = counts && choices_.at(id) == "accept";
    const bool there = said_.checks.contains(id);
    if (due != there)
      out_.add(promises::settlements, "response ", id, " of user ", user,
               there ? " has a check without reason" : " was never settled");
    if (!due && response.at("verification") != "none")
      out_.add(promises::settlements, "response ", id, " is ", response.at("verification"), " without a check");
    if (due && there) all.push_back({id, event_of(campaign, response, account)});
  }
  for (const auto& one : all) {
    judge_one(account, one, all);
    judge_order(one, all);
  }
  judge_overlaps(settled, all);
}

/// The figures before overlap: they depend on the meters, the calendar and the user's other events alone.
void user_judge::judge_one(const json& user, const accepted& one, const std::vector<accepted>& all) {
  const auto& check = said_.checks.at(one.response);
  std::vector<model_event> others;
  bool ambiguous = number(check, "revision") > 1 && check.at("saa").get<bool>();
  for (const auto& other : all) {
    if (other.response == one.response) continue;
    if (surely_known(other, one))
      others.push_back(other.event);
    else if (!same_days(other.event, one.event) || check.at("saa").get<bool>() ||
             other.event.chosen_saa.value_or(false))
      ambiguous = true; // it may or may not have been known when this one was settled, and that may matter
  }
  const auto right = model_.settle(user.at("custNo").get<std::string>(), one.event, others);
  const auto& response = said_.responses.at(one.response);
  const bool real = check.at("isReal").get<bool>();
  if (response.at("verification") != (real ? "real" : "unreal") || response.at("answer") != (real ? "accept" : "deny"))
    out_.add(promises::settlements, "response ", one.response, " is ", response.at("answer"), " and ",
             response.at("verification"), "; its check says isReal ", check.at("isReal"));
  if (number(check, "adjustPoint") != number(check, "creditedWh") / 1'000)
    out_.add(promises::settlements, "check of response ", one.response, ": ", number(check, "adjustPoint"),
             " points for ", number(check, "creditedWh"), " Wh");
  expected_[one.response] = {right, !ambiguous};
  if (ambiguous) return;
  const json wanted{{"method", right.method},        {"baselineWh", right.baseline_wh},
                    {"meteredWh", right.metered_wh}, {"reductionWh", right.reduction_wh},
                    {"isReal", right.real},          {"quality", "final"}};
  for (const auto& [name, value] : wanted.items())
    if (check.at(name) != value)
      out_.add(promises::settlements, "check of response ", one.response, " (campaign ", one.event.campaign, ", user ",
               number(check, "userId"), "): ", name, " is ", check.at(name), ", the model says ", value);
  if (number(check, "creditedWh") > right.most_wh)
    out_.add(promises::settlements, "check of response ", one.response, " credits ", number(check, "creditedWh"),
             " Wh of at most ", right.most_wh);
}

/// Who has the right goes first, where it was known to all when the later one was settled.
void user_judge::judge_order(const accepted& one, const std::vector<accepted>& all) {
  for (const auto& other : all) {
    if (other.response == one.response || !surely_known(other, one) || !goes_first(other.event, one.event)) continue;
    const bool overlap = other.event.first() <= one.event.last() && one.event.first() <= other.event.last();
    if (overlap && at_.checked.at(one.response) < at_.checked.at(other.response))
      out_.add(promises::settlements, "response ", one.response, " was settled before response ", other.response,
               ", which has the right to go first");
  }
}

/// In the order of the log, each check gets what the ones before it left of each quarter hour. One that is made again
/// keeps what it had against those that were settled behind it.
void user_judge::judge_overlaps(const std::vector<json>& settled, const std::vector<accepted>& all) {
  std::map<std::int64_t, model_event> events; // by response
  for (const auto& one : all) events.emplace(one.response, one.event);
  std::map<std::int64_t, std::map<quarter_number, std::int64_t>> spreads; // by response
  std::map<std::int64_t, std::int64_t> settled_at;                        // by response: the number of its first event
  for (const auto& event : settled) {
    const auto id = number(event, "responseId");
    const auto known = expected_.find(id);
    if (known == expected_.end()) continue;
    const auto& [right, sure] = known->second;
    std::map<quarter_number, std::int64_t> taken;
    std::map<quarter_number, std::int64_t> behind;
    settled_at.emplace(id, number(event, "seq"));
    bool certain = sure;
    for (const auto& [other, spread] : spreads)
      if (other != id)
        for (const auto& [at, wh] : spread)
          if (right.reductions.contains(at)) {
            const bool before = settled_at.at(other) < settled_at.at(id);
            (before ? taken : behind)[at] += wh;
            certain = certain && expected_.at(other).second;
          }
    for (const auto& [at, wh] : behind) {
      const auto own = spreads.contains(id) && spreads[id].contains(at) ? spreads[id].at(at) : 0;
      taken[at] = std::min(taken[at] + wh, std::max(taken[at], right.reductions.at(at) - own));
    }
    const auto credited = number(event.at("data"), "creditedWh");
    const auto wanted = settlement_model::credit_of(right, taken);
    const auto slack = taken.empty() ? 0 : spread_slack_wh * static_cast<std::int64_t>(spreads.size());
    if (certain && std::abs(credited - wanted) > slack)
      out_.add(promises::settlements, "event ", number(event, "seq"), " credits response ", id, " with ", credited,
               " Wh; what was left came to ", wanted);
    spreads[id] = settlement_model::spread(right, taken, credited);
  }
}

} // namespace

void judge_settlements(const history&, const final_state& said, const settlement_model& model, findings& out) {
  const auto at = places_of(said);
  const auto choices = choices_of(said);
  std::map<std::int64_t, std::vector<std::int64_t>> of_user;
  for (const auto& [id, response] : said.responses) of_user[number(response, "userId")].push_back(id);
  for (const auto& [id, campaign] : said.campaigns) {
    const bool settles = campaign.at("status") == "end" && !campaign.at("test").get<bool>();
    if (campaign.at("settlement") != (settles ? "settled" : "none"))
      out.add(promises::settlements, "campaign ", id, " has settlement ", campaign.at("settlement"));
  }
  std::map<std::int64_t, std::vector<json>> settled;
  for (const auto& event : said.events)
    if (event.at("type") == "ReductionCheck") settled[number(event, "userId")].push_back(event);
  user_judge judge(said, model, at, choices, out);
  for (const auto& [user, responses] : of_user) judge.judge(user, responses, settled[user]);
}

} // namespace dr::chaos
