#include "domain/points.hpp"

#include <algorithm>

namespace dr {

points_change settle_points(std::int64_t balance, std::int64_t owed, std::int64_t old_credit,
                            std::int64_t new_credit) noexcept {
  if (old_credit == new_credit && owed == 0) return {0, 0, balance, 0};
  auto credited = balance + new_credit;
  auto wanted = old_credit + owed;
  auto reversal = std::min(wanted, credited);
  return {new_credit, reversal, credited - reversal, wanted - reversal};
}

} // namespace dr
