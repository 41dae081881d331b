// What a settled check, or one that was verified again, does to a user's points.
#pragma once

#include <cstdint>

namespace dr {

/// The ledger entries of one settlement, in their order, and where they leave the user. A zero amount is no entry.
struct points_change {
  std::int64_t credit = 0;   ///< ≥ 0: credited first
  std::int64_t reversal = 0; ///< ≥ 0: then taken back in one reversing entry of −reversal
  std::int64_t balance = 0;  ///< afterwards
  std::int64_t owed = 0;     ///< afterwards: what could not be taken back
  friend bool operator==(const points_change&, const points_change&) = default;
};

/// The arithmetic of a settlement: `old_credit` is what the former revision credited (0 for the first), `new_credit`
/// what this one does. The new credit is added; then the old one and what is owed from before are taken back, as far as
/// the balance goes, never below zero. Where nothing differs and nothing is owed there are no entries. All arguments ≥
/// 0.
points_change settle_points(std::int64_t balance, std::int64_t owed, std::int64_t old_credit,
                            std::int64_t new_credit) noexcept;

} // namespace dr
