#include "config/holidays.hpp"

#include "config/data_dir.hpp"

#include <algorithm>
#include <string>

namespace dr {

namespace {
constexpr std::size_t largest_calendar_bytes = 1024 * 1024;
constexpr auto blanks = " \t\r\xEF\xBB\xBF"; // and a byte order mark
} // namespace

result<std::vector<korean_day>> parse_holidays(std::string_view text, std::string_view name) {
  std::vector<korean_day> days;
  for (int number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const auto from = line.find_first_not_of(blanks);
    if (from == line.npos) continue;
    line = line.substr(from, line.find_last_not_of(blanks) - from + 1);
    const auto day = parse_day(line);
    if (!day)
      return fail(errc::invalid, std::string(name) + " line " + std::to_string(number) + ": \"" +
                                     std::string(line.substr(0, 40)) + "\" is not a date such as 2026-10-09");
    days.push_back(*day);
  }
  std::sort(days.begin(), days.end());
  days.erase(std::unique(days.begin(), days.end()), days.end());
  return days;
}

result<std::vector<korean_day>> read_holidays(const std::filesystem::path& file) {
  auto text = read_small_file(file, largest_calendar_bytes);
  if (!text) return fail(errc::invalid, text.error().detail);
  return parse_holidays(*text, file.string());
}

} // namespace dr
