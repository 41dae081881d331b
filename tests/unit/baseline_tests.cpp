#include "domain/baseline.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;
using enum baseline_method;

namespace {

const quarter_range hour_14{event_day, 56, 4};

struct world {
  metered_days metered;
  holiday_list holidays;
  std::vector<korean_day> event_days;
  baseline_rules rules;
  reference_source source() const { return {metered, holidays, event_days}; }
  reference_days find(baseline_method method, quarter_range range = hour_14) const {
    return find_reference_days(range, rules.of(method), source());
  }
  double baseline_kwh(baseline_method method, quarter_range range = hour_14) const {
    auto days = find(method, range).similar;
    return mean_wh(days, range.first, range.count, metered).value() / 1000;
  }
};

world vector_world(std::size_t days = 10) {
  world w;
  w.metered = days_with({vector_kwh.begin(), vector_kwh.begin() + static_cast<std::ptrdiff_t>(days)}, 14);
  w.metered.deadline_passed = true;
  return w;
}

} // namespace

TEST_CASE("the rules' own vector holds for all four methods", "[unit][baseline]") {
  auto w = vector_world();
  CHECK(w.baseline_kwh(max_4_5) == 108.75);
  CHECK(w.baseline_kwh(mid_6_10) == Approx(100.83333333));
  CHECK(w.baseline_kwh(mid_4_6) == 101.25);
  CHECK(w.baseline_kwh(mid_8_10) == 99.375);
}

TEST_CASE("under another edition its figures hold: how many days, how far back, how many dropped", "[unit][baseline]") {
  auto w = vector_world();
  w.rules.of(max_4_5) = {4, 6, 1, 0, 3, 4};
  CHECK(w.baseline_kwh(max_4_5) == 100); // 100 110 90 120 without the highest
  CHECK(w.baseline_kwh(mid_4_6) == 101.25);
  w.rules.of(mid_4_6) = {7, 7, 2, 3, 3, 4};
  CHECK(w.baseline_kwh(mid_4_6) == 107.5); // 70 90 100 105 110 120 130: two remain
  for (std::size_t i = 0; i < 3; ++i) w.metered.days[weekdays_before[i]] = day_profile{};
  CHECK(w.find(max_4_5).similar.size() == 3); // three of the six weekdays it looks back over
  w.rules.of(max_4_5).look_back = 7;
  CHECK(w.baseline_kwh(max_4_5) == Approx((120 + 105 + 70) / 3.0)); // four: the 130 is dropped
}

TEST_CASE("means over as many days and hours as an edition may say are exact", "[unit][baseline]") {
  const exact_wh one = exact_wh::ratio(1, 1);
  for (int days = 1; days <= most_reference_days; ++days)
    for (int hours = 1; hours <= most_saa_hours; ++hours) {
      auto quarter = exact_wh::ratio(1, days).parts / hours / 4;
      CHECK(exact_wh{quarter * days * hours * 4} == one);
    }
}

TEST_CASE("means are exact and rounded half-up once", "[unit][baseline]") {
  auto w = vector_world();
  auto days = w.find(mid_6_10).similar;
  CHECK(mean_wh(days, 56, 4, w.metered) == exact_wh::ratio(605'000, 6));
  CHECK(mean_wh(days, 56, 4, w.metered).rounded() == 100'833);
  CHECK(exact_wh::ratio(5, 2).rounded() == 3);
  CHECK(exact_wh::ratio(-5, 2).rounded() == -2);
}

TEST_CASE("with too few days the lowest go first and then the highest", "[unit][baseline]") {
  struct expectation {
    baseline_method method;
    std::size_t days;
    double kwh;
  };
  for (const auto& [method, days, kwh] : std::vector<expectation>{
           // nine days 100 110 90 120 105 70 130 40 115: two lowest (40, 70) and one highest (130) go
           {mid_6_10, 9, (100 + 110 + 90 + 120 + 105 + 115) / 6.0},
           {mid_6_10, 8, (100 + 110 + 90 + 120 + 105 + 130) / 6.0}, // two lowest
           {mid_6_10, 7, (100 + 110 + 90 + 120 + 105 + 130) / 6.0}, // one lowest (70)
           {mid_6_10, 6, (100 + 110 + 90 + 120 + 105 + 70) / 6.0},  // none
           {mid_6_10, 1, 100},
           {mid_8_10, 9, (100 + 110 + 90 + 120 + 105 + 70 + 130 + 115) / 8.0}, // one lowest
           {mid_8_10, 8, (100 + 110 + 90 + 120 + 105 + 70 + 130 + 40) / 8.0},  // none
           {mid_4_6, 5, (100 + 110 + 120 + 105) / 4.0},                        // one lowest
           {mid_4_6, 4, (100 + 110 + 90 + 120) / 4.0},                         // none
           {max_4_5, 4, (100 + 110 + 90 + 120) / 4.0},                         // none
           {max_4_5, 3, 100},
           {max_4_5, 1, 100}}) {
    INFO(to_string(method) << " with " << days << " days");
    CHECK(vector_world(days).baseline_kwh(method) == Approx(kwh).epsilon(1e-12));
  }
}

TEST_CASE("without any day there is no reference day", "[unit][baseline]") {
  CHECK(vector_world(0).find(max_4_5).similar.empty());
}

TEST_CASE("weekends, holidays and event days are passed over without consuming the look-back", "[unit][baseline]") {
  world w;
  w.metered.deadline_passed = true;
  // Ten eligible weekdays behind one holiday and two event days; Saturdays and Sundays are full of rubbish.
  w.holidays = {on(2026, 11, 17)};
  w.event_days = {on(2026, 11, 13), on(2026, 11, 16)};
  for (auto day = on(2026, 10, 1); day < event_day; day += std::chrono::days{1})
    w.metered.days[day] = flat_day(1'000'000);
  std::vector<korean_day> eligible{on(2026, 11, 12), on(2026, 11, 11), on(2026, 11, 10), on(2026, 11, 9),
                                   on(2026, 11, 6),  on(2026, 11, 5),  on(2026, 11, 4),  on(2026, 11, 3),
                                   on(2026, 11, 2),  on(2026, 10, 30)};
  // Only the five farthest of Max(4/5)'s ten are usable: all five must be found.
  for (std::size_t i = 0; i < eligible.size(); ++i) w.metered.days[eligible[i]] = i < 5 ? day_profile{} : flat_day(250);
  CHECK(w.baseline_kwh(max_4_5) == 1.0);
  CHECK(w.find(max_4_5).similar.size() == 4);
}

TEST_CASE("a weekday with a missing value consumes the look-back", "[unit][baseline]") {
  world w;
  w.metered.deadline_passed = true;
  int weekday = 0;
  for (auto day = event_day - std::chrono::days{1}; weekday < 12; day -= std::chrono::days{1}) {
    if (is_weekend(day)) continue;
    ++weekday;
    w.metered.days[day] = weekday <= 7 ? day_profile{} : flat_day(weekday * 1000);
  }
  // Seven of the ten weekdays are unusable; the eleventh and twelfth lie beyond the look-back.
  auto found = w.find(max_4_5);
  CHECK(found.similar.size() == 3);
  CHECK(w.baseline_kwh(max_4_5) == Approx((8 + 9 + 10) * 4 / 3.0));
  // Mid(4/6) looks back over twelve.
  CHECK(w.find(mid_4_6).similar.size() == 4);
}

TEST_CASE("a gap counts only in the hour that is asked for", "[unit][baseline]") {
  auto w = vector_world(5);
  set_quarter(w.metered.days[weekdays_before[0]], 13, 0, day_profile::missing);
  CHECK(w.baseline_kwh(max_4_5) == 108.75);
  set_quarter(w.metered.days[weekdays_before[0]], 14, 3, day_profile::missing);
  CHECK(w.baseline_kwh(max_4_5) == Approx((110 + 90 + 120 + 105) / 4.0));
}

TEST_CASE("each hour ranks its reference days for itself", "[unit][baseline]") {
  world w;
  w.metered.deadline_passed = true;
  for (std::size_t i = 0; i < 5; ++i) {
    auto profile = flat_day(0);
    set_hour(profile, 14, static_cast<std::int32_t>(4000 * (i + 1)));
    set_hour(profile, 15, static_cast<std::int32_t>(4000 * (5 - i)));
    w.metered.days[weekdays_before[i]] = profile;
  }
  CHECK(w.baseline_kwh(max_4_5, {event_day, 56, 4}) == 14);
  CHECK(w.baseline_kwh(max_4_5, {event_day, 60, 4}) == 14);
  CHECK(w.find(max_4_5, {event_day, 56, 4}).similar != w.find(max_4_5, {event_day, 60, 4}).similar);
}

TEST_CASE("part of an hour is ranked over exactly its quarters", "[unit][baseline]") {
  world w;
  w.metered.deadline_passed = true;
  // Over the whole hour day 0 is lowest; over the second half it is highest.
  for (std::size_t i = 0; i < 5; ++i) {
    auto profile = flat_day(1000);
    if (i == 0) {
      set_quarter(profile, 14, 0, 0);
      set_quarter(profile, 14, 1, 0);
      set_quarter(profile, 14, 2, 1100);
      set_quarter(profile, 14, 3, 1100);
    }
    w.metered.days[weekdays_before[i]] = profile;
  }
  CHECK(w.baseline_kwh(max_4_5, {event_day, 56, 4}) == 4.0);
  CHECK(w.baseline_kwh(max_4_5, {event_day, 58, 2}) == 2.05);
  // A gap in the first half does not matter to the second.
  set_quarter(w.metered.days[weekdays_before[0]], 14, 0, day_profile::missing);
  CHECK(w.baseline_kwh(max_4_5, {event_day, 58, 2}) == 2.05);
}

TEST_CASE("among equal days the earlier one is dropped", "[unit][baseline]") {
  world w;
  w.metered.deadline_passed = true;
  for (std::size_t i = 0; i < 5; ++i) w.metered.days[weekdays_before[i]] = flat_day(100);
  auto days = w.find(max_4_5).similar;
  CHECK(days ==
        std::vector<korean_day>{weekdays_before[3], weekdays_before[2], weekdays_before[1], weekdays_before[0]});
}

TEST_CASE("a user whose every day is an event day ends the walk without a reference day", "[unit][baseline]") {
  auto w = vector_world();
  for (auto day = event_day - std::chrono::days{4000}; day <= event_day; day += std::chrono::days{1})
    w.event_days.push_back(day);
  CHECK(w.find(mid_6_10).similar.empty());
}
