// KEPCO's answers as text, in JSON or XML, with the oddities of the real ones. Pure.
#pragma once

#include "domain/profile.hpp"
#include "domain/time.hpp"
#include "simulator/faults.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace dr::sim {

/// `returnType`: 01 and 02.
enum class wire_format : unsigned char { xml, json };

/// "application/json;charset=UTF-8" or "text/xml;charset=UTF-8".
const char* content_type(wire_format format) noexcept;

/// Has the customer two meters? Those whose number ends in 7 have: 60 % of the energy is on the first.
bool has_two_meters(const std::string& cust_no) noexcept;

/// getDayLpData. Some numbers are strings, some are bare; missing values are "".
std::string day_answer(wire_format format, const std::string& cust_no, korean_day day, const day_profile& profile,
                       const call_fate& fate);

/// getMinuteLpData for one quarter hour (0 … 95). A missing value is left out.
std::string minute_answer(wire_format format, const std::string& cust_no, korean_day day, int quarter,
                          const day_profile& profile, const call_fate& fate);

/// getCustNoList.
std::string customers_answer(wire_format format, const std::vector<std::string>& cust_nos);

/// getAllCustPeriodData: a row per customer, meter and quarter hour that is there.
std::string period_answer(wire_format format, korean_day day,
                          const std::vector<std::pair<std::string, day_profile>>& customers, const call_fate& fate);

/// An error inside an operation's list, message first. The real codes known are openapi-4001 and openapi-9001; what is
/// wrong with a call itself is told here by openapi-2001 (parameter) and openapi-3001 (service key).
std::string error_answer(wire_format format, const char* list, const std::string& code, const std::string& message);

/// The kinds of garbage, in the order of garbage_answer's variants; POST /_sim/sites names them as `poison`.
inline constexpr std::array<const char*, 8> garbage_names{"html",  "header", "other-customer", "binary",
                                                          "empty", "nested", "huge-numbers",   "wrong-types"};

/// A body that is no answer, one of the kinds above by `variant`; `answer` is the right one, for the kinds that only
/// twist it. Sets `type` to its content type.
std::string garbage_answer(const std::string& answer, const std::string& cust_no, std::uint64_t variant,
                           std::string& type);

} // namespace dr::sim
