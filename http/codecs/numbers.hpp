// Exact numbers: power crosses the border as kW with up to three decimals and is kept in whole W.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dr::http {

/// 400000 → "400", 400500 → "400.5", -5 → "-0.005".
std::string format_kilowatts(std::int64_t watts);
/// A JSON number ("400", "0.125", "4e2") as thousandths, exactly; nothing when it is finer than three decimals, beyond
/// ±10^15 thousandths, or no number.
std::optional<std::int64_t> parse_thousandths(std::string_view number) noexcept;
/// A whole number, also when written as "4e2" or "400.0"; nothing otherwise.
std::optional<std::int64_t> parse_whole(std::string_view number) noexcept;
/// Plain decimal digits with an optional sign, as in URLs; nothing otherwise.
std::optional<std::int64_t> parse_digits(std::string_view text) noexcept;

} // namespace dr::http
