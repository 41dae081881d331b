#include "simulator/generator.hpp"
#include "tests/kepco/support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>
#include <set>

using namespace dr;
using namespace dr::sim;

namespace {

std::string number(int n) {
  auto text = std::to_string(n);
  return std::string(10 - text.size(), '0') + text;
}

std::vector<std::int64_t> day_of(const generator_options& options, const std::string& cust_no, korean_day day,
                                 std::int64_t base_w) {
  std::vector<std::int64_t> out;
  for (int quarter = 0; quarter < quarters_per_day; ++quarter)
    out.push_back(usage_wh(options, cust_no, base_w, day, quarter));
  return out;
}

std::int64_t hour_of(const std::vector<std::int64_t>& day, std::size_t hour) {
  return std::accumulate(day.begin() + static_cast<std::ptrdiff_t>(hour * 4),
                         day.begin() + static_cast<std::ptrdiff_t>(hour * 4 + 4), std::int64_t{0});
}

} // namespace

TEST_CASE("a made-up site is the same on every call and differs by number and seed", "[simulator]") {
  generator_options options;
  auto when = test::day("2026-07-01");
  CHECK(day_of(options, number(1), when, 1'000'000) == day_of(options, number(1), when, 1'000'000));
  CHECK(day_of(options, number(1), when, 1'000'000) != day_of(options, number(2), when, 1'000'000));
  CHECK(day_of(options, number(1), when, 1'000'000) != day_of({2, false}, number(1), when, 1'000'000));
  std::set<std::int64_t> sizes;
  for (int n = 1; n <= 1000; ++n) {
    auto size = size_of(options, number(n));
    CHECK(size >= 1'000'000);
    CHECK(size <= 1'500'000);
    sizes.insert(size);
  }
  CHECK(sizes.size() > 300);
}

TEST_CASE("no hour is under half of the day's mean, on any day of the week and with the weekend shape", "[simulator]") {
  for (bool weekend_shape : {false, true}) {
    generator_options options{7, weekend_shape};
    for (int n = 1; n <= 100; ++n) {
      auto when = test::day("2026-07-01") + std::chrono::days{n};
      auto day = day_of(options, number(n), when, 1'000'000);
      auto mean = std::accumulate(day.begin(), day.end(), std::int64_t{0}) / 24;
      for (std::size_t hour = 0; hour < 24; ++hour) CHECK(hour_of(day, hour) * 2 > mean);
    }
  }
}

TEST_CASE("without the weekend shape every day is within two percent of the others", "[simulator]") {
  generator_options options;
  for (int n = 1; n <= 20; ++n) {
    for (int quarter = 0; quarter < quarters_per_day; ++quarter) {
      std::int64_t least = INT64_MAX;
      std::int64_t most = 0;
      for (int day = 0; day < 60; ++day) {
        auto when = test::day("2026-06-01") + std::chrono::days{day};
        std::int64_t wh = usage_wh(options, number(n), 1'200'000, when, quarter);
        least = std::min(least, wh);
        most = std::max(most, wh);
      }
      // At most ±2 % around the middle.
      CHECK((most - least) * 50 <= (most + least));
      CHECK(most > least);
    }
  }
}

TEST_CASE("a site's mean is its size", "[simulator]") {
  generator_options options;
  for (int n = 1; n <= 50; ++n) {
    auto day = day_of(options, number(n), test::day("2026-07-01"), 2'000'000);
    auto mean = std::accumulate(day.begin(), day.end(), std::int64_t{0}) / 24;
    CHECK(mean > 1'960'000);
    CHECK(mean < 2'040'000);
  }
}

TEST_CASE("the weekend shape lowers Saturdays and Sundays only", "[simulator]") {
  generator_options plain;
  generator_options shaped{1, true};
  auto friday = test::day("2026-07-03");
  for (int i = 0; i < 4; ++i) { // Friday to Monday
    auto when = friday + std::chrono::days{i};
    auto a = day_of(plain, number(1), when, 1'000'000);
    auto b = day_of(shaped, number(1), when, 1'000'000);
    if (i == 1 || i == 2)
      CHECK(hour_of(b, 14) * 10 < hour_of(a, 14) * 8);
    else
      CHECK(a == b);
  }
}

TEST_CASE("the largest site fits and the smallest uses nothing", "[simulator]") {
  generator_options options;
  for (int quarter = 0; quarter < quarters_per_day; ++quarter) {
    CHECK(usage_wh(options, number(1), 1'000'000'000, test::day("2026-07-01"), quarter) > 100'000'000);
    CHECK(usage_wh(options, number(1), 0, test::day("1969-07-01"), quarter) == 0);
  }
}
