// The figures of the baseline methods (R, annex 28): dated editions from configuration, and what a campaign keeps.
#pragma once

#include "domain/baseline_method.hpp"
#include "domain/time.hpp"

#include <array>
#include <vector>

namespace dr {

/// What an edition may say at most: up to here the arithmetic of baselines is exact.
inline constexpr int most_reference_days = 20;
inline constexpr int most_saa_hours = 6;

/// The figures behind a method's name.
struct method_rules {
  int wanted = 0;            ///< reference days, at most most_reference_days
  int look_back = 0;         ///< eligible weekdays looked at, at most
  int drop_highest = 0;      ///< days
  int drop_lowest = 0;       ///< days
  int saa_hours = 0;         ///< trading hours that SAA compares, at most most_saa_hours
  int saa_starts_before = 0; ///< hours from the first of these to the hour in which the event starts
  int keeps() const noexcept { return wanted - drop_highest - drop_lowest; }
  friend bool operator==(const method_rules&, const method_rules&) = default;
};

/// The figures of every method as in force on one day. The built-in ones are those of the edition of February 2024:
/// campaigns that were stored without figures of their own are settled by them, so a newer edition does not change
/// them; it is one more edition in the configuration.
struct baseline_rules {
  /// In the order of all_baseline_methods.
  std::array<method_rules, all_baseline_methods.size()> figures{{
      {5, 10, 0, 1, 3, 4},
      {10, 20, 2, 2, 3, 4},
      {6, 12, 1, 1, 3, 4},
      {10, 20, 1, 1, 3, 4},
  }};
  const method_rules& of(baseline_method method) const { return figures.at(index_of(method)); }
  method_rules& of(baseline_method method) { return figures.at(index_of(method)); }
  /// In weekdays, of all methods.
  int longest_look_back() const noexcept;
  friend bool operator==(const baseline_rules&, const baseline_rules&) = default;
};

/// One dated edition of a method.
struct baseline_edition {
  baseline_method method = baseline_method::max_4_5;
  korean_day effective_from{};
  method_rules rules;
};

/// The figures in force on a day: of each method the latest edition that is not later. A method without one keeps its
/// built-in figures; a loaded configuration has none such on a day on which a campaign can start.
baseline_rules baselines_on(const std::vector<baseline_edition>& all, korean_day day);

/// In weekdays, of all editions: the days worth having, also for an edition that is not yet in force.
int longest_look_back(const std::vector<baseline_edition>& all) noexcept;

} // namespace dr
