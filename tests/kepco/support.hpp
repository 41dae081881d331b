// What the tests of this folder share: answers written like KEPCO's, and a clock that stands where it is put.
#pragma once

#include "domain/clock.hpp"
#include "domain/profile.hpp"
#include "kepco/codec.hpp"

#include <atomic>
#include <functional>
#include <string>

namespace dr::test {

/// Business time that moves by hand.
class hand_clock final : public clock {
public:
  explicit hand_clock(time_point at) : ms_(at.time_since_epoch().count()) {}
  void set(time_point at) { ms_ = at.time_since_epoch().count(); }
  time_point now() const override { return time_point{std::chrono::milliseconds{ms_}}; }
  std::chrono::milliseconds real_delay_until(time_point at) const override {
    return std::max(at - now(), std::chrono::milliseconds{0});
  }
  time_point after_real(std::chrono::milliseconds real) const override { return now() + real; }
  bool is_virtual() const override { return true; }

private:
  std::atomic<std::int64_t> ms_;
};

inline time_point at(const char* text) { return *parse_rfc3339(text); }
inline korean_day day(const char* text) { return *parse_day(text); }

/// One row of getDayLpData; `value` gives the JSON of a quarter hour's field.
inline std::string day_row(const std::string& cust_no, const std::string& meter, const std::string& ymd,
                           const std::string& multi, const std::function<std::string(int)>& value) {
  auto row = R"({"custNo":")" + cust_no + R"(","meterNo":")" + meter + R"(","mr_ymd":")" + ymd +
             R"(","multi_meter_yn":")" + multi + "\"";
  for (int quarter = 0; quarter < quarters_per_day; ++quarter)
    row += ",\"pwr_qty" + kepco::quarter_label(quarter) + "\":" + value(quarter);
  return row + "}";
}

inline std::string day_list(const std::string& rows) { return R"({"dayLpDataInfoList":[)" + rows + "]}"; }

} // namespace dr::test
