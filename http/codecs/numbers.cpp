#include "http/codecs/numbers.hpp"

#include <algorithm>
#include <charconv>

namespace dr::http {

namespace {

constexpr std::int64_t largest_thousandths = 1'000'000'000'000'000;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// number × 10^scale as a whole number; nothing when that is not whole or its size is above `largest`.
std::optional<std::int64_t> scaled(std::string_view number, int scale, std::int64_t largest) noexcept {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const auto e = number.find_first_of("eE");
  auto mantissa = number.substr(0, e);
  int exponent = scale;
  if (e != std::string_view::npos) {
    auto text = number.substr(e + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    int given = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), given);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || given > 100 || given < -100)
      return std::nullopt;
    exponent += given;
  }
  __extension__ __int128 value = 0;
  bool point = false;
  bool any = false;
  for (const char c : mantissa) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(c)) return std::nullopt;
    any = true;
    if (point && exponent <= 0) { // finer than what we keep: only zeros may stand there
      if (c != '0') return std::nullopt;
      continue;
    }
    value = value * 10 + (c - '0');
    if (point) --exponent;
    if (value > largest) return std::nullopt;
  }
  if (!any) return std::nullopt;
  for (; exponent > 0 && value != 0; --exponent)
    if ((value *= 10) > largest) return std::nullopt;
  for (; exponent < 0 && value != 0; ++exponent) {
    if (value % 10 != 0) return std::nullopt;
    value /= 10;
  }
  const auto size = static_cast<std::int64_t>(value);
  return negative ? -size : size;
}

} // namespace

std::string format_kilowatts(std::int64_t watts) {
  const bool negative = watts < 0;
  const auto size = negative ? 0 - static_cast<std::uint64_t>(watts) : static_cast<std::uint64_t>(watts);
  auto text = std::string(negative ? "-" : "") + std::to_string(size / 1000);
  if (const auto rest = size % 1000; rest != 0) {
    auto decimals = std::to_string(1000 + rest).substr(1);
    while (decimals.back() == '0') decimals.pop_back();
    text += '.' + decimals;
  }
  return text;
}

std::optional<std::int64_t> parse_thousandths(std::string_view number) noexcept {
  return scaled(number, 3, largest_thousandths);
}

std::optional<std::int64_t> parse_whole(std::string_view number) noexcept { return scaled(number, 0, INT64_MAX); }

std::optional<std::int64_t> parse_digits(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end.ec != std::errc{} || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

} // namespace dr::http
