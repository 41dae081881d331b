#include "domain/fit.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace dr {

std::optional<double> rrmse(std::span<const fit_pair> pairs) {
  double squares = 0;
  double load = 0;
  for (const auto& pair : pairs) {
    squares += (pair.baseline_wh - pair.load_wh) * (pair.baseline_wh - pair.load_wh);
    load += pair.load_wh;
  }
  if (pairs.empty() || load <= 0) return std::nullopt;
  auto count = static_cast<double>(pairs.size());
  return std::sqrt(squares / count) / (load / count);
}

std::optional<double> rrmse(const method_rules& rules, korean_day from, korean_day to, int first_hour, int end_hour,
                            const reference_source& source) {
  std::vector<fit_pair> pairs;
  for (auto day = from; day < to; day += std::chrono::days{1}) {
    if (!is_working_day(day, source.holidays)) continue;
    if (std::binary_search(source.event_days.begin(), source.event_days.end(), day)) continue;
    for (int hour = first_hour; hour < end_hour; ++hour) {
      quarter_range range{day, hour * 4, 4};
      if (source.metered.of(range) != availability::present) continue;
      auto references = find_reference_days(range, rules, source);
      if (references.similar.empty()) continue;
      auto baseline = mean_wh(references.similar, range.first, range.count, source.metered);
      pairs.push_back({baseline.value(), static_cast<double>(source.metered.sum_wh(range))});
    }
  }
  return rrmse(pairs);
}

} // namespace dr
