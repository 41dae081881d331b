// Which days count as working days in the Korean market.
#pragma once

#include "domain/error.hpp"
#include "domain/time.hpp"

#include <string_view>
#include <vector>

namespace dr {

/// Public holidays, sorted and without repeats: what parse_holidays makes, and what every function here expects.
using holiday_list = std::vector<korean_day>;

/// Saturday or Sunday.
bool is_weekend(korean_day day) noexcept;

/// A weekday that is not a public holiday.
bool is_working_day(korean_day day, const holiday_list& holidays) noexcept;

/// True for a public holiday of the list.
bool is_holiday(korean_day day, const holiday_list& holidays) noexcept;

/// "Monday" … "Sunday".
const char* weekday_name(korean_day day) noexcept;

/// Reads the holidays text: one ISO date a line, `#` starts a comment, blank lines and repeats are fine.
/// Fails: malformed, with the first wrong line's number in the detail.
result<holiday_list> parse_holidays(std::string_view text);

} // namespace dr
