// What is known of one customer's metered days, and what may still come.
#pragma once

#include "domain/campaign.hpp"
#include "domain/profile.hpp"
#include "domain/time.hpp"

#include <map>
#include <set>
#include <vector>

namespace dr {

/// Some quarter hours of one Korean day.
struct quarter_range {
  korean_day day{};
  int first = 0; ///< quarter of the day, 0 … 95
  int count = 0; ///< first + count ≤ 96
  /// The trading hour (0 … 23) of the first quarter.
  int hour() const noexcept { return first / 4; }
  time_point from() const noexcept { return start_of(day) + first * quarter_hour; }
  time_point to() const noexcept { return from() + count * quarter_hour; }
  friend bool operator==(const quarter_range&, const quarter_range&) = default;
};

/// The window cut at trading hours: each part lies in one hour of one day and has 1 … 4 quarters.
std::vector<quarter_range> parts_of(const evaluation_window& window);

/// The Korean days that the window touches; they are event days of a user who accepted.
std::vector<korean_day> days_of(const evaluation_window& window);

/// How usable the values of a range are.
enum class availability : unsigned char {
  present,  ///< all there
  unknown,  ///< the day was never had: fetch it
  open_gap, ///< the day is there, a value is missing and may still come: ask again later
  missing,  ///< a value is missing for good
  given_up  ///< a value is missing that could still have come, but the time to wait is over
};

/// One customer's metered days.
struct metered_days {
  std::map<korean_day, day_profile> days;
  std::set<korean_day> closed;  ///< days that get no better, with or without a profile: never waited for
  bool deadline_passed = false; ///< nothing is waited for any more

  availability of(const quarter_range& range) const;
  /// The sum over the range in Wh; only of a range that is `present`.
  std::int64_t sum_wh(const quarter_range& range) const;
};

/// Days that an answer still depends on, most recent first.
struct missing_days {
  std::set<korean_day, std::greater<>> unknown; ///< to be fetched
  std::set<korean_day, std::greater<>> gaps;    ///< known, but with a gap that matters and may still be filled
  bool empty() const noexcept { return unknown.empty() && gaps.empty(); }
  /// Notes the day of a range if it is worth waiting for; true if so.
  bool note(korean_day day, availability state);
  void add(const missing_days& other);
};

} // namespace dr
