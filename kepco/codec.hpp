// What KEPCO's answers mean. Pure: text in, values or one meter_error out. Nothing here throws, whatever the text is.
#pragma once

#include "kepco/meter_source.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dr::kepco {

/// The names of KEPCO's operations; "/<operation>.do" follows the base address.
namespace operations {
inline constexpr const char* day = "getDayLpData";
inline constexpr const char* minute = "getMinuteLpData";
inline constexpr const char* customers = "getCustNoList";
inline constexpr const char* period = "getAllCustPeriodData";
} // namespace operations

struct customer {
  std::string cust_no; ///< ten digits
  std::string name;    ///< UTF-8
  friend bool operator==(const customer&, const customer&) = default;
};

struct customer_day {
  std::string cust_no;
  day_profile profile;
  friend bool operator==(const customer_day&, const customer_day&) = default;
};

/// Reads the answer to getDayLpData for one customer (ten digits) and day, in Wh, half-up per quarter hour.
/// Several meters are added when a row says `multi_meter_yn` Y; a value missing in one of them makes the sum missing. A
/// repeated row of the same meter counts once. Fails: unavailable, no_data (also for an empty list), no_consent,
/// refused, garbage (also: several meters without Y, a negative or absurd value, another customer or day).
meter_result<day_profile> decode_day(std::string_view body, const std::string& cust_no, korean_day day);

/// Reads the answer to getMinuteLpData: Wh of the quarter hour (0 … 95) of the day, or day_profile::missing while a
/// meter's value is not ready. Fails as decode_day.
meter_result<std::int32_t> decode_minute(std::string_view body, const std::string& cust_no, korean_day day,
                                         int quarter);

/// Reads the answer to getCustNoList. Fails as decode_day; an empty list is an empty list.
meter_result<std::vector<customer>> decode_customers(std::string_view body);

/// Reads the answer to getAllCustPeriodData for a day, by ascending customer number; quarter hours without a row or
/// with a meter's value missing stay missing. Fails as decode_day.
meter_result<std::vector<customer_day>> decode_period(std::string_view body, korean_day day);

/// "20260701".
std::string format_ymd(korean_day day);
/// KEPCO's label of a quarter hour (0 … 95), its end: "0015" … "2400".
std::string quarter_label(int quarter);
/// The quarter hour of a label; -1 for anything else.
int quarter_of_label(std::string_view label) noexcept;

/// One line of at most `max_bytes` bytes for logs: control characters become spaces, UTF-8 is not cut inside a
/// character.
std::string one_line(std::string_view text, std::size_t max_bytes = 200);

} // namespace dr::kepco
