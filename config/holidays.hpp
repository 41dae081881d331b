// Korean public holidays: read from a calendar file, or compiled in from config/holidays.txt.
#pragma once

#include "domain/error.hpp"
#include "domain/time.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace dr {

/// Reads one ISO date a line; `#` begins a comment, empty lines are skipped. Ascending, without duplicates.
/// Fails: invalid, naming the line.
result<std::vector<korean_day>> parse_holidays(std::string_view text, std::string_view name);

/// The calendar of a file. Fails: invalid when it cannot be read or is wrong.
result<std::vector<korean_day>> read_holidays(const std::filesystem::path& file);

/// The text of config/holidays.txt at the time of building.
std::string_view shipped_holidays() noexcept;

} // namespace dr
