// The JSON of the simulator's own endpoints (/_sim/…): read strictly, with errors that name the field.
#pragma once

#include "domain/error.hpp"
#include "simulator/faults.hpp"
#include "simulator/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dr::sim {

/// One `{custNo, from?, to?, kw}` or an array of them. Fails: malformed, invalid with pointers.
result<std::vector<reduction>> parse_reductions(std::string_view body);

/// One `{custNo, baseKw?, consentFrom?, poison?}` or an array of them; at least one of the three. Fails: malformed,
/// invalid.
result<std::vector<site_change>> parse_sites(std::string_view body);

/// `{errorRate?, latencyMs?, hangRate?, truncateRate?, garbageRate?, missingRate?, lagMinutes?, spreadMinutes?,
/// changeRate?, down?, flapMs?, forMs?}`; what is absent is off. Fails: malformed, invalid.
result<faults> parse_faults(std::string_view body);

/// The same object with all its fields.
std::string format_faults(const faults& f);

} // namespace dr::sim
