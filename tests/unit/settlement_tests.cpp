#include "domain/settlement.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

namespace {

/// A site that always uses 100 kWh per hour, and on the event day `metered_kwh` per hour from 14:00 to 18:00.
check_input steady_check(std::int32_t metered_kwh, std::int64_t capacity_w) {
  auto input = sample_check(capacity_w);
  for (auto& [day, profile] : input.metered.days) profile = flat_day(25'000);
  for (int hour = 14; hour < 18; ++hour) set_hour(input.metered.days[event_day], hour, metered_kwh * 1000);
  return input;
}

} // namespace

TEST_CASE("the rules' vector is settled without SAA", "[unit][settlement]") {
  auto input = sample_check(60'000);
  set_hour(input.metered.days[event_day], 14, 80'000);
  auto out = finished(input);
  CHECK(out.baseline_wh == 108'750);
  CHECK(out.reduction_wh == 28'750);
  CHECK_FALSE(out.is_real); // 70 % of 60 kWh is 42
  CHECK(out.credited_wh == 0);
  CHECK(out.points == 0);
  CHECK(out.spread.empty());
  CHECK(out.quality == check_quality::final_);
  CHECK(out.detail == "Not counted as reduced: 28.75 kWh are less than 70 % of the committed 60 kWh.");
}

TEST_CASE("a clean reduction is credited to the Wh, with nothing to say", "[unit][settlement]") {
  auto out = finished(steady_check(60, 40'000));
  CHECK(out == evaluation{true,
                          40,
                          {baseline_method::max_4_5, false},
                          100'000,
                          60'000,
                          40'000,
                          40'000,
                          check_quality::final_,
                          "",
                          {{at(event_day, 14), 10'000},
                           {at(event_day, 14, 15), 10'000},
                           {at(event_day, 14, 30), 10'000},
                           {at(event_day, 14, 45), 10'000}}});
}

TEST_CASE("reaching the threshold exactly is enough, one Wh less is not", "[unit][settlement]") {
  auto input = steady_check(72, 40'000);
  CHECK(finished(input).reduction_wh == 28'000);
  CHECK(finished(input).is_real);
  set_quarter(input.metered.days[event_day], 14, 0, 18'001);
  CHECK(finished(input).reduction_wh == 27'999);
  CHECK_FALSE(finished(input).is_real);
}

TEST_CASE("the threshold is compared exactly where committed energy is no whole Wh", "[unit][settlement]") {
  auto input = steady_check(100, 3); // over a quarter hour 0.75 Wh are committed, 70 % are 0.525
  input.event.window = window(event_day, 14, 0, 14, 15);
  CHECK_FALSE(finished(input).is_real);
  set_quarter(input.metered.days[event_day], 14, 0, 24'999);
  CHECK(finished(input).is_real);
}

TEST_CASE("the cap limits the credit but not the verdict", "[unit][settlement]") {
  auto out = finished(steady_check(20, 40'000));
  CHECK(out.is_real);
  CHECK(out.reduction_wh == 80'000);
  CHECK(out.credited_wh == 48'000);
  CHECK(out.points == 48);
  CHECK(total_wh(out.spread) == 48'000);
  CHECK(out.detail == "Credited up to the cap: 120 % of the committed energy are 48 kWh.");
}

TEST_CASE("without a cap all of it is credited", "[unit][settlement]") {
  auto input = steady_check(20, 40'000);
  input.terms.cap_percent.reset();
  CHECK(finished(input).credited_wh == 80'000);
}

TEST_CASE("points follow the programme's rate and are floored once", "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  set_quarter(input.metered.days[event_day], 14, 0, 15'001);
  CHECK(finished(input).credited_wh == 39'999);
  CHECK(finished(input).points == 39);
  input.terms.points_per_mwh = 1500;
  CHECK(finished(input).points == 59);
}

TEST_CASE("using more than usual is a negative reduction and never real", "[unit][settlement]") {
  auto out = finished(steady_check(130, 40'000));
  CHECK(out.reduction_wh == -30'000);
  CHECK_FALSE(out.is_real);
  CHECK(out.credited_wh == 0);
}

TEST_CASE("hours are added up with their signs", "[unit][settlement]") {
  auto input = steady_check(50, 40'000);
  input.event.window = window(event_day, 14, 0, 16, 0);
  set_hour(input.metered.days[event_day], 15, 120'000);
  auto out = finished(input);
  CHECK(out.reduction_wh == 30'000);
  CHECK_FALSE(out.is_real); // 56 wanted
  input.capacity_w = 20'000;
  out = finished(input);
  CHECK(out.is_real);
  CHECK(out.credited_wh == 30'000);
  // Only the quarters with a positive reduction carry the credit.
  CHECK(out.spread.size() == 4);
  CHECK(total_wh(out.spread) == 30'000);
  CHECK(out.spread.back().from == at(event_day, 14, 45));
}

TEST_CASE("a partial hour is evaluated on its own quarters, committed energy too", "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  input.event.window = window(event_day, 14, 45, 15, 15);
  auto out = finished(input);
  CHECK(out.baseline_wh == 50'000);
  CHECK(out.metered_wh == 30'000);
  CHECK(out.credited_wh == 20'000);
  CHECK(out.spread.size() == 2);
}

TEST_CASE("an hour with a missing interval is left out of everything", "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  input.event.window = window(event_day, 14, 0, 17, 0);
  set_quarter(input.metered.days[event_day], 15, 2, day_profile::missing);
  input.metered.deadline_passed = true;
  auto out = finished(input);
  CHECK(out.quality == check_quality::estimated);
  CHECK(out.baseline_wh == 200'000);
  CHECK(out.reduction_wh == 80'000);
  CHECK(out.is_real);
  CHECK(out.credited_wh == 80'000);
  CHECK(out.detail == "Left out, metered values are missing: 2026-11-18 15:00–16:00.");
  for (const auto& quarter : out.spread) CHECK((quarter.from < at(event_day, 15) || quarter.from >= at(event_day, 16)));
}

TEST_CASE("an hour without any reference day is left out", "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  input.event.window = window(event_day, 14, 0, 16, 0);
  for (auto day : weekdays_before) set_quarter(input.metered.days[day], 15, 0, day_profile::missing);
  input.metered.closed = {weekdays_before.begin(), weekdays_before.end()};
  auto out = finished(input);
  CHECK(out.quality == check_quality::estimated);
  CHECK(out.reduction_wh == 40'000);
  CHECK(out.is_real);
  CHECK(out.detail == "Left out, no reference day: 2026-11-18 15:00–16:00.");
}

TEST_CASE("without any hour the check is unverifiable and credits nothing", "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  input.metered.days[event_day] = day_profile{};
  input.metered.deadline_passed = true;
  auto out = finished(input);
  CHECK(out.quality == check_quality::unverifiable);
  CHECK_FALSE(out.is_real);
  CHECK(out.points == 0);
  CHECK(out.baseline_wh == 0);
  CHECK(out.spread.empty());
  CHECK(out.detail.find("No hour of the event could be evaluated") == 0);
  CHECK(out.detail.find("2026-11-18 14:00–15:00") != std::string::npos);
}

TEST_CASE("a window over midnight is one event", "[unit][settlement]") {
  auto next = event_day + std::chrono::days{1};
  auto input = steady_check(100, 40'000);
  input.event.window = {at(event_day, 23), at(next, 1)};
  input.metered.days[next] = flat_day(25'000);
  set_hour(input.metered.days[event_day], 23, 60'000);
  set_hour(input.metered.days[next], 0, 60'000);
  auto out = finished(input);
  CHECK(out.baseline_wh == 200'000); // the event day itself is no reference day of its second half
  CHECK(out.reduction_wh == 80'000);
  CHECK(out.is_real);
  CHECK(out.spread.size() == 8);
  input.metered.days.erase(next);
  CHECK(waiting(input).unknown == std::vector<korean_day>{next});
}

TEST_CASE("the window's baseline is rounded once, not hour by hour", "[unit][settlement]") {
  auto input = steady_check(100, 40'000);
  // Four reference days give means of quarters; every hour of the three ends in .5 Wh.
  for (std::size_t i = 4; i < 10; ++i) input.metered.days.erase(weekdays_before[i]);
  for (std::size_t i = 0; i < 2; ++i)
    for (int hour = 14; hour < 17; ++hour) set_quarter(input.metered.days[weekdays_before[i]], hour, 0, 25'001);
  input.metered.deadline_passed = true;
  input.event.window = window(event_day, 14, 0, 17, 0);
  CHECK(finished(input).baseline_wh == 300'002); // 3 × 100,000.5 = 300,001.5; rounded per hour it would be 300,003
}

TEST_CASE("what another campaign has credited is not credited again", "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  auto first = finished(input);
  input.credited.first = first.spread;
  auto second = finished(input);
  CHECK(second.is_real); // judged before overlap
  CHECK(second.reduction_wh == 40'000);
  CHECK(second.credited_wh == 0);
  CHECK(second.points == 0);
  CHECK(second.spread.empty());
  CHECK(second.detail == "An overlapping campaign was credited first; 0 kWh were left.");
}

TEST_CASE("verified again from the same data, a campaign is credited the same, whoever came behind it",
          "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  input.credited.own = finished(input).spread;
  input.credited.behind = {{at(event_day, 14), 5'000}, {at(event_day, 14, 15), 10'000}}; // of a larger baseline
  CHECK(finished(input).credited_wh == 40'000);
  input.credited.own.clear();
  CHECK(finished(input).credited_wh == 25'000); // verified for the first time: what is settled stands
}

TEST_CASE("half an overlap leaves the other half", "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  input.event.window = window(event_day, 14, 0, 16, 0);
  input.credited.first = {{at(event_day, 14), 10'000},
                          {at(event_day, 14, 15), 10'000},
                          {at(event_day, 14, 30), 10'000},
                          {at(event_day, 14, 45), 10'000},
                          {at(event_day, 18), 99'000}};
  auto out = finished(input);
  CHECK(out.credited_wh == 40'000);
  CHECK(out.spread.front().from == at(event_day, 15));
}

TEST_CASE("more taken than reduced in one quarter does not eat into another", "[unit][settlement]") {
  auto input = steady_check(60, 40'000);
  input.credited.first = {{at(event_day, 14), 50'000}};
  CHECK(finished(input).credited_wh == 30'000);
}

TEST_CASE("an evaluation fills a check's record", "[unit][settlement]") {
  auto out = finished(steady_check(60, 40'000));
  reduction_check check;
  check.id = check_id{3};
  check.revision = 2;
  fill(check, out);
  CHECK(check.id == check_id{3});
  CHECK(check.revision == 2);
  CHECK(check.is_real);
  CHECK(check.adjust_points == 40);
  CHECK(check.credited_wh == 40'000);
  CHECK(check.reduction_wh == 40'000);
  CHECK(check.spread == out.spread);
}
