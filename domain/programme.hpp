// Programmes: the dated rule sets that campaigns run under (R, annexes 26–29). Figures come from configuration.
#pragma once

#include "domain/baseline_rules.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dr {

/// What settlement needs of a programme; frozen into a campaign when it is ordered.
struct programme_terms {
  baseline_choice default_baseline;             ///< for a user who chose nothing
  std::vector<baseline_method> allowed_methods; ///< a user's choice outside of these falls back to the default
  bool saa_allowed = false;                     ///< false: never SAA, whatever the user chose
  std::optional<int> cap_percent;               ///< of committed energy; none: uncapped
  int performs_at_percent = 70;                 ///< reduction ÷ committed energy from which an accept counts as kept
  std::int64_t points_per_mwh = 1000;           ///< 1000 = one point per kWh
  bool mandatory = true;                        ///< goes before voluntary programmes when campaigns overlap
  baseline_rules baselines; ///< the methods' figures; in a programme's edition the built-in ones, which are not used
  friend bool operator==(const programme_terms&, const programme_terms&) = default;
};

/// What a user's choice comes to under the programme's rules: a method that is not allowed falls back to the default,
/// SAA is used only where it is allowed. This is what dispatch freezes into a response.
baseline_choice effective_baseline(const programme_terms& terms, std::optional<baseline_method> method,
                                   std::optional<bool> saa) noexcept;

/// One dated edition of a programme.
struct programme {
  std::string code;   ///< "reliable", "small", "jeju", "citizen", "voluntary"
  std::string korean; ///< 표준DR …
  korean_day effective_from{};
  std::chrono::minutes notice{60};
  bool weekdays_only = true;
  std::chrono::minutes window_begin{9 * 60}; ///< since Korean midnight
  std::chrono::minutes window_end{20 * 60};
  std::optional<int> excluded_hour; ///< a trading hour inside the window that is never ordered (12 for reliable)
  std::chrono::minutes min_length{60};
  std::chrono::minutes max_length{240};
  programme_terms terms;
};

/// The edition of a programme in force on a day: the latest that is not later; nothing for an unknown code.
const programme* programme_on(const std::vector<programme>& all, const std::string& code, korean_day day);

/// The codes known on a day, for error messages; in the order of the configuration.
std::vector<std::string> programme_codes(const std::vector<programme>& all);

} // namespace dr
