#include "domain/settlement.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

namespace {

/// The vector with SAA: hours 10, 11, 12 average 98 kWh on the event day and 94 kWh on the similar days.
check_input saa_check() {
  auto input = sample_check();
  input.event.baseline.saa = true;
  for (std::size_t i = 0; i < 5; ++i) {
    auto& profile = input.metered.days[weekdays_before[i]];
    bool dropped = vector_kwh[i] == 90; // the lowest: its morning must not count
    set_hour(profile, 10, dropped ? 4'000 : 90'000);
    set_hour(profile, 11, dropped ? 4'000 : 94'000);
    set_hour(profile, 12, dropped ? 4'000 : 98'000);
  }
  auto& today = input.metered.days[event_day];
  set_hour(today, 10, 92'000);
  set_hour(today, 11, 98'000);
  set_hour(today, 12, 104'000);
  set_hour(today, 13, 4'000'000); // T−1 must not count
  set_hour(today, 14, 80'000);
  return input;
}

void move_event(check_input& input, int from_hour, int from_minute, int to_hour, int to_minute) {
  input.event.window = window(event_day, from_hour, from_minute, to_hour, to_minute);
}

} // namespace

TEST_CASE("the rules' vector with SAA gives 112.75 and a reduction of 32.75", "[unit][saa]") {
  auto out = finished(saa_check());
  CHECK(out.baseline_wh == 112'750);
  CHECK(out.metered_wh == 80'000);
  CHECK(out.reduction_wh == 32'750);
  CHECK(out.baseline.saa);
  CHECK(out.is_real); // 70 % of 40 kWh is 28
  CHECK(out.credited_wh == 32'750);
  CHECK(out.points == 32);
}

TEST_CASE("SAA is symmetric: a lower morning lowers the baseline", "[unit][saa]") {
  auto input = saa_check();
  for (int hour : {10, 11, 12}) set_hour(input.metered.days[event_day], hour, 90'000);
  CHECK(finished(input).baseline_wh == 104'750);
}

TEST_CASE("SAA is added to every hour of the event", "[unit][saa]") {
  auto input = saa_check();
  auto without = input;
  without.event.baseline.saa = false;
  move_event(input, 14, 0, 17, 0);
  move_event(without, 14, 0, 17, 0);
  CHECK(finished(input).baseline_wh == finished(without).baseline_wh + 3 * 4'000);
}

TEST_CASE("SAA is scaled by the minutes of a partial hour", "[unit][saa]") {
  auto input = saa_check();
  move_event(input, 14, 15, 15, 0);
  auto without = input;
  without.event.baseline.saa = false;
  CHECK(finished(input).baseline_wh == finished(without).baseline_wh + 3'000);
}

TEST_CASE("a value missing on the event day means no adjustment", "[unit][saa]") {
  for (int hour : {10, 11, 12}) {
    auto input = saa_check();
    set_quarter(input.metered.days[event_day], hour, 2, day_profile::missing);
    input.metered.deadline_passed = true;
    auto out = finished(input);
    CHECK(out.baseline_wh == 108'750);
    CHECK_FALSE(out.baseline.saa);
    CHECK(out.detail.find("No adjustment") != std::string::npos);
  }
}

TEST_CASE("a value missing on a similar day means no adjustment, on a dropped day it does not matter", "[unit][saa]") {
  auto input = saa_check();
  set_quarter(input.metered.days[weekdays_before[2]], 11, 0, day_profile::missing); // the dropped one
  CHECK(finished(input).baseline_wh == 112'750);
  set_quarter(input.metered.days[weekdays_before[0]], 11, 0, day_profile::missing);
  input.metered.closed.insert(weekdays_before[0]);
  CHECK(finished(input).baseline_wh == 108'750);
}

TEST_CASE("a gap that matters to SAA is waited for while there is time", "[unit][saa]") {
  auto input = saa_check();
  set_quarter(input.metered.days[weekdays_before[0]], 11, 0, day_profile::missing);
  CHECK(waiting(input).gaps == std::vector<korean_day>{weekdays_before[0]});
  input = saa_check();
  set_quarter(input.metered.days[event_day], 10, 0, day_profile::missing);
  CHECK(waiting(input).gaps == std::vector<korean_day>{event_day});
  CHECK(waiting(input).event_gaps.empty());
  input.event.baseline.saa = false;
  CHECK(finished(input).baseline_wh == 108'750);
}

TEST_CASE("an event before four o'clock has no adjustment, one at four has", "[unit][saa]") {
  auto input = saa_check();
  for (auto& [day, profile] : input.metered.days) profile = flat_day(day == event_day ? 2'000 : 1'000);
  move_event(input, 3, 45, 4, 45);
  auto early = finished(input);
  CHECK_FALSE(early.baseline.saa);
  CHECK(early.baseline_wh == 4'000);
  move_event(input, 4, 0, 5, 0);
  auto at_four = finished(input);
  CHECK(at_four.baseline.saa);
  CHECK(at_four.baseline_wh == 8'000);
}

TEST_CASE("SAA compares the hours that the edition says", "[unit][saa]") {
  auto input = saa_check();
  auto& rules = input.event.rules.of(baseline_method::max_4_5);
  rules.saa_hours = 2;
  rules.saa_starts_before = 3; // hours 11 and 12: 101 kWh, on the similar days 96 kWh
  CHECK(finished(input).baseline_wh == 108'750 + 5'000);
  rules.saa_starts_before = 15; // the event starts in hour 14
  auto early = finished(input);
  CHECK_FALSE(early.baseline.saa);
  CHECK(early.baseline_wh == 108'750);
}

TEST_CASE("the day's adjustment is the first event's by the first event's figures", "[unit][saa]") {
  auto input = saa_check();
  auto first = input.event;
  first.campaign = campaign_id{7};
  first.rules.of(baseline_method::max_4_5).saa_hours = 2;
  first.rules.of(baseline_method::max_4_5).saa_starts_before = 3;
  input.others = {first};
  move_event(input, 17, 0, 18, 0);
  CHECK(finished(input).baseline_wh == 50'000 + 5'000);
}

TEST_CASE("a second event of the day reuses the first one's adjustment", "[unit][saa]") {
  auto input = saa_check();
  // The second event starts at 17; its own hours 13, 14, 15 would give a very different adjustment.
  auto first = input.event;
  first.campaign = campaign_id{7};
  input.others = {first};
  move_event(input, 17, 0, 18, 0);
  auto out = finished(input);
  CHECK(out.baseline_wh == 50'000 + 4'000);
  CHECK(out.baseline.saa);
  input.others.clear();
  CHECK(finished(input).baseline_wh != 54'000);
}

TEST_CASE("a second event reuses the first one's adjustment also if that had none", "[unit][saa]") {
  auto input = saa_check();
  auto first = input.event;
  first.campaign = campaign_id{7};
  first.baseline.saa = false;
  input.others = {first};
  move_event(input, 17, 0, 18, 0);
  auto out = finished(input);
  CHECK(out.baseline_wh == 50'000);
  CHECK_FALSE(out.baseline.saa);

  first.baseline.saa = true;
  first.window = window(event_day, 2, 0, 3, 0); // too early to have one
  input.others = {first};
  CHECK(finished(input).baseline_wh == 50'000);
}

TEST_CASE("of two events that start together the lower campaign is the first", "[unit][saa]") {
  auto input = saa_check();
  auto twin = input.event;
  twin.baseline.saa = false;
  twin.campaign = campaign_id{9};
  input.others = {twin};
  CHECK(finished(input).baseline.saa);
  input.event.campaign = campaign_id{10};
  CHECK_FALSE(finished(input).baseline.saa);
}

TEST_CASE("a later event, or one of another day, decides nothing", "[unit][saa]") {
  auto input = saa_check();
  accepted_event later{campaign_id{2}, window(event_day, 19, 0, 20, 0), {baseline_method::max_4_5, false}};
  accepted_event earlier_day{campaign_id{3}, window(on(2026, 10, 1), 9, 0, 10, 0), {baseline_method::max_4_5, false}};
  input.others = {later, earlier_day};
  CHECK(finished(input).baseline_wh == 112'750);
}

TEST_CASE("the first event's days are asked for when they differ from one's own", "[unit][saa]") {
  auto input = saa_check();
  auto first = input.event;
  first.campaign = campaign_id{7};
  first.baseline.method = baseline_method::mid_6_10;
  input.others = {first};
  move_event(input, 17, 0, 18, 0);
  for (std::size_t i = 5; i < 10; ++i) input.metered.days.erase(weekdays_before[i]);
  CHECK(waiting(input).unknown == std::vector<korean_day>(weekdays_before.begin() + 5, weekdays_before.end()));
}
