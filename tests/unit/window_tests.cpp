#include "domain/metered_days.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

namespace {

campaign from_to(time_point from, std::optional<time_point> to) {
  campaign c;
  c.id = campaign_id{1};
  c.status = campaign_status::running;
  c.starts_at = from;
  c.ends_at = to;
  c.terms = standard_terms();
  return c;
}

} // namespace

TEST_CASE("a window on quarter hours is evaluated as it is", "[unit][window]") {
  CHECK(evaluated_window(from_to(at(event_day, 14), at(event_day, 16))) == window(event_day, 14, 0, 16, 0));
}

TEST_CASE("a window off the quarter hours is widened to those it touches", "[unit][window]") {
  CHECK(evaluated_window(from_to(at(event_day, 14, 7), at(event_day, 15, 1))) == window(event_day, 14, 0, 15, 15));
  CHECK(evaluated_window(from_to(at(event_day, 14, 7) + 31s, at(event_day, 14, 8))) ==
        window(event_day, 14, 0, 14, 15));
  CHECK(evaluated_window(from_to(at(event_day, 14, 14), at(event_day, 14, 15) + 1ms)) ==
        window(event_day, 14, 0, 14, 30));
}

TEST_CASE("an end by hand before the planned one cuts the window", "[unit][window]") {
  auto c = from_to(at(event_day, 14), at(event_day, 16));
  auto done = ended(c, at(event_day, 14, 50));
  REQUIRE(done);
  CHECK(evaluated_window(*done) == window(event_day, 14, 0, 15, 0));
  auto late = ended(c, at(event_day, 18));
  CHECK(evaluated_window(*late) == window(event_day, 14, 0, 16, 0));
}

TEST_CASE("a window has at least one quarter hour", "[unit][window]") {
  auto c = from_to(at(event_day, 14), std::nullopt);
  CHECK(evaluated_window(*ended(c, at(event_day, 14))) == window(event_day, 14, 0, 14, 15));
  CHECK(evaluated_window(*ended(c, at(event_day, 14) + 1s)) == window(event_day, 14, 0, 14, 15));
  CHECK(evaluated_window(*ended(c, at(event_day, 13))) == window(event_day, 14, 0, 14, 15));
}

TEST_CASE("an open campaign without a planned end counts as one hour", "[unit][window]") {
  CHECK(evaluated_window(from_to(at(event_day, 14, 7), std::nullopt)).length() == 60min);
}

TEST_CASE("expected points are the committed energy at the programme's rate", "[unit][window]") {
  auto c = from_to(at(event_day, 14, 7), std::nullopt);
  CHECK(expected_points(c, 400'000) == 400);
  c.ends_at = at(event_day, 16);
  CHECK(expected_points(c, 400'000) == 800);
  c.terms.points_per_mwh = 2500;
  CHECK(expected_points(c, 400'000) == 2000);
  c.terms.cap_percent = 50;
  CHECK(expected_points(c, 400'000) == 1000);
  c.terms.cap_percent.reset();
  CHECK(expected_points(c, 999) == 4);
  c.test = true;
  CHECK(expected_points(c, 400'000) == 0);
}

TEST_CASE("a window is cut at trading hours and at Korean midnight", "[unit][window]") {
  evaluation_window night{at(event_day, 22, 30), at(event_day, 24, 15)};
  auto next = event_day + std::chrono::days{1};
  CHECK(parts_of(night) == std::vector<quarter_range>{{event_day, 90, 2}, {event_day, 92, 4}, {next, 0, 1}});
  CHECK(days_of(night) == std::vector<korean_day>{event_day, next});
  CHECK(days_of({at(event_day, 22), at(event_day, 24)}) == std::vector<korean_day>{event_day});
}
