#include "domain/settlement_text.hpp"

#include <cstdio>
#include <cstdlib>

namespace dr {

namespace {

std::string quarter_text(int quarter) {
  char text[16];
  std::snprintf(text, sizeof text, "%02d:%02d", quarter / 4, quarter % 4 * 15);
  return text;
}

} // namespace

std::string kwh_text(std::int64_t energy_wh) {
  auto text = std::string(energy_wh < 0 ? "-" : "") + std::to_string(std::abs(energy_wh / 1000));
  if (auto rest = std::abs(energy_wh % 1000); rest != 0) {
    char decimals[24];
    std::snprintf(decimals, sizeof decimals, ".%03d", static_cast<int>(rest));
    text += decimals;
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + " kWh";
}

std::string range_text(const quarter_range& range) {
  return format_day(range.day) + " " + quarter_text(range.first) + "–" + quarter_text(range.first + range.count);
}

std::string ranges_text(const std::vector<quarter_range>& ranges) {
  std::vector<quarter_range> joined;
  for (const auto& range : ranges) {
    if (!joined.empty() && joined.back().day == range.day && joined.back().first + joined.back().count == range.first)
      joined.back().count += range.count;
    else
      joined.push_back(range);
  }
  std::string text;
  for (const auto& range : joined) text += (text.empty() ? "" : ", ") + range_text(range);
  return text;
}

std::string days_text(const std::vector<korean_day>& days) {
  std::string text;
  for (auto day : days) text += (text.empty() ? "" : ", ") + format_day(day);
  return text;
}

} // namespace dr
