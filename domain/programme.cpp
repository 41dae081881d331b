#include "domain/programme.hpp"

#include <algorithm>

namespace dr {

baseline_choice effective_baseline(const programme_terms& terms, std::optional<baseline_method> method,
                                   std::optional<bool> saa) noexcept {
  auto choice = terms.default_baseline;
  const auto& allowed = terms.allowed_methods;
  if (method && std::find(allowed.begin(), allowed.end(), *method) != allowed.end()) choice.method = *method;
  choice.saa = terms.saa_allowed && saa.value_or(choice.saa);
  return choice;
}

const programme* programme_on(const std::vector<programme>& all, const std::string& code, korean_day day) {
  const programme* best = nullptr;
  for (const auto& edition : all) {
    if (edition.code != code || edition.effective_from > day) continue;
    if (!best || edition.effective_from > best->effective_from) best = &edition;
  }
  return best;
}

std::vector<std::string> programme_codes(const std::vector<programme>& all) {
  std::vector<std::string> codes;
  for (const auto& edition : all)
    if (std::find(codes.begin(), codes.end(), edition.code) == codes.end()) codes.push_back(edition.code);
  return codes;
}

} // namespace dr
