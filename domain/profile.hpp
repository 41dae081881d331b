// A customer's metered day.
#pragma once

#include "domain/time.hpp"

#include <array>
#include <cstdint>

namespace dr {

/// Energy per quarter hour of one Korean day in Wh; index 0 is 00:00–00:15, which KEPCO labels by its end, "0015".
struct day_profile {
  static constexpr std::int32_t missing = -1; ///< not (yet) delivered by KEPCO
  std::array<std::int32_t, quarters_per_day> wh;

  day_profile() { wh.fill(missing); }
  bool complete() const noexcept {
    for (auto value : wh)
      if (value == missing) return false;
    return true;
  }
  friend bool operator==(const day_profile&, const day_profile&) = default;
};

/// Quarter hours of whatever day; by default all.
struct quarter_span {
  int first = 0;
  int count = quarters_per_day;
};

} // namespace dr
