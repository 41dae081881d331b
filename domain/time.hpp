// Time as the market counts it: UTC instants to the millisecond, Korean calendar days, quarter and trading hours.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dr {

/// An instant in UTC.
using time_point = std::chrono::sys_time<std::chrono::milliseconds>;
/// A calendar day in Korea (UTC+9, all year).
using korean_day = std::chrono::local_days;

inline constexpr std::chrono::hours korea_offset{9};
inline constexpr std::chrono::minutes quarter_hour{15};
inline constexpr int quarters_per_day = 96;

/// The Korean day that contains the instant.
korean_day korean_day_of(time_point at) noexcept;
/// The instant at which the Korean day begins.
time_point start_of(korean_day day) noexcept;
/// The quarter hour (0 … 95) of its Korean day that contains the instant.
int quarter_of(time_point at) noexcept;
/// The start of the quarter hour that contains the instant.
time_point floor_to_quarter(time_point at) noexcept;
/// The first quarter-hour boundary at or after the instant.
time_point ceil_to_quarter(time_point at) noexcept;

/// RFC 3339 in UTC, "2026-11-22T07:26:00Z"; milliseconds are written only when they are not zero.
std::string format_rfc3339(time_point at);
/// Reads RFC 3339 with any offset; nothing if it is not exactly that.
std::optional<time_point> parse_rfc3339(std::string_view text);
/// "2026-11-22".
std::string format_day(korean_day day);
/// Reads "2026-11-22"; nothing if it is not a real day.
std::optional<korean_day> parse_day(std::string_view text);

} // namespace dr
