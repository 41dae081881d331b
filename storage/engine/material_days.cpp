#include "storage/engine/material_days.hpp"

#include "domain/baseline.hpp"
#include "domain/calendar.hpp"

#include <algorithm>
#include <set>

namespace dr::storage {

namespace {

/// More than the weekdays that are public holidays, or holidays of the operator's own, within half a year.
constexpr int holidays_at_most = 20;
constexpr std::chrono::days half_a_year{183};

korean_day first_day_of(const campaign& event) noexcept { return korean_day_of(evaluated_window(event).from); }

} // namespace

korean_day usual_first_day(const campaign& of) noexcept {
  return first_day_of(of) - std::chrono::days{30 + 3 * of.terms.baselines.longest_look_back()};
}

day_range material_days(const check_material& of) noexcept {
  return {of.first_day, korean_day_of(evaluated_window(of.campaign).to - std::chrono::milliseconds{1})};
}

bool look_further_back(check_material& of) {
  const auto event = first_day_of(of.campaign);
  if (of.neighbours.empty() || event - of.first_day >= longest_walk) return false;
  std::set<korean_day> event_days;
  for (const auto& other : of.neighbours)
    for (auto day : days_of(evaluated_window(other.campaign))) event_days.insert(day);
  int others = 0;
  for (auto day = of.first_day; day < event; day += std::chrono::days{1})
    if (!is_weekend(day) && !event_days.contains(day)) ++others;
  const auto halves = static_cast<int>((event - of.first_day) / half_a_year) + 1;
  if (others >= of.campaign.terms.baselines.longest_look_back() + halves * holidays_at_most) return false;
  of.first_day = std::max(event - 2 * (event - of.first_day), event - longest_walk);
  of.neighbours.clear();
  return true;
}

} // namespace dr::storage
