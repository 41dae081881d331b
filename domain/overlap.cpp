#include "domain/overlap.hpp"

#include "domain/energy.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace dr {

namespace {

bool may_overlap(const campaign& mine, const campaign& theirs) noexcept {
  auto window = evaluated_window(mine);
  auto other = evaluated_window(theirs);
  if (theirs.open() && !theirs.ends_at) return other.from < window.to;
  return window.overlaps(other);
}

bool is_event(const campaign& c) noexcept { return !c.test && c.status != campaign_status::canceled; }

std::map<time_point, std::int64_t> by_quarter(std::span<const credited_quarter> credited) {
  std::map<time_point, std::int64_t> sums;
  for (const auto& quarter : credited) sums[quarter.from] += quarter.wh;
  return sums;
}

std::int64_t wh_of(const std::map<time_point, std::int64_t>& sums, time_point quarter) {
  auto found = sums.find(quarter);
  return found == sums.end() ? 0 : found->second;
}

} // namespace

bool waits_for(const campaign& mine, const campaign& theirs, const response& their_response, bool their_check_open,
               bool deadline_passed) noexcept {
  if (deadline_passed || !their_check_open || mine.id == theirs.id) return false;
  if (!is_event(theirs)) return false;
  if (theirs.frozen && their_response.frozen_answer() != answer::accept) return false;
  return credits_before(theirs, mine) && may_overlap(mine, theirs);
}

bool may_decide_adjustment(const campaign& mine, const campaign& theirs) noexcept {
  if (theirs.frozen || mine.id == theirs.id || !is_event(theirs)) return false;
  auto ours = evaluated_window(mine).from;
  auto other = evaluated_window(theirs).from;
  return korean_day_of(other) == korean_day_of(ours) && std::tuple(other, theirs.id) < std::tuple(ours, mine.id);
}

std::vector<credited_quarter> what_is_left(std::vector<credited_quarter> reductions, const credited_before& credited) {
  const auto first_wh = by_quarter(credited.first);
  const auto behind_wh = by_quarter(credited.behind);
  const auto own_wh = by_quarter(credited.own);
  for (auto& quarter : reductions) {
    quarter.wh -= wh_of(first_wh, quarter.from);
    const auto kept = std::min(quarter.wh, wh_of(own_wh, quarter.from));
    quarter.wh -= wh_of(behind_wh, quarter.from);
    if (kept > 0) quarter.wh = std::max(quarter.wh, kept);
  }
  return reductions;
}

std::vector<credited_quarter> spread_credit(std::int64_t credited_wh, std::span<const credited_quarter> weights) {
  struct share {
    credited_quarter quarter;
    wide_int remainder = 0;
  };
  auto total = positive_sum_wh(weights);
  if (credited_wh <= 0 || total <= 0) return {};
  std::vector<share> shares;
  auto rest = credited_wh;
  for (const auto& weight : weights) {
    if (weight.wh <= 0) continue;
    auto exact = static_cast<wide_int>(credited_wh) * weight.wh;
    auto whole = static_cast<std::int64_t>(exact / total);
    shares.push_back({{weight.from, whole}, exact % total});
    rest -= whole;
  }
  // The Wh lost by rounding down (fewer than there are quarters) go where most was lost, earlier quarters first.
  std::vector<share*> by_remainder;
  by_remainder.reserve(shares.size());
  for (auto& one : shares) by_remainder.push_back(&one);
  std::stable_sort(by_remainder.begin(), by_remainder.end(),
                   [](const share* a, const share* b) { return a->remainder > b->remainder; });
  for (auto* one : by_remainder) {
    if (rest == 0) break;
    ++one->quarter.wh;
    --rest;
  }
  std::vector<credited_quarter> spread;
  for (const auto& one : shares)
    if (one.quarter.wh > 0) spread.push_back(one.quarter);
  return spread;
}

std::int64_t positive_sum_wh(std::span<const credited_quarter> quarters) noexcept {
  std::int64_t sum = 0;
  for (const auto& quarter : quarters) sum += std::max<std::int64_t>(quarter.wh, 0);
  return sum;
}

} // namespace dr
