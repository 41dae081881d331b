// What is unusual about an order under its programme's rules, in words for the operator. Never a refusal.
#pragma once

#include "domain/calendar.hpp"
#include "domain/programme.hpp"
#include "domain/time.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace dr {

/// A warning when the customers get less notice than the programme promises. A notice of whole days is one of Korean
/// days: day-ahead is an order on the day before, whatever the hour. `ordered_start`: none, or one that has passed, is
/// at once.
std::optional<std::string> notice_warning(const programme& rules, time_point now,
                                          std::optional<time_point> ordered_start);

/// True for a text that notice_warning made.
bool is_notice_warning(const std::string& warning) noexcept;

/// Warnings about the day, the hours, the length and the quarter hours. Without an end only the start is judged.
std::vector<std::string> window_warnings(const programme& rules, time_point starts_at,
                                         std::optional<time_point> ends_at, const holiday_list& holidays);

} // namespace dr
