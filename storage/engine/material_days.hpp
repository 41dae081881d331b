// Which days a verification looks at.
#pragma once

#include "domain/campaign.hpp"

namespace dr::storage {

/// For how many days before the event profiles and other campaigns are given to a verification: generously more than
/// the longest look-back of the campaign's baselines, which weekends, holidays and event days stretch.
inline std::chrono::days look_back(const campaign& of) noexcept {
  return std::chrono::days{30 + 3 * of.terms.baselines.longest_look_back()};
}

/// Both ends included.
struct day_range {
  korean_day first{};
  korean_day last{};
};

/// From look_back() before the event's first day to its last one.
inline day_range material_days(const campaign& of) noexcept {
  auto window = evaluated_window(of);
  return {korean_day_of(window.from) - look_back(of), korean_day_of(window.to - std::chrono::milliseconds{1})};
}

} // namespace dr::storage
