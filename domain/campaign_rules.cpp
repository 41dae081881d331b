#include "domain/campaign_rules.hpp"

#include <algorithm>
#include <cstdio>

namespace dr {

namespace {

using namespace std::chrono;

constexpr const char* notice_prefix = "Short notice: ";

std::string title(const programme& rules) {
  return rules.korean.empty() ? rules.code : rules.code + " (" + rules.korean + ")";
}

std::string clock_text(minutes since_midnight) {
  auto total = static_cast<int>(since_midnight.count());
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d", total / 60, total % 60);
  return text;
}

/// "13:25" as Korean clocks show it; seconds only when they matter.
std::string korean_clock(time_point at) {
  auto since_midnight = at - start_of(korean_day_of(at));
  auto text = clock_text(floor<minutes>(since_midnight));
  auto rest = floor<seconds>(since_midnight % minutes{1});
  if (rest == seconds{0}) return text;
  char tail[16];
  std::snprintf(tail, sizeof tail, ":%02d", static_cast<int>(rest.count()));
  return text + tail;
}

std::string length_text(minutes length) {
  auto total = static_cast<int>(length.count());
  if (total % 60 != 0 || total == 0) return std::to_string(total) + (total == 1 ? " minute" : " minutes");
  return std::to_string(total / 60) + (total == 60 ? " hour" : " hours");
}

std::string days_ahead_text(days ahead) {
  return ahead == days{1} ? "an order on the day before" : "an order " + std::to_string(ahead.count()) + " days before";
}

std::string given_text(time_point now, time_point start, std::optional<time_point> ordered_start) {
  if (ordered_start && *ordered_start < now)
    return "it starts at once, the start that was ordered, " + format_rfc3339(*ordered_start) + ", has passed";
  if (start == now) return "it starts at once";
  auto whole = floor<minutes>(start - now);
  return whole == minutes{0} ? "it starts in less than a minute" : "it starts in " + length_text(whole);
}

std::optional<std::string> day_warning(const programme& rules, korean_day day, const holiday_list& holidays) {
  if (!rules.weekdays_only || is_working_day(day, holidays)) return std::nullopt;
  auto what = is_holiday(day, holidays) ? std::string("a public holiday") : std::string("a ") + weekday_name(day);
  return format_day(day) + " is " + what + "; " + title(rules) + " runs on weekdays that are not public holidays.";
}

/// Does [from, to) leave the programme's hours on any of the days it touches?
bool leaves_hours(const programme& rules, time_point from, time_point to) {
  for (auto day = korean_day_of(from); start_of(day) < to; day += days{1}) {
    auto part_from = std::max(from, start_of(day));
    auto part_to = std::min(to, start_of(day + days{1}));
    if (part_from < start_of(day) + rules.window_begin || part_to > start_of(day) + rules.window_end) return true;
  }
  return false;
}

bool touches_excluded_hour(const programme& rules, time_point from, time_point to) {
  if (!rules.excluded_hour) return false;
  for (auto day = korean_day_of(from); start_of(day) < to; day += days{1}) {
    auto hour_from = start_of(day) + hours{*rules.excluded_hour};
    if (from < hour_from + hours{1} && hour_from < to) return true;
  }
  return false;
}

std::optional<std::string> quarter_warning(time_point starts_at, std::optional<time_point> ends_at) {
  bool start_off = floor_to_quarter(starts_at) != starts_at;
  bool end_off = ends_at && floor_to_quarter(*ends_at) != *ends_at;
  if (!start_off && !end_off) return std::nullopt;
  std::string what;
  if (start_off) what = "the start (" + korean_clock(starts_at) + ")";
  if (end_off) what += (start_off ? " and the end (" : "the end (") + korean_clock(*ends_at) + ")";
  return "Not on a quarter hour: " + what +
         ". Reductions are evaluated on the whole quarter hours that the order touches.";
}

} // namespace

std::optional<std::string> notice_warning(const programme& rules, time_point now,
                                          std::optional<time_point> ordered_start) {
  auto start = std::max(ordered_start.value_or(now), now);
  auto whole_days = floor<days>(rules.notice);
  bool by_day = whole_days > days{0} && whole_days == rules.notice;
  if (by_day ? korean_day_of(start) - korean_day_of(now) >= whole_days : start - now >= rules.notice)
    return std::nullopt;
  auto asked = by_day ? days_ahead_text(whole_days) : length_text(rules.notice);
  return notice_prefix + given_text(now, start, ordered_start) + "; " + title(rules) + " asks for " + asked + ".";
}

bool is_notice_warning(const std::string& warning) noexcept { return warning.starts_with(notice_prefix); }

std::vector<std::string> window_warnings(const programme& rules, time_point starts_at,
                                         std::optional<time_point> ends_at, const holiday_list& holidays) {
  std::vector<std::string> warnings;
  // Without an end the start alone is known; its first millisecond stands for the order.
  auto to = ends_at.value_or(starts_at + milliseconds{1});
  // Two days already break every rule that a longer order would break.
  to = std::min(to, time_point{starts_at + days{2}});
  for (auto day = korean_day_of(starts_at); start_of(day) < to; day += days{1})
    if (auto text = day_warning(rules, day, holidays)) warnings.push_back(std::move(*text));
  if (leaves_hours(rules, starts_at, to)) {
    auto order = ends_at ? korean_clock(starts_at) + "–" + korean_clock(*ends_at) : korean_clock(starts_at);
    warnings.push_back("Outside of the programme's hours: the order is for " + order + " Korean time; " + title(rules) +
                       " runs " + clock_text(rules.window_begin) + "–" + clock_text(rules.window_end) + ".");
  }
  if (touches_excluded_hour(rules, starts_at, to))
    warnings.push_back("The order covers " + clock_text(hours{*rules.excluded_hour}) + "–" +
                       clock_text(hours{*rules.excluded_hour + 1}) + " Korean time, which " + title(rules) +
                       " leaves out.");
  if (ends_at) {
    auto length = ceil<minutes>(*ends_at - starts_at);
    if (length < rules.min_length)
      warnings.push_back("Shorter than usual: " + length_text(length) + "; " + title(rules) + " lasts at least " +
                         length_text(rules.min_length) + ".");
    if (length > rules.max_length)
      warnings.push_back("Longer than usual: " + length_text(length) + "; " + title(rules) + " lasts at most " +
                         length_text(rules.max_length) + ".");
  }
  if (auto text = quarter_warning(starts_at, ends_at)) warnings.push_back(std::move(*text));
  return warnings;
}

} // namespace dr
