#include "domain/energy.hpp"

#include <limits>

namespace dr {

namespace {

/// A result that does not fit is a wrong input far beyond any real site: it stays at the border instead of wrapping.
std::int64_t narrow(wide_int value) noexcept {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  if (value > most) return most;
  if (value < least) return least;
  return static_cast<std::int64_t>(value);
}

wide_int floor_divide(wide_int numerator, wide_int denominator) noexcept {
  auto quotient = numerator / denominator;
  return numerator % denominator < 0 ? quotient - 1 : quotient;
}

} // namespace

std::int64_t divide_half_up(wide_int numerator, wide_int denominator) noexcept {
  return narrow(floor_divide(2 * numerator + denominator, 2 * denominator));
}

std::int64_t divide_down(wide_int numerator, wide_int denominator) noexcept {
  return narrow(floor_divide(numerator, denominator));
}

std::int64_t committed_wh(std::int64_t capacity_w, std::chrono::minutes time, int percent) noexcept {
  return divide_down(static_cast<wide_int>(capacity_w) * time.count() * percent, 60 * 100);
}

std::int64_t points_of(std::int64_t credited_wh, std::int64_t points_per_mwh) noexcept {
  if (credited_wh <= 0 || points_per_mwh <= 0) return 0;
  return divide_down(static_cast<wide_int>(credited_wh) * points_per_mwh, 1'000'000);
}

} // namespace dr
