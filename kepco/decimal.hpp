// Energy as KEPCO writes it: decimal kWh, taken exactly, never through floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dr::kepco {

/// Energy in billionths of a Wh: fine enough to add what several meters say before the one rounding to Wh.
using nano_wh = std::int64_t;

/// More than any site can draw in 15 minutes (4 GW); what is above is a broken value.
inline constexpr nano_wh max_quarter_nwh = 1'000'000'000'000'000'000;

/// Reads "3.52", "85", ".5" or "1e2" as kWh. Digits beyond a trillionth of a kWh are cut: they cannot change the
/// rounding. Nothing for a sign, for anything that is not a number, and above max_quarter_nwh.
std::optional<nano_wh> parse_kwh(std::string_view text) noexcept;

/// Half-up (domain.md, "Rounding"); the energy is 0 … max_quarter_nwh.
std::int32_t round_to_wh(nano_wh energy) noexcept;

} // namespace dr::kepco
