#include "domain/calendar.hpp"

#include <algorithm>
#include <array>

namespace dr {

namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

} // namespace

bool is_weekend(korean_day day) noexcept {
  auto iso = std::chrono::weekday{day}.iso_encoding();
  return iso >= 6;
}

bool is_holiday(korean_day day, const holiday_list& holidays) noexcept {
  return std::binary_search(holidays.begin(), holidays.end(), day);
}

bool is_working_day(korean_day day, const holiday_list& holidays) noexcept {
  return !is_weekend(day) && !is_holiday(day, holidays);
}

const char* weekday_name(korean_day day) noexcept {
  static constexpr std::array names{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  return names[std::chrono::weekday{day}.c_encoding()];
}

result<holiday_list> parse_holidays(std::string_view text) {
  holiday_list days;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3); // editors on Windows leave a byte order mark
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    auto line_end = text.find('\n');
    auto line = text.substr(0, line_end);
    text.remove_prefix(line_end == std::string_view::npos ? text.size() : line_end + 1);
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    auto day = parse_day(line);
    if (!day)
      return fail(errc::malformed,
                  "line " + std::to_string(line_number) + " of the holidays is not a date like 2026-01-01");
    days.push_back(*day);
  }
  std::sort(days.begin(), days.end());
  days.erase(std::unique(days.begin(), days.end()), days.end());
  return days;
}

} // namespace dr
