// Baselines per trading hour and the symmetric additive adjustment (R, annex 28), in exact arithmetic.
#pragma once

#include "domain/baseline_rules.hpp"
#include "domain/calendar.hpp"
#include "domain/energy.hpp"
#include "domain/metered_days.hpp"

#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace dr {

/// The smallest number that 1 … `most` divide.
constexpr std::int64_t common_multiple(int most) noexcept {
  std::int64_t multiple = 1;
  for (int i = 2; i <= most; ++i) multiple = std::lcm(multiple, std::int64_t{i});
  return multiple;
}

/// An amount of energy as a whole number of parts: every mean over up to most_reference_days, a mean of that over up to
/// most_saa_hours and a quarter of that are whole numbers of parts, so that nothing is rounded before the end.
struct exact_wh {
  static constexpr std::int64_t parts_per_wh =
      common_multiple(most_reference_days) * common_multiple(most_saa_hours) * 4;
  wide_int parts = 0;
  /// The nearest Wh, half-up.
  std::int64_t rounded() const noexcept { return divide_half_up(parts, parts_per_wh); }
  /// For display and fit only.
  double value() const noexcept { return static_cast<double>(parts) / static_cast<double>(parts_per_wh); }
  /// wh ÷ divisor; exact for the divisors 1 … most_reference_days.
  static exact_wh ratio(wide_int wh, int divisor) noexcept { return {wh * parts_per_wh / divisor}; }
  exact_wh& operator+=(exact_wh other) noexcept { return parts += other.parts, *this; }
  exact_wh& operator-=(exact_wh other) noexcept { return parts -= other.parts, *this; }
  friend exact_wh operator+(exact_wh a, exact_wh b) noexcept { return a += b; }
  friend exact_wh operator-(exact_wh a, exact_wh b) noexcept { return a -= b; }
  friend bool operator==(const exact_wh&, const exact_wh&) = default;
};

/// A view of all that decides which days are reference days.
struct reference_source {
  const metered_days& metered;
  const holiday_list& holidays;
  const std::vector<korean_day>& event_days; ///< sorted
};

/// Nobody is metered so long ago: further back no reference day is looked for, even of a user whose every day is an
/// event day.
inline constexpr std::chrono::days longest_walk{3660};

/// The reference days of one range of quarter hours.
struct reference_days {
  std::vector<korean_day>
      similar;        ///< those left after dropping, in calendar order; meaningless while `waits` is not empty
  missing_days waits; ///< days that may become reference days: as few as the method needs
  std::vector<korean_day> given_up; ///< days passed over because the time to wait for them is over
};

/// Looks back from the day before the range's own for days with all of its quarters, and drops the highest and lowest.
/// Among equal days the earlier one is dropped.
reference_days find_reference_days(const quarter_range& range, const method_rules& rules, const reference_source& from);

/// The mean over the days of the energy in these quarters of the day. `days` has 1 … most_reference_days entries,
/// all with the quarters there.
exact_wh mean_wh(const std::vector<korean_day>& days, int first_quarter, int quarters, const metered_days& metered);

/// What SAA adds to each whole hour of an event. Neither an amount nor days to wait for: there is none, and `why_not`
/// says why.
struct adjustment {
  std::optional<exact_wh> per_hour;
  missing_days waits;
  std::string why_not;
};

/// The adjustment of an event that is the user's first on its day: the mean of the event day's hours that SAA compares
/// (by default T−4, T−3, T−2) less that of the similar days of hour T, where T is the hour in which the event starts.
adjustment find_adjustment(const evaluation_window& event, const method_rules& rules, const reference_source& from);

} // namespace dr
