// Which days a lazily fetching caller is asked for.
#include "domain/settlement.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

namespace {

std::vector<korean_day> first_weekdays(std::ptrdiff_t count) {
  return {weekdays_before.begin(), weekdays_before.begin() + count};
}

check_input empty_check() {
  auto input = sample_check();
  input.metered = {};
  return input;
}

} // namespace

TEST_CASE("with nothing known the event day and as many days as the method wants are asked for", "[unit][waiting]") {
  auto input = empty_check();
  auto wanted = first_weekdays(5);
  wanted.insert(wanted.begin(), event_day);
  CHECK(waiting(input).unknown == wanted);
  CHECK(days_needed(input) == wanted);
  input.event.baseline.method = baseline_method::mid_8_10;
  CHECK(days_needed(input).size() == 11);
}

TEST_CASE("with everything known nothing is asked for", "[unit][waiting]") {
  CHECK(days_needed(sample_check()).empty());
}

TEST_CASE("days beyond what the method wants are not asked for", "[unit][waiting]") {
  auto input = sample_check();
  for (std::size_t i = 5; i < 10; ++i) input.metered.days.erase(weekdays_before[i]);
  CHECK(days_needed(input).empty());
}

TEST_CASE("a day that turns out useless makes the next one needed", "[unit][waiting]") {
  auto input = sample_check();
  for (std::size_t i = 5; i < 10; ++i) input.metered.days.erase(weekdays_before[i]);
  set_quarter(input.metered.days[weekdays_before[1]], 14, 0, day_profile::missing);
  input.metered.closed = {weekdays_before[1]};
  CHECK(days_needed(input) == std::vector<korean_day>{weekdays_before[5]});
  input.metered.closed.insert(weekdays_before[5]); // KEPCO has nothing for it at all
  CHECK(days_needed(input) == std::vector<korean_day>{weekdays_before[6]});
}

TEST_CASE("a gap of a reference day that may still be filled is waited for, not passed over", "[unit][waiting]") {
  auto input = sample_check();
  set_quarter(input.metered.days[weekdays_before[1]], 14, 0, day_profile::missing);
  auto waits = waiting(input);
  CHECK(waits.unknown.empty());
  CHECK(waits.gaps == std::vector<korean_day>{weekdays_before[1]});
  CHECK(waits.event_gaps.empty());
  CHECK(days_needed(input) == waits.gaps);
}

TEST_CASE("gaps outside of the event's hours are not waited for", "[unit][waiting]") {
  auto input = sample_check();
  for (auto& [day, profile] : input.metered.days) set_quarter(profile, 20, 0, day_profile::missing);
  CHECK(days_needed(input).empty());
}

TEST_CASE("an event hour with a gap is waited for until the deadline", "[unit][waiting]") {
  auto input = sample_check();
  input.event.window = window(event_day, 13, 30, 15, 0);
  set_quarter(input.metered.days[event_day], 13, 3, day_profile::missing);
  auto waits = waiting(input);
  CHECK(waits.gaps == std::vector<korean_day>{event_day});
  CHECK(waits.event_gaps == std::vector<quarter_range>{{event_day, 54, 2}});
  input.metered.deadline_passed = true;
  CHECK(finished(input).quality == check_quality::estimated);
}

TEST_CASE("past the deadline everything that is not there is given up", "[unit][waiting]") {
  auto input = empty_check();
  input.metered.deadline_passed = true;
  CHECK(finished(input).quality == check_quality::unverifiable);
  input = sample_check();
  input.metered.days.erase(weekdays_before[0]);
  input.metered.deadline_passed = true;
  auto out = finished(input);
  CHECK(out.quality == check_quality::estimated);
  CHECK(out.detail.find("2026-11-17") != std::string::npos);
  CHECK(out.baseline_wh == (110 + 120 + 105 + 90) * 1000 / 4); // 70, of the sixth weekday, is the lowest and dropped
}

TEST_CASE("a closed reference day with a gap leaves the check final", "[unit][waiting]") {
  auto input = sample_check();
  set_quarter(input.metered.days[weekdays_before[0]], 14, 0, day_profile::missing);
  input.metered.closed = {weekdays_before[0]};
  CHECK(finished(input).quality == check_quality::final_);
}

TEST_CASE("an event hour that is lost for good asks for no reference days", "[unit][waiting]") {
  auto input = empty_check();
  input.metered.closed = {event_day};
  CHECK(days_needed(input).empty());
  CHECK(finished(input).quality == check_quality::unverifiable);
}

TEST_CASE("event days of the user are never asked for", "[unit][waiting]") {
  auto input = empty_check();
  input.event_days = {weekdays_before[3], weekdays_before[0]}; // in any order
  input.others = {{campaign_id{5}, window(weekdays_before[1], 9, 0, 10, 0), {}}};
  CHECK(days_needed(input) == std::vector<korean_day>{event_day, weekdays_before[2], weekdays_before[4],
                                                      weekdays_before[5], weekdays_before[6], weekdays_before[7]});
}

TEST_CASE("feeding the days asked for always ends in an answer, and lazily gives what all days give",
          "[unit][waiting]") {
  for (auto method :
       {baseline_method::max_4_5, baseline_method::mid_6_10, baseline_method::mid_4_6, baseline_method::mid_8_10}) {
    auto all = sample_check();
    all.event.baseline = {method, true};
    for (std::size_t i : {1U, 4U}) { // two days with gaps that stay
      set_quarter(all.metered.days[weekdays_before[i]], 14, 1, day_profile::missing);
      all.metered.closed.insert(weekdays_before[i]);
    }
    for (auto day = on(2026, 10, 1); day < event_day; day += std::chrono::days{1})
      all.metered.days.try_emplace(day, flat_day(10'000));
    auto lazy = all;
    lazy.metered.days.clear();
    lazy.metered.closed.clear();
    int rounds = 0;
    for (auto needed = days_needed(lazy); !needed.empty(); needed = days_needed(lazy)) {
      REQUIRE(++rounds < 30);
      for (auto day : needed) {
        lazy.metered.days[day] = all.metered.days.at(day);
        if (!lazy.metered.days[day].complete()) lazy.metered.closed.insert(day);
      }
    }
    CHECK(finished(lazy) == finished(all));
    CHECK(lazy.metered.days.size() <= 13);
  }
}
