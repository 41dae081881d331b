// Which days a verification looks at.
#pragma once

#include "domain/campaign.hpp"

namespace dr::storage {

/// For how many days before the event profiles and other campaigns are given to a verification. The longest look-back
/// is 20 weekdays, stretched by holidays and event days.
inline constexpr std::chrono::days look_back{90};

/// Both ends included.
struct day_range {
  korean_day first{};
  korean_day last{};
};

/// From `look_back` before the event's first day to its last one.
inline day_range material_days(const campaign& of) noexcept {
  auto window = evaluated_window(of);
  return {korean_day_of(window.from) - look_back, korean_day_of(window.to - std::chrono::milliseconds{1})};
}

} // namespace dr::storage
