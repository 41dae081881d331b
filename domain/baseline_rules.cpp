#include "domain/baseline_rules.hpp"

#include <algorithm>
#include <optional>

namespace dr {

int baseline_rules::longest_look_back() const noexcept {
  int longest = 0;
  for (const auto& rules : figures) longest = std::max(longest, rules.look_back);
  return longest;
}

baseline_rules baselines_on(const std::vector<baseline_edition>& all, korean_day day) {
  baseline_rules out;
  std::array<std::optional<korean_day>, all_baseline_methods.size()> since;
  for (const auto& edition : all) {
    auto& known = since.at(index_of(edition.method));
    if (edition.effective_from > day || (known && edition.effective_from < *known)) continue;
    known = edition.effective_from;
    out.of(edition.method) = edition.rules;
  }
  return out;
}

int longest_look_back(const std::vector<baseline_edition>& all) noexcept {
  int longest = 0;
  for (const auto& edition : all) longest = std::max(longest, edition.rules.look_back);
  return longest;
}

} // namespace dr
