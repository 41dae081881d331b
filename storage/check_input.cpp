#include "storage/check_input.hpp"

namespace dr::storage {

check_input input_of(const check_material& from, const holiday_list& holidays) {
  check_input input;
  input.event = {from.campaign.id, evaluated_window(from.campaign), from.response.baseline,
                 from.campaign.terms.baselines};
  input.terms = from.campaign.terms;
  input.capacity_w = from.response.capacity_w;
  input.holidays = holidays;
  input.credited.own = from.credited;
  for (const auto& other : from.neighbours) {
    if (other.response.frozen_answer() != answer::accept) continue;
    input.others.push_back(
        {other.campaign.id, evaluated_window(other.campaign), other.response.baseline, other.campaign.terms.baselines});
    const bool goes_before = credits_before(other.campaign, from.campaign) || other.settled_at <= from.settled_at;
    auto& into = goes_before ? input.credited.first : input.credited.behind;
    into.insert(into.end(), other.spread.begin(), other.spread.end());
  }
  for (const auto& [day, stored] : from.days) {
    input.metered.days.emplace(day, stored.profile);
    if (stored.closed && (!from.fresh || stored.profile.complete())) input.metered.closed.insert(day);
  }
  return input;
}

} // namespace dr::storage
