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
    // What is settled stands, in the order of the first settlements; for a first check there is nothing else.
    auto& into = other.check < from.check ? input.credited.first : input.credited.behind;
    into.insert(into.end(), other.spread.begin(), other.spread.end());
  }
  for (const auto& [day, stored] : from.days) {
    input.metered.days.emplace(day, stored.profile);
    if (stored.closed && (!from.fresh || stored.profile.complete())) input.metered.closed.insert(day);
  }
  return input;
}

} // namespace dr::storage
