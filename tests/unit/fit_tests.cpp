#include "domain/fit.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

TEST_CASE("the relative root mean squared error of hand-made pairs", "[unit][fit]") {
  // Errors 10 and −30 on loads 100 and 100: sqrt((100 + 900) / 2) / 100.
  std::vector<fit_pair> pairs{{110, 100}, {70, 100}};
  CHECK(*rrmse(pairs) == Approx(0.223606797));
  CHECK(*rrmse(std::vector<fit_pair>{{100, 100}}) == 0);
  CHECK_FALSE(rrmse(std::vector<fit_pair>{}));
  CHECK_FALSE(rrmse(std::vector<fit_pair>{{5, 0}}));
}

TEST_CASE("a method is fit up to thirty percent", "[unit][fit]") {
  CHECK(is_fit(0.30));
  CHECK_FALSE(is_fit(0.3001));
}

TEST_CASE("the error over days leaves out weekends, event days and gaps", "[unit][fit]") {
  metered_days metered;
  holiday_list holidays;
  std::vector<korean_day> event_days{on(2026, 11, 12)};
  for (auto day = on(2026, 10, 1); day < on(2026, 11, 15); day += std::chrono::days{1})
    metered.days[day] = flat_day(is_weekend(day) || day == event_days[0] ? 90'000 : 1'000);
  metered.days[on(2026, 11, 11)] = day_profile{};
  set_hour(metered.days[on(2026, 11, 13)], 14, 8'000);
  metered.deadline_passed = true;
  reference_source source{metered, holidays, event_days};
  const baseline_rules rules;
  const auto& max_4_5 = rules.of(baseline_method::max_4_5);
  auto steady = rrmse(rules.of(baseline_method::mid_6_10), on(2026, 11, 2), on(2026, 11, 13), 9, 20, source);
  CHECK(*steady == 0);
  // One pair: baseline 4,000, load 8,000.
  CHECK(*rrmse(max_4_5, on(2026, 11, 13), on(2026, 11, 14), 14, 15, source) == 0.5);
  CHECK_FALSE(rrmse(max_4_5, on(2026, 11, 14), on(2026, 11, 16), 9, 20, source));
}
