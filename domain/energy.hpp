// Energy and points in whole numbers: the only arithmetic that money depends on.
#pragma once

#include <chrono>
#include <cstdint>

namespace dr {

/// Wide enough for every product of a power, a time, a percentage and a rate.
__extension__ using wide_int = __int128;

/// Numerator ÷ denominator (> 0), half-up: −2.5 becomes −2, 2.5 becomes 3.
std::int64_t divide_half_up(wide_int numerator, wide_int denominator) noexcept;

/// Numerator ÷ denominator (> 0), towards minus infinity.
std::int64_t divide_down(wide_int numerator, wide_int denominator) noexcept;

/// `percent` of the energy in Wh of a power in W over a time, rounded down. Beyond 64 bits: the largest number.
std::int64_t committed_wh(std::int64_t capacity_w, std::chrono::minutes time, int percent = 100) noexcept;

/// Points for a credited energy in Wh at a rate per MWh, rounded down; 0 for nothing or less.
std::int64_t points_of(std::int64_t credited_wh, std::int64_t points_per_mwh) noexcept;

} // namespace dr
