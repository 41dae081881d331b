#include "domain/time.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

TEST_CASE("RFC 3339 is read with any offset", "[unit][time]") {
  auto noon = parse_rfc3339("2026-11-22T12:00:00Z");
  REQUIRE(noon);
  CHECK(parse_rfc3339("2026-11-22T21:00:00+09:00") == noon);
  CHECK(parse_rfc3339("2026-11-22T06:30:00-05:30") == noon);
  CHECK(parse_rfc3339("2026-11-22T12:00:00-00:00") == noon);
  CHECK(parse_rfc3339("2026-11-22t12:00:00z") == noon);
  CHECK(parse_rfc3339("2026-11-23T01:00:00+13:00") == noon);
}

TEST_CASE("fractions of a second are read to the millisecond and cut behind it", "[unit][time]") {
  auto base = *parse_rfc3339("2026-11-22T12:00:00Z");
  CHECK(parse_rfc3339("2026-11-22T12:00:00.5Z") == base + 500ms);
  CHECK(parse_rfc3339("2026-11-22T12:00:00.123Z") == base + 123ms);
  CHECK(parse_rfc3339("2026-11-22T12:00:00.9999999Z") == base + 999ms);
  CHECK(parse_rfc3339("2026-11-22T12:00:00.000000001+00:00") == base);
}

TEST_CASE("an instant is written with all its leading zeros, and with milliseconds when it has some", "[unit][time]") {
  for (const auto* text : {"2026-11-22T12:00:00Z", "2026-01-02T03:04:05Z", "2026-11-22T12:00:00.007Z",
                           "1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.120Z"})
    CHECK(format_rfc3339(*parse_rfc3339(text)) == text);
  CHECK(format_rfc3339(*parse_rfc3339("9999-12-31T23:59:59Z") + 1s) == "10000-01-01T00:00:00Z");
}

TEST_CASE("what is not exactly RFC 3339 is refused", "[unit][time]") {
  for (const auto* wrong : {"",
                            "2026-11-22",
                            "2026-11-22T12:00Z",
                            "2026-11-22T12:00:00",
                            "2026-11-22 12:00:00Z",
                            "2026-11-22T12:00:00.Z",
                            "2026-11-22T24:00:00Z",
                            "2026-11-22T12:60:00Z",
                            "2026-11-22T12:00:60Z",
                            "2026-02-29T00:00:00Z",
                            "2026-13-01T00:00:00Z",
                            "2026-00-01T00:00:00Z",
                            "2026-11-31T00:00:00Z",
                            "2026-11-22T12:00:00+9:00",
                            "2026-11-22T12:00:00+0900",
                            "2026-11-22T12:00:00+24:00",
                            "2026-11-22T12:00:00Zx",
                            " 2026-11-22T12:00:00Z",
                            "2026-11-22T12:00:00Z ",
                            "26-11-22T12:00:00Z",
                            "+2026-11-22T12:00:00Z",
                            "2026-1-22T12:00:00Z",
                            "0000-01-01T00:00:00+09:00",
                            "9999-12-31T23:59:59-09:00",
                            "2026-11-22T1a:00:00Z",
                            "2026-11-22T12:00:00."}) {
    INFO(wrong);
    CHECK_FALSE(parse_rfc3339(wrong));
  }
}

TEST_CASE("milliseconds are written only when there are any", "[unit][time]") {
  auto base = *parse_rfc3339("2026-11-22T07:26:00Z");
  CHECK(format_rfc3339(base) == "2026-11-22T07:26:00Z");
  CHECK(format_rfc3339(base + 7ms) == "2026-11-22T07:26:00.007Z");
  CHECK(format_rfc3339(base - 1ms) == "2026-11-22T07:25:59.999Z");
  CHECK(format_rfc3339(time_point{}) == "1970-01-01T00:00:00Z");
  CHECK(format_rfc3339(time_point{-1ms}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("what is written is read back", "[unit][time]") {
  for (std::int64_t ms : {0LL, 1LL, -1LL, 1795332360123LL, 951782400000LL, 253402300799999LL, -62167219200000LL}) {
    time_point instant{std::chrono::milliseconds{ms}};
    INFO(format_rfc3339(instant));
    CHECK(parse_rfc3339(format_rfc3339(instant)) == instant);
  }
}

TEST_CASE("a Korean day begins at 15:00 UTC of the day before", "[unit][time]") {
  auto border = *parse_rfc3339("2026-11-21T15:00:00Z");
  CHECK(format_day(korean_day_of(border)) == "2026-11-22");
  CHECK(format_day(korean_day_of(border - 1ms)) == "2026-11-21");
  CHECK(start_of(on(2026, 11, 22)) == border);
  CHECK(quarter_of(border) == 0);
  CHECK(quarter_of(border - 1ms) == 95);
  CHECK(quarter_of(border + 15min - 1ms) == 0);
  CHECK(quarter_of(border + 15min) == 1);
}

TEST_CASE("Korean days hold before the epoch and over leap days", "[unit][time]") {
  CHECK(format_day(korean_day_of(*parse_rfc3339("1969-12-31T14:59:59Z"))) == "1969-12-31");
  CHECK(format_day(korean_day_of(*parse_rfc3339("1969-12-31T15:00:00Z"))) == "1970-01-01");
  CHECK(format_day(korean_day_of(*parse_rfc3339("2028-02-28T15:00:00Z"))) == "2028-02-29");
}

TEST_CASE("instants are moved to quarter hours in both directions", "[unit][time]") {
  auto quarter = at(event_day, 10, 15);
  CHECK(floor_to_quarter(quarter) == quarter);
  CHECK(ceil_to_quarter(quarter) == quarter);
  CHECK(floor_to_quarter(quarter + 1ms) == quarter);
  CHECK(ceil_to_quarter(quarter + 1ms) == quarter + 15min);
  CHECK(floor_to_quarter(quarter - 1ms) == quarter - 15min);
  CHECK(ceil_to_quarter(quarter - 1ms) == quarter);
  CHECK(floor_to_quarter(time_point{-1ms}) == time_point{-15min});
}

TEST_CASE("days are read only as they are written", "[unit][time]") {
  CHECK(parse_day("2026-11-22") == on(2026, 11, 22));
  CHECK(parse_day("2028-02-29") == on(2028, 2, 29));
  CHECK(format_day(on(33, 1, 2)) == "0033-01-02");
  for (const auto* wrong :
       {"", "2026-11-22 ", "2026-2-2", "2026-02-30", "20261122", "2026/11/22", "2026-11-22T00:00:00Z"}) {
    INFO(wrong);
    CHECK_FALSE(parse_day(wrong));
  }
}
