#include "domain/metered_days.hpp"

#include <algorithm>

namespace dr {

namespace {

bool all_there(const day_profile& profile, const quarter_range& range) noexcept {
  auto first = profile.wh.begin() + range.first;
  return std::find(first, first + range.count, day_profile::missing) == first + range.count;
}

} // namespace

std::vector<quarter_range> parts_of(const evaluation_window& window) {
  std::vector<quarter_range> parts;
  for (auto at = window.from; at < window.to; at += quarter_hour) {
    auto day = korean_day_of(at);
    auto quarter = quarter_of(at);
    if (!parts.empty() && parts.back().hour() == quarter / 4)
      ++parts.back().count;
    else
      parts.push_back({day, quarter, 1});
  }
  return parts;
}

std::vector<korean_day> days_of(const evaluation_window& window) {
  std::vector<korean_day> days;
  for (auto day = korean_day_of(window.from); start_of(day) < window.to; day += std::chrono::days{1})
    days.push_back(day);
  return days;
}

availability metered_days::of(const quarter_range& range) const {
  auto found = days.find(range.day);
  if (found != days.end() && all_there(found->second, range)) return availability::present;
  if (closed.contains(range.day)) return availability::missing;
  if (deadline_passed) return availability::given_up;
  return found == days.end() ? availability::unknown : availability::open_gap;
}

std::int64_t metered_days::sum_wh(const quarter_range& range) const {
  const auto& wh = days.at(range.day).wh;
  std::int64_t sum = 0;
  const auto first = wh.begin() + range.first;
  for (auto at = first; at != first + range.count; ++at) sum += *at;
  return sum;
}

bool missing_days::note(korean_day day, availability state) {
  if (state == availability::unknown) unknown.insert(day);
  if (state == availability::open_gap) gaps.insert(day);
  return state == availability::unknown || state == availability::open_gap;
}

void missing_days::add(const missing_days& other) {
  unknown.insert(other.unknown.begin(), other.unknown.end());
  gaps.insert(other.gaps.begin(), other.gaps.end());
}

} // namespace dr
