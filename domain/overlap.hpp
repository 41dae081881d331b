// One user, several campaigns: what was reduced in one quarter hour is credited once.
#pragma once

#include "domain/campaign.hpp"
#include "domain/check.hpp"
#include "domain/response.hpp"

#include <span>
#include <vector>

namespace dr {

/// Must the check of `mine` wait for this other campaign of the same user? Yes while the other credits first, its
/// window overlaps, its response is an accept (now, or as frozen), and its check is still open. `their_check_open`: the
/// check is queued and not parked, or the campaign is not frozen yet. A campaign that is open without a planned end may
/// still reach any later quarter hour. Past my own verification deadline nothing is waited for.
bool waits_for(const campaign& mine, const campaign& theirs, const response& their_response, bool their_check_open,
               bool deadline_passed) noexcept;

/// What is left of the reductions (`wh` may be negative: nothing) after what other campaigns have credited in the same
/// quarters; `taken` may name a quarter several times.
std::vector<credited_quarter> what_is_left(std::vector<credited_quarter> reductions,
                                           std::span<const credited_quarter> taken);

/// Spreads a credit pro rata over the quarters with a positive weight, in whole Wh that sum exactly to `credited_wh`;
/// no quarter gets more than its weight if the credit is not above their sum. Quarters that get nothing are left out.
std::vector<credited_quarter> spread_credit(std::int64_t credited_wh, std::span<const credited_quarter> weights);

/// Σ of the energies that are positive.
std::int64_t positive_sum_wh(std::span<const credited_quarter> quarters) noexcept;

} // namespace dr
