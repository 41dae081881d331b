#include "domain/overlap.hpp"

#include "domain/energy.hpp"

#include <algorithm>
#include <map>

namespace dr {

namespace {

bool may_overlap(const campaign& mine, const campaign& theirs) noexcept {
  auto window = evaluated_window(mine);
  auto other = evaluated_window(theirs);
  if (theirs.open() && !theirs.ends_at) return other.from < window.to;
  return window.overlaps(other);
}

} // namespace

bool waits_for(const campaign& mine, const campaign& theirs, const response& their_response, bool their_check_open,
               bool deadline_passed) noexcept {
  if (deadline_passed || !their_check_open || mine.id == theirs.id) return false;
  if (theirs.test || theirs.status == campaign_status::canceled) return false;
  if (their_response.frozen_answer() != answer::accept) return false;
  return credits_before(theirs, mine) && may_overlap(mine, theirs);
}

std::vector<credited_quarter> what_is_left(std::vector<credited_quarter> reductions,
                                           std::span<const credited_quarter> taken) {
  std::map<time_point, std::int64_t> taken_wh;
  for (const auto& quarter : taken) taken_wh[quarter.from] += quarter.wh;
  for (auto& quarter : reductions)
    if (auto found = taken_wh.find(quarter.from); found != taken_wh.end()) quarter.wh -= found->second;
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
