#include "actors/metering/check_work.hpp"

#include "actors/metering/day_keeping.hpp"
#include "actors/metering/kepco_gate.hpp"
#include "domain/overlap.hpp"
#include "domain/settlement_text.hpp"
#include "storage/check_input.hpp"

#include <algorithm>

namespace dr::actors {

namespace {

constexpr std::size_t reason_max = 300;
/// A check that meets its deadline while KEPCO is away goes on so long, and for so many tries, before it does without:
/// the server may have been away itself.
constexpr std::chrono::hours outage_patience{24};
constexpr int outage_tries = 10;

std::string bounded(std::string text) {
  if (text.size() > reason_max) text.resize(reason_max);
  return text;
}

} // namespace

check_work::check_work(storage::check_material material, rules_ptr rules)
    : material_(std::move(material)), rules_(std::move(rules)), window_(evaluated_window(material_.campaign)),
      input_(storage::input_of(material_, rules_->holidays)) {}

time_point check_work::earliest() const {
  const auto& metering = rules_->metering;
  auto ended = material_.campaign.ended_at.value_or(window_.to);
  return (metering.ask_early ? std::min(ended, window_.to) : window_.to) + metering.lag;
}

time_point check_work::deadline() const {
  auto since = material_.fresh ? std::max(material_.queued_at, window_.to) : window_.to;
  return since + rules_->metering.verification_deadline;
}

const campaign* check_work::waited_for(time_point now) const {
  const auto& mine = material_.campaign;
  const bool late = now >= deadline();
  // One that has met its own deadline too is due now, or outlasts it for the same KEPCO: it still goes first.
  const auto late_too = [&](const campaign& other) {
    return other.frozen && now < deadline() + outage_patience &&
           evaluated_window(other).to + rules_->metering.verification_deadline <= now;
  };
  for (const auto& other : material_.neighbours)
    if (waits_for(mine, other.campaign, other.response, other.check_open, late && !late_too(other.campaign)) ||
        (!late && material_.response.baseline.saa && may_decide_adjustment(mine, other.campaign)))
      return &other.campaign;
  return nullptr;
}

std::vector<korean_day> check_work::event_days_to_refresh() const {
  std::vector<korean_day> days;
  if (!material_.fresh) return days;
  for (auto day : days_of(window_))
    if (!asked_.contains(day)) days.push_back(day);
  return days;
}

std::vector<korean_day> check_work::not_asked(const evaluation_waits& waits) const {
  std::vector<korean_day> days;
  for (const auto* some : {&waits.unknown, &waits.gaps})
    for (auto day : *some)
      if (!asked_.contains(day)) days.push_back(day);
  return days;
}

ask_days check_work::ask(std::vector<korean_day> days) {
  asked_.insert(days.begin(), days.end());
  return {std::move(days)};
}

bool check_work::may_outlast(const evaluation_waits& waits, time_point now) const {
  auto answered = [this](korean_day day) { return answered_.contains(day); };
  bool heard_all = std::ranges::all_of(waits.unknown, answered) && std::ranges::all_of(waits.gaps, answered);
  return kepco_was_away_ && !heard_all && (now < deadline() + outage_patience || material_.attempts < outage_tries);
}

try_later check_work::later(std::string reason) const {
  return {std::nullopt, deadline(), bounded(std::move(reason)), crashed_, kepco_was_away_, false};
}

std::string check_work::why_waiting(const evaluation_waits& waits) const {
  auto days = waits.unknown;
  days.insert(days.end(), waits.gaps.begin(), waits.gaps.end());
  std::string why = "waits for metered values of " + days_text(days);
  if (last_failure_)
    why = std::string("KEPCO: ") + to_string(last_failure_->code) + ", " + last_failure_->detail + "; " + why;
  return why;
}

settle_now check_work::settle(const evaluation& figures, time_point now) const {
  settle_now out;
  auto& check = out.check;
  check.campaign = material_.campaign.id;
  check.user = material_.response.user;
  check.user_name = material_.response.user_name;
  check.response = material_.response.id;
  check.revision = material_.revision;
  check.response_answer = material_.response.frozen_answer();
  check.checked_at = now;
  fill(check, figures);
  return out;
}

next_step check_work::next(time_point now) {
  try {
    return decide(now);
  } catch (const std::exception& e) {
    return park_now{bounded(std::string("the verification failed: ") + e.what())};
  }
}

next_step check_work::decide(time_point now) {
  if (material_.parked) {
    // Of a recheck there is a settled one that stands.
    bool over = now >= deadline() && material_.revision == 1;
    if (!over) return park_now{material_.reason};
    return settle(unverifiable_in_time(material_.response.baseline), now);
  }
  if (material_.cust_no.empty()) return settle(unverifiable_without_number(material_.response.baseline), now);
  if (now < earliest()) return try_later{earliest(), deadline(), "the metered values are not due yet"};
  bool late = now >= deadline();
  if (const auto* other = waited_for(now)) {
    auto wait = later("waits for the user's campaign " + std::to_string(other->id.value));
    wait.neighbour = true;
    return wait;
  }
  if (auto days = event_days_to_refresh(); !days.empty()) return ask(std::move(days));

  pass_over_empty_days(now);
  input_.metered.deadline_passed = false;
  auto said = rules_->judge(input_);
  if (const auto* waits = std::get_if<evaluation_waits>(&said)) {
    if (auto days = not_asked(*waits); !days.empty()) return ask(std::move(days));
    if (!late || may_outlast(*waits, now)) return later(why_waiting(*waits));
    input_.metered.deadline_passed = true;
    said = rules_->judge(input_);
  } else if (material_.fresh && !late) {
    for (auto day : days_of(window_))
      if (!answered_.contains(day)) return later(why_waiting({{day}, {}, {}}));
  }
  return settle(std::get<evaluation>(said), now);
}

/// Old days without any value that were asked for lately: this try does without them.
void check_work::pass_over_empty_days(time_point now) {
  if (material_.fresh) return;
  for (const auto& [day, kept] : material_.days)
    if (!kept.closed && kept.profile == day_profile{} &&
        asked_lately(day, kept.fetched_at, now, rules_->metering.verification_deadline))
      input_.metered.closed.insert(day);
}

void check_work::learn(const fetched_day& answer, time_point now) {
  if (answer.failure) {
    last_failure_ = answer.failure;
    const auto code = answer.failure->code;
    kepco_was_away_ = kepco_was_away_ || code == meter_errc::unavailable || code == meter_errc::timed_out;
    crashed_ = crashed_ || (code == meter_errc::garbage && answer.failure->detail == query_crashed);
  }
  if (!answers_the_day(answer)) return;
  answered_.insert(answer.day);
  auto found = material_.days.find(answer.day);
  const auto* known = found == material_.days.end() ? nullptr : &found->second;
  auto deadline = rules_->metering.verification_deadline;
  auto with_values = [](const auto& one) { return one.second.profile != day_profile{}; };
  bool served = std::ranges::any_of(material_.days, with_values);
  auto keep = what_to_keep(answer, known, served, now, deadline);
  auto& metered = input_.metered;
  // The verdict may use the running quarter hour, which is never kept: asking early means believing it.
  if (!answer.failure) {
    auto [at, fresh] = metered.days.try_emplace(answer.day, answer.profile);
    if (!fresh) at->second = merged(at->second, answer.profile);
  }
  bool never = answer.failure && answer.failure->code == meter_errc::no_consent;
  if (never || gaps_are_final(answer.day, now, deadline) || (keep && keep->closed)) metered.closed.insert(answer.day);
  if (keep) to_keep_.push_back(std::move(*keep));
}

} // namespace dr::actors
