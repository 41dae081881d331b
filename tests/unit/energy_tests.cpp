#include "domain/energy.hpp"
#include "domain/settlement_text.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace dr;
using namespace dr::test;

TEST_CASE("halves are rounded up, on both sides of zero", "[unit][energy]") {
  CHECK(divide_half_up(5, 2) == 3);
  CHECK(divide_half_up(-5, 2) == -2);
  CHECK(divide_half_up(-7, 4) == -2);
  CHECK(divide_half_up(7, 4) == 2);
  CHECK(divide_half_up(0, 3) == 0);
  CHECK(divide_half_up(1, 3) == 0);
  CHECK(divide_half_up(-6, 3) == -2);
  CHECK(divide_down(-1, 3) == -1);
  CHECK(divide_down(5, 3) == 1);
}

TEST_CASE("committed energy is power over time, rounded down", "[unit][energy]") {
  CHECK(committed_wh(400'000, 60min) == 400'000);
  CHECK(committed_wh(400'000, 15min, 120) == 120'000);
  CHECK(committed_wh(1, 15min) == 0);
  CHECK(committed_wh(7, 45min) == 5);
  CHECK(committed_wh(std::numeric_limits<std::int64_t>::max(), 120min) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("points are rounded down once and never wrap", "[unit][energy]") {
  CHECK(points_of(999, 1000) == 0);
  CHECK(points_of(1000, 1000) == 1);
  CHECK(points_of(383'999, 1000) == 383);
  CHECK(points_of(500, 2000) == 1);
  CHECK(points_of(-5000, 1000) == 0);
  CHECK(points_of(5000, 0) == 0);
  CHECK(points_of(9'000'000'000'000'000, 1'000'000) == 9'000'000'000'000'000);
}

TEST_CASE("energies, hours and days are written for people", "[unit][energy]") {
  CHECK(kwh_text(383'250) == "383.25 kWh");
  CHECK(kwh_text(383'000) == "383 kWh");
  CHECK(kwh_text(-5) == "-0.005 kWh");
  CHECK(kwh_text(0) == "0 kWh");
  CHECK(range_text({event_day, 52, 4}) == "2026-11-18 13:00–14:00");
  CHECK(ranges_text({{event_day, 52, 4}, {event_day, 56, 2}, {event_day, 64, 4}}) ==
        "2026-11-18 13:00–14:30, 2026-11-18 16:00–17:00");
  CHECK(range_text({event_day, 92, 4}) == "2026-11-18 23:00–24:00");
}
