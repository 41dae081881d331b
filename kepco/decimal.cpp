#include "kepco/decimal.hpp"

namespace dr::kepco {

namespace {

constexpr nano_wh nwh_per_wh = 1'000'000'000;
constexpr int decimals_of_kwh = 12;
constexpr int max_exponent = 30;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Takes an exponent off the end, "e-3"; nothing if there is something else.
std::optional<int> parse_exponent(std::string_view text) noexcept {
  if (text.empty()) return 0;
  if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
  text.remove_prefix(1);
  bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 2) return std::nullopt;
  int value = 0;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (value > max_exponent) return std::nullopt;
  return negative ? -value : value;
}

} // namespace

std::optional<nano_wh> parse_kwh(std::string_view text) noexcept {
  if (text.size() > 64) return std::nullopt;
  std::size_t mantissa = 0; // its length
  std::size_t digits = 0;
  std::size_t point = std::string_view::npos;
  for (; mantissa < text.size(); ++mantissa) {
    if (is_digit(text[mantissa])) {
      ++digits;
    } else if (text[mantissa] == '.' && point == std::string_view::npos) {
      point = mantissa;
    } else {
      break;
    }
  }
  auto exponent = parse_exponent(text.substr(mantissa));
  if (digits == 0 || !exponent) return std::nullopt;
  auto before_point = static_cast<int>(point == std::string_view::npos ? mantissa : point);
  nano_wh value = 0;
  // The digit at place p (0 is the first before the point's left end) is worth 10^(before_point + exponent - 1 - p)
  // kWh.
  int power = before_point + *exponent - 1 + decimals_of_kwh;
  for (std::size_t i = 0; i < mantissa; ++i) {
    if (!is_digit(text[i])) continue;
    if (power-- < 0) continue; // below the last place kept
    if (value > max_quarter_nwh / 10) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  for (; power >= 0; --power) {
    if (value == 0) break;
    if (value > max_quarter_nwh / 10) return std::nullopt;
    value *= 10;
  }
  if (value > max_quarter_nwh) return std::nullopt;
  return value;
}

std::int32_t round_to_wh(nano_wh energy) noexcept {
  return static_cast<std::int32_t>((energy + nwh_per_wh / 2) / nwh_per_wh);
}

} // namespace dr::kepco
