#include "domain/time.hpp"

#include <array>
#include <cstdio>

namespace dr {

namespace {

using namespace std::chrono;

milliseconds since_korean_epoch(time_point at) noexcept { return at.time_since_epoch() + korea_offset; }

/// Takes exactly `count` decimal digits off the front of `text`; nothing if they are not there.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes "hh:mm" as minutes.
std::optional<minutes> take_hours_and_minutes(std::string_view& text) {
  auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take_char(text, ':')) return std::nullopt;
  auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return hours{*hour} + minutes{*minute};
}

/// Takes ".123…", any number of digits but at least one, cut to milliseconds; zero when there is no fraction.
std::optional<milliseconds> take_fraction(std::string_view& text) {
  if (!take_char(text, '.')) return milliseconds{0};
  int value = 0;
  int scale = 100;
  std::size_t digits = 0;
  while (auto digit = take_digits(text, 1)) {
    value += *digit * scale;
    scale /= 10;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  return milliseconds{value};
}

/// Takes "Z" or "±hh:mm": what local time is ahead of UTC.
std::optional<minutes> take_offset(std::string_view& text) {
  if (take_char(text, 'Z') || take_char(text, 'z')) return minutes{0};
  bool ahead = take_char(text, '+');
  if (!ahead && !take_char(text, '-')) return std::nullopt;
  auto length = take_hours_and_minutes(text);
  if (!length) return std::nullopt;
  return ahead ? *length : -*length;
}

std::optional<year_month_day> take_date(std::string_view& text) {
  auto y = take_digits(text, 4);
  if (!y || !take_char(text, '-')) return std::nullopt;
  auto m = take_digits(text, 2);
  if (!m || !take_char(text, '-')) return std::nullopt;
  auto d = take_digits(text, 2);
  if (!d) return std::nullopt;
  year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  return date;
}

/// Writes a number below 10^digits with its leading zeros; returns what is behind it.
char* put_digits(char* to, unsigned value, int digits) noexcept {
  for (int i = digits; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
  return to + digits;
}

constexpr std::size_t longest_date = 24; ///< in characters, of the years there are

char* put_date(char* to, year_month_day date) noexcept {
  const auto year = static_cast<int>(date.year());
  to = year >= 0 && year <= 9999 ? put_digits(to, static_cast<unsigned>(year), 4)
                                 : to + std::snprintf(to, longest_date, "%04d", year);
  *to++ = '-';
  to = put_digits(to, static_cast<unsigned>(date.month()), 2);
  *to++ = '-';
  return put_digits(to, static_cast<unsigned>(date.day()), 2);
}

} // namespace

korean_day korean_day_of(time_point at) noexcept { return korean_day{floor<days>(since_korean_epoch(at))}; }

time_point start_of(korean_day day) noexcept { return time_point{day.time_since_epoch() - korea_offset}; }

int quarter_of(time_point at) noexcept {
  auto since_midnight = at - start_of(korean_day_of(at));
  return static_cast<int>(since_midnight / quarter_hour);
}

time_point floor_to_quarter(time_point at) noexcept {
  using quarters = duration<milliseconds::rep, std::ratio<15 * 60>>;
  return time_point{floor<quarters>(at.time_since_epoch())};
}

time_point ceil_to_quarter(time_point at) noexcept {
  using quarters = duration<milliseconds::rep, std::ratio<15 * 60>>;
  return time_point{ceil<quarters>(at.time_since_epoch())};
}

std::string format_rfc3339(time_point at) {
  const auto day = floor<days>(at);
  const hh_mm_ss<milliseconds> clock{at - day};
  std::array<char, longest_date + 16> text; // NOLINT(cppcoreguidelines-pro-type-member-init): written below
  char* to = put_date(text.data(), year_month_day{day});
  const auto part = [&](char before, auto value, int digits) {
    *to++ = before;
    to = put_digits(to, static_cast<unsigned>(value.count()), digits);
  };
  part('T', clock.hours(), 2);
  part(':', clock.minutes(), 2);
  part(':', clock.seconds(), 2);
  if (clock.subseconds().count() != 0) part('.', clock.subseconds(), 3);
  *to++ = 'Z';
  return {text.data(), to};
}

std::optional<time_point> parse_rfc3339(std::string_view text) {
  auto date = take_date(text);
  if (!date || !(take_char(text, 'T') || take_char(text, 't'))) return std::nullopt;
  auto clock = take_hours_and_minutes(text);
  if (!clock || !take_char(text, ':')) return std::nullopt;
  auto second = take_digits(text, 2);
  if (!second || *second > 59) return std::nullopt; // leap seconds do not exist on this clock
  auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  time_point at = sys_days{*date} + *clock + seconds{*second} + *fraction - *offset;
  auto utc_year = static_cast<int>(year_month_day{floor<days>(at)}.year());
  if (utc_year < 0 || utc_year > 9999) return std::nullopt; // could not be written again
  return at;
}

std::string format_day(korean_day day) {
  std::array<char, longest_date> text; // NOLINT(cppcoreguidelines-pro-type-member-init): written below
  return {text.data(), put_date(text.data(), year_month_day{day})};
}

std::optional<korean_day> parse_day(std::string_view text) {
  auto date = take_date(text);
  if (!date || !text.empty()) return std::nullopt;
  return korean_day{*date};
}

} // namespace dr
