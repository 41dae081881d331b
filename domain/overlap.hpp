// One user, several campaigns: what was reduced in one quarter hour is credited once.
#pragma once

#include "domain/campaign.hpp"
#include "domain/check.hpp"
#include "domain/response.hpp"

#include <span>
#include <vector>

namespace dr {

/// Must the check of `mine` wait for this other campaign of the same user? Yes while the other credits first, its
/// window overlaps, its response is an accept (now, or as frozen) or may still become one, and its check is still open.
/// `their_check_open`: the check is queued and not parked, or the campaign is not frozen yet. A campaign that is open
/// without a planned end may still reach any later quarter hour. Past my own verification deadline nothing is waited
/// for.
bool waits_for(const campaign& mine, const campaign& theirs, const response& their_response, bool their_check_open,
               bool deadline_passed) noexcept;

/// May the answer to this other campaign still decide whether there is an adjustment (SAA) for mine, which has one of
/// its own: as the first event of my event's day? False once it is frozen.
bool may_decide_adjustment(const campaign& mine, const campaign& theirs) noexcept;

/// What the user's campaigns were credited so far, in quarter hours that may be named several times.
struct credited_before {
  std::vector<credited_quarter> first =
      {}; ///< to campaigns that go before mine: by right, or since they were settled first
  std::vector<credited_quarter> behind = {}; ///< to those behind mine: they were given what mine had left
  std::vector<credited_quarter> own = {};    ///< to mine, when it is verified again
};

/// What is left of the reductions (`wh` may be negative: nothing). What is settled stands, so both `first` and `behind`
/// are taken off; but a campaign that is verified again keeps what it had, up to its reduction, against those behind
/// it: they were given only what it had left.
std::vector<credited_quarter> what_is_left(std::vector<credited_quarter> reductions, const credited_before& credited);

/// Spreads a credit pro rata over the quarters with a positive weight, in whole Wh that sum exactly to `credited_wh`;
/// no quarter gets more than its weight if the credit is not above their sum. Quarters that get nothing are left out.
std::vector<credited_quarter> spread_credit(std::int64_t credited_wh, std::span<const credited_quarter> weights);

/// Σ of the energies that are positive.
std::int64_t positive_sum_wh(std::span<const credited_quarter> quarters) noexcept;

} // namespace dr
