// Days, profiles and programmes that the unit tests share.
#pragma once

#include "domain/settlement.hpp"

#include <catch2/catch.hpp>

#include <vector>

/// A result in a failed assertion is shown by its outcome alone: not every value can be streamed.
template <class T> struct Catch::StringMaker<boost::system::result<T, dr::error>, void> {
  static std::string convert(const boost::system::result<T, dr::error>& outcome) {
    return outcome ? "a value" : std::string(dr::to_string(outcome.error().code)) + ": " + outcome.error().detail;
  }
};

namespace dr::test {

using namespace std::chrono_literals;

inline korean_day on(int year, unsigned month, unsigned day) {
  return korean_day{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}};
}

/// An instant by Korean clock.
inline time_point at(korean_day day, int hour, int minute = 0) { return start_of(day) + hour * 1h + minute * 1min; }

inline evaluation_window window(korean_day day, int from_hour, int from_minute, int to_hour, int to_minute) {
  return {at(day, from_hour, from_minute), at(day, to_hour, to_minute)};
}

/// Every quarter hour the same.
inline day_profile flat_day(std::int32_t quarter_wh) {
  day_profile profile;
  profile.wh.fill(quarter_wh);
  return profile;
}

/// Sets the hour's energy, spread evenly; `hour_wh` is a multiple of four.
inline void set_hour(day_profile& profile, int hour, std::int32_t hour_wh) {
  for (int q = 0; q < 4; ++q) profile.wh[static_cast<std::size_t>(hour * 4 + q)] = hour_wh / 4;
}

inline void set_quarter(day_profile& profile, int hour, int quarter, std::int32_t wh) {
  profile.wh[static_cast<std::size_t>(hour * 4 + quarter)] = wh;
}

/// A Wednesday; the ten weekdays before it, most recent first, have no holiday among them.
inline const korean_day event_day = on(2026, 11, 18);
inline const std::vector<korean_day> weekdays_before{
    on(2026, 11, 17), on(2026, 11, 16), on(2026, 11, 13), on(2026, 11, 12), on(2026, 11, 11),
    on(2026, 11, 10), on(2026, 11, 9),  on(2026, 11, 6),  on(2026, 11, 5),  on(2026, 11, 4)};

/// The hand-made vector of the rules, most recent first, in kWh.
inline const std::vector<std::int32_t> vector_kwh{100, 110, 90, 120, 105, 70, 130, 40, 115, 85};

/// Days on which the hour used what `kwh` says, most recent first, and every other hour 50 kWh.
inline metered_days days_with(const std::vector<std::int32_t>& kwh, int hour) {
  metered_days metered;
  for (std::size_t i = 0; i < kwh.size(); ++i) {
    auto profile = flat_day(12'500);
    set_hour(profile, hour, kwh[i] * 1000);
    metered.days[weekdays_before.at(i)] = profile;
  }
  return metered;
}

/// The standard programme's terms: Max(4/5), cap 120 %, real from 70 %, one point per kWh.
inline programme_terms standard_terms() {
  programme_terms terms;
  terms.default_baseline = {baseline_method::max_4_5, false};
  terms.allowed_methods = {baseline_method::max_4_5, baseline_method::mid_6_10};
  terms.saa_allowed = true;
  terms.cap_percent = 120;
  terms.performs_at_percent = 70;
  return terms;
}

/// A check of 14:00–15:00 on the event day: the vector's days before it, 50 kWh per hour on the day itself.
inline check_input sample_check(std::int64_t capacity_w = 40'000) {
  check_input input;
  input.event = {campaign_id{1}, window(event_day, 14, 0, 15, 0), {baseline_method::max_4_5, false}};
  input.terms = standard_terms();
  input.capacity_w = capacity_w;
  input.metered = days_with(vector_kwh, 14);
  input.metered.days[event_day] = flat_day(12'500);
  return input;
}

inline evaluation finished(const check_input& input) { return std::get<evaluation>(evaluate(input)); }
inline evaluation_waits waiting(const check_input& input) { return std::get<evaluation_waits>(evaluate(input)); }

inline std::int64_t total_wh(const std::vector<credited_quarter>& quarters) {
  std::int64_t sum = 0;
  for (const auto& quarter : quarters) sum += quarter.wh;
  return sum;
}

inline programme standard_programme() {
  programme rules;
  rules.code = "reliable";
  rules.korean = "표준DR";
  rules.effective_from = on(2024, 2, 1);
  rules.excluded_hour = 12;
  rules.terms = standard_terms();
  return rules;
}

} // namespace dr::test
