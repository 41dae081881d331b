// What must hold whatever the figures are. The generator is seeded: a failure repeats.
#include "domain/settlement.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <random>

using namespace dr;
using namespace dr::test;

namespace {

class generator {
public:
  explicit generator(unsigned seed) : random_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  baseline_choice choice() { return {static_cast<baseline_method>(between(1, 4)), chance(50)}; }
  day_profile profile(std::int64_t low, std::int64_t high, int missing_percent) {
    day_profile out;
    for (auto& wh : out.wh)
      wh = chance(missing_percent) ? day_profile::missing : static_cast<std::int32_t>(between(low, high));
    return out;
  }
  evaluation_window some_window() {
    auto first = between(0, 100);
    auto from = start_of(event_day) + first * quarter_hour;
    return {from, from + between(1, 24) * quarter_hour};
  }
  /// Anything goes: gaps, caps, other events.
  check_input check(int missing_percent = 2) {
    check_input input;
    input.event = {campaign_id{between(1, 9)}, some_window(), choice()};
    input.terms = standard_terms();
    if (chance(30)) input.terms.cap_percent.reset();
    if (input.terms.cap_percent) input.terms.cap_percent = static_cast<int>(between(50, 150));
    input.terms.performs_at_percent = static_cast<int>(between(0, 100));
    input.terms.points_per_mwh = between(0, 5000);
    input.capacity_w = between(1, 400'000);
    for (auto day = on(2026, 10, 10); day <= event_day + std::chrono::days{2}; day += std::chrono::days{1})
      input.metered.days[day] =
          day >= event_day ? profile(0, 20'000, missing_percent) : profile(10'000, 30'000, missing_percent);
    input.metered.deadline_passed = true;
    if (chance(40)) input.others.push_back({campaign_id{between(10, 19)}, some_window(), choice()});
    return input;
  }
  std::mt19937& engine() { return random_; }

private:
  std::mt19937 random_;
};

constexpr int rounds = 400;

std::int64_t evaluated_quarters(const check_input& input) {
  std::int64_t quarters = 0;
  for (const auto& part : parts_of(input.event.window)) quarters += part.count;
  return quarters;
}

} // namespace

TEST_CASE("permuting reference days that are equal in every value changes nothing", "[unit][property]") {
  generator random(1);
  for (int round = 0; round < rounds; ++round) {
    auto input = random.check();
    // Give two days the same profile, note the figures, then swap the two.
    std::vector<korean_day> days(weekdays_before);
    std::shuffle(days.begin(), days.end(), random.engine());
    input.metered.days[days[0]] = input.metered.days[days[1]];
    auto before = finished(input);
    std::swap(input.metered.days[days[0]], input.metered.days[days[1]]);
    CHECK(finished(input) == before);
  }
}

TEST_CASE("without SAA the order of the days within the look-back does not matter", "[unit][property]") {
  generator random(2);
  for (int round = 0; round < rounds; ++round) {
    auto input = random.check(0);
    input.event.window = window(event_day, 14, 0, 16, 30);
    input.event.baseline.saa = false;
    input.others.clear();
    auto count = input.event.rules.of(input.event.baseline.method).wanted;
    auto before = finished(input);
    std::vector<day_profile> profiles;
    for (int i = 0; i < count; ++i)
      profiles.push_back(input.metered.days[weekdays_before[static_cast<std::size_t>(i)]]);
    std::shuffle(profiles.begin(), profiles.end(), random.engine());
    for (int i = 0; i < count; ++i)
      input.metered.days[weekdays_before[static_cast<std::size_t>(i)]] = profiles[static_cast<std::size_t>(i)];
    auto after = finished(input);
    CHECK(after.baseline_wh == before.baseline_wh);
    CHECK(after.points == before.points);
    CHECK(after.is_real == before.is_real);
  }
}

TEST_CASE("a constant load reduces by nothing", "[unit][property]") {
  generator random(3);
  for (int round = 0; round < rounds; ++round) {
    auto input = random.check();
    auto level = static_cast<std::int32_t>(random.between(0, 2'000'000'000));
    for (auto& [day, profile] : input.metered.days)
      for (auto& wh : profile.wh)
        if (wh != day_profile::missing) wh = level;
    input.terms.performs_at_percent = static_cast<int>(random.between(1, 100));
    auto out = finished(input);
    CHECK(out.reduction_wh == 0);
    CHECK_FALSE(out.is_real);
    CHECK(out.points == 0);
  }
}

TEST_CASE("adding the same load to every quarter of every day changes no reduction", "[unit][property]") {
  generator random(4);
  for (int round = 0; round < rounds; ++round) {
    auto input = random.check();
    auto before = finished(input);
    for (auto& [day, profile] : input.metered.days)
      for (auto& wh : profile.wh)
        if (wh != day_profile::missing) wh += 7'777;
    auto after = finished(input);
    CHECK(after.reduction_wh == before.reduction_wh);
    CHECK(after.spread == before.spread);
    CHECK(after.points == before.points);
  }
}

TEST_CASE("credits and points stay within reduction, cap and rate, and the spread sums exactly", "[unit][property]") {
  generator random(5);
  int credited = 0;
  for (int round = 0; round < rounds; ++round) {
    auto input = random.check();
    auto out = finished(input);
    auto time = evaluated_quarters(input) * quarter_hour;
    CHECK(out.credited_wh >= 0);
    CHECK(out.credited_wh <= std::max<std::int64_t>(out.reduction_wh, 0));
    if (input.terms.cap_percent) {
      auto cap = committed_wh(input.capacity_w, time, *input.terms.cap_percent);
      CHECK(out.credited_wh <= cap);
      CHECK(out.points <= points_of(cap, input.terms.points_per_mwh));
    }
    CHECK(out.points == points_of(out.credited_wh, input.terms.points_per_mwh));
    CHECK(total_wh(out.spread) == out.credited_wh);
    CHECK(out.reduction_wh == out.baseline_wh - out.metered_wh);
    if (!out.is_real) CHECK(out.credited_wh == 0);
    for (const auto& quarter : out.spread) {
      CHECK(quarter.wh > 0);
      CHECK(quarter.from >= input.event.window.from);
      CHECK(quarter.from < input.event.window.to);
    }
    credited += out.credited_wh > 0;
  }
  CHECK(credited > rounds / 10); // the generator must reach the interesting part
}

TEST_CASE("overlapping campaigns never credit more together than was reduced in a quarter hour", "[unit][property]") {
  generator random(6);
  int overlaps = 0;
  for (int round = 0; round < rounds; ++round) {
    auto input = random.check(0);
    input.others.clear();
    input.event.baseline = {baseline_method::max_4_5, false};
    input.terms.performs_at_percent = 0;
    // Whole hours: every campaign sees the same baselines, so one bound holds for all of them.
    std::vector<credited_quarter> taken;
    std::map<time_point, std::int64_t> credited;
    for (int campaign = 0; campaign < 4; ++campaign) {
      auto first = random.between(6, 18);
      input.event.window = {at(event_day, static_cast<int>(first)),
                            at(event_day, static_cast<int>(first + random.between(1, 5)))};
      input.credited.first = taken;
      auto out = finished(input);
      for (const auto& quarter : out.spread) {
        overlaps += credited.contains(quarter.from);
        credited[quarter.from] += quarter.wh;
      }
      taken.insert(taken.end(), out.spread.begin(), out.spread.end());
    }
    metered_days& metered = input.metered;
    std::vector<korean_day> event_days{event_day};
    reference_source source{metered, input.holidays, event_days};
    for (const auto& [from, wh] : credited) {
      auto quarter = quarter_of(from);
      quarter_range hour{event_day, quarter / 4 * 4, 4};
      auto similar = find_reference_days(hour, input.event.rules.of(baseline_method::max_4_5), source).similar;
      auto reduced =
          mean_wh(similar, quarter, 1, metered).value() - static_cast<double>(metered.sum_wh({event_day, quarter, 1}));
      CHECK(static_cast<double>(wh) <= reduced + 1.0); // whole Wh: the rounding of a running sum stays under one
    }
  }
  CHECK(overlaps > 0);
}

TEST_CASE("more taken by others never raises a credit, and the verdict does not depend on it", "[unit][property]") {
  generator random(7);
  for (int round = 0; round < rounds; ++round) {
    auto input = random.check();
    auto before = finished(input);
    auto part = random.some_window();
    for (auto at_quarter = part.from; at_quarter < part.to; at_quarter += quarter_hour)
      input.credited.first.push_back({at_quarter, random.between(0, 20'000)});
    auto after = finished(input);
    CHECK(after.credited_wh <= before.credited_wh);
    CHECK(after.is_real == before.is_real);
    CHECK(after.reduction_wh == before.reduction_wh);
    CHECK(total_wh(after.spread) == after.credited_wh);
  }
}

TEST_CASE("spreads sum exactly and stay within their weights", "[unit][property]") {
  generator random(8);
  for (int round = 0; round < rounds; ++round) {
    std::vector<credited_quarter> weights;
    for (int i = 0; i < random.between(1, 96); ++i)
      weights.push_back({start_of(event_day) + i * quarter_hour, random.between(-500, 500)});
    auto credit = random.between(0, positive_sum_wh(weights));
    auto spread = spread_credit(credit, weights);
    CHECK(total_wh(spread) == credit);
    for (const auto& quarter : spread) {
      auto found = std::find_if(weights.begin(), weights.end(), [&](const auto& w) { return w.from == quarter.from; });
      CHECK(quarter.wh <= found->wh);
    }
  }
}

TEST_CASE("without gaps a single short window agrees with arithmetic done in floating point", "[unit][property]") {
  generator random(9);
  for (int round = 0; round < rounds; ++round) {
    auto input = random.check(0);
    auto method = input.event.baseline.method;
    input.event.baseline.saa = false;
    input.event.window = window(event_day, 10, 0, 11, 0);
    input.others.clear();
    auto& rules = input.event.rules.of(method);
    if (random.chance(50)) {
      auto most = static_cast<std::int64_t>(weekdays_before.size());
      rules.wanted = static_cast<int>(random.between(1, most));
      rules.look_back = static_cast<int>(random.between(rules.wanted, most));
      rules.drop_highest = static_cast<int>(random.between(0, rules.wanted - 1));
      rules.drop_lowest = static_cast<int>(random.between(0, rules.wanted - rules.drop_highest - 1));
    }
    std::vector<double> loads;
    for (int i = 0; i < rules.wanted; ++i)
      loads.push_back(static_cast<double>(input.metered.sum_wh({weekdays_before[static_cast<std::size_t>(i)], 40, 4})));
    std::sort(loads.begin(), loads.end());
    double sum = 0;
    for (auto i = rules.drop_lowest; i < rules.wanted - rules.drop_highest; ++i)
      sum += loads[static_cast<std::size_t>(i)];
    CHECK(finished(input).baseline_wh == static_cast<std::int64_t>(std::floor(sum / rules.keeps() + 0.5)));
  }
}

TEST_CASE("a verdict depends on no value outside of the quarters that it looks at", "[unit][settlement]") {
  generator any(31);
  int narrow = 0;
  for (int i = 0; i < rounds; ++i) {
    auto input = any.check();
    input.metered.deadline_passed = any.chance(70);
    const auto part = quarters_looked_at(input);
    REQUIRE(part.first >= 0);
    REQUIRE(part.first + part.count <= quarters_per_day);
    narrow += part.count < quarters_per_day / 2;
    auto blind = input;
    for (auto& [day, profile] : blind.metered.days)
      for (int q = 0; q < quarters_per_day; ++q)
        if (q < part.first || q >= part.first + part.count)
          profile.wh[static_cast<std::size_t>(q)] = any.chance(50) ? day_profile::missing : 1;
    const auto seen = evaluate(input);
    const auto told = evaluate(blind);
    REQUIRE(seen.index() == told.index());
    if (const auto* figures = std::get_if<evaluation>(&seen)) CHECK(*figures == std::get<evaluation>(told));
    CHECK(days_needed(input) == days_needed(blind));
  }
  CHECK(narrow > rounds / 4);
}
