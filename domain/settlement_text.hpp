// The words of a verification's detail, for operators and customers.
#pragma once

#include "domain/metered_days.hpp"

#include <string>
#include <vector>

namespace dr {

/// "383.25 kWh"; trailing zeros are left out.
std::string kwh_text(std::int64_t energy_wh);

/// "2026-07-01 13:00–14:00", or a part of the hour; Korean time.
std::string range_text(const quarter_range& range);

/// The ranges joined by commas; adjacent ones of a day are one.
std::string ranges_text(const std::vector<quarter_range>& ranges);

/// The days joined by commas.
std::string days_text(const std::vector<korean_day>& days);

} // namespace dr
