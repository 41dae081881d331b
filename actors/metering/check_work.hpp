// One reduction check on its way from a queued job to a verdict: which days to ask for, when to try again, what to
// settle. Pure: no actor, no clock, no store of its own; verification and its jobs carry out what it says.
#pragma once

#include "actors/messages.hpp"
#include "config/settings.hpp"
#include "domain/calendar.hpp"
#include "domain/settlement.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dr::actors {

/// What every check goes by.
struct check_rules {
  metering_settings metering;
  holiday_list holidays;                                            ///< sorted
  std::function<verdict(const check_input&)> judge = &dr::evaluate; ///< another one only in tests
  int longest_look_back = baseline_rules{}.longest_look_back();     ///< of the baselines, in weekdays
};
using rules_ptr = std::shared_ptr<const check_rules>;

/// Ask KEPCO for these days and come back.
struct ask_days {
  std::vector<korean_day> days;
};
struct settle_now {
  reduction_check check;
};
/// Nothing can be said yet. `at`: not before this instant; none: after the usual backoff, but not later than
/// `not_after`.
struct try_later {
  std::optional<time_point> at;
  time_point not_after{};
  std::string reason;
  bool crashed = false;   ///< a KEPCO query crashed over it
  bool away = false;      ///< KEPCO could not be asked, or gave no answer
  bool neighbour = false; ///< another campaign of the user goes first
};
/// It makes our own code fail: set aside until somebody asks.
struct park_now {
  std::string reason;
};
using next_step = std::variant<ask_days, settle_now, try_later, park_now>;

class check_work {
public:
  check_work(storage::check_material material, rules_ptr rules);

  response_id id() const noexcept { return material_.response.id; }
  user_id user() const noexcept { return material_.response.user; }
  int attempts() const noexcept { return material_.attempts; }
  const std::string& cust_no() const noexcept { return material_.cust_no; }

  /// What to do now. Each day is asked for at most once per piece of work, so that it comes to an end. What the verdict
  /// throws becomes park_now.
  next_step next(time_point now);
  /// Takes KEPCO's answer (or failure).
  void learn(const fetched_day& answer, time_point now);
  /// What is to be kept of the answers so far; hands them over.
  std::vector<storage::save_profile> take_days() noexcept { return std::exchange(to_keep_, {}); }

private:
  next_step decide(time_point now);
  time_point earliest() const;
  time_point deadline() const;
  const campaign* waited_for(time_point now) const;                      ///< the other one that this check waits for
  bool may_outlast(const evaluation_waits& waits, time_point now) const; ///< the deadline: KEPCO is away
  std::vector<korean_day> event_days_to_refresh() const;
  std::vector<korean_day> not_asked(const evaluation_waits& waits) const;
  void pass_over_empty_days(time_point now);
  ask_days ask(std::vector<korean_day> days);
  try_later later(std::string reason) const;
  std::string why_waiting(const evaluation_waits& waits) const;
  settle_now settle(const evaluation& figures, time_point now) const;

  storage::check_material material_;
  rules_ptr rules_;
  evaluation_window window_;
  check_input input_;
  std::set<korean_day> asked_;
  std::set<korean_day> answered_;
  std::optional<meter_error> last_failure_;
  bool crashed_ = false;
  bool kepco_was_away_ = false;
  std::vector<storage::save_profile> to_keep_;
};

} // namespace dr::actors
