#include "actors/metering/day_keeping.hpp"
#include "metering_support.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::actors;
using namespace dr::test;

namespace {

const korean_day today = day_of("2026-07-01");
constexpr std::chrono::hours week{168};

fetched_day full_day(korean_day day) {
  fetched_day out{"0000000001", day, {}, {}};
  out.profile.wh.fill(100);
  return out;
}

fetched_day failure(korean_day day, meter_errc code) { return {"0000000001", day, {}, meter_error{code, ""}}; }

} // namespace

TEST_CASE("a quarter hour that has not passed is never kept", "[actors][metering]") {
  auto kept = what_to_keep(full_day(today), nullptr, true, korea("2026-07-01T10:14"), week);
  REQUIRE(kept);
  CHECK(kept->profile.wh[39] == 100);
  CHECK(kept->profile.wh[40] == day_profile::missing); // 10:00 to 10:15 still runs
  CHECK(kept->profile.wh[95] == day_profile::missing);
  CHECK_FALSE(kept->closed);
  auto quarter_later = what_to_keep(full_day(today), nullptr, true, korea("2026-07-01T10:15"), week);
  CHECK(quarter_later->profile.wh[40] == 100);
}

TEST_CASE("a day is closed when complete and over, refused for good, or too old for news", "[actors][metering]") {
  auto midnight = korea("2026-07-02T00:00");
  CHECK(what_to_keep(full_day(today), nullptr, true, midnight, week)->closed);
  CHECK(what_to_keep(failure(today, meter_errc::no_consent), nullptr, true, midnight, week)->closed);
  CHECK_FALSE(what_to_keep(failure(today, meter_errc::no_data), nullptr, true, midnight + week - 1s, week));
  auto gap = full_day(today);
  gap.profile.wh[7] = day_profile::missing;
  CHECK_FALSE(what_to_keep(gap, nullptr, true, midnight, week)->closed);
  CHECK(what_to_keep(gap, nullptr, true, midnight + week, week)->closed);
}

TEST_CASE("an old day without any value is closed when it is found so again a day later", "[actors][metering]") {
  const auto old = korea("2026-07-02T00:00") + week;
  auto none = failure(today, meter_errc::no_data);
  auto first = what_to_keep(none, nullptr, true, old, week);
  REQUIRE(first);
  CHECK_FALSE(first->closed);
  const storage::stored_day known{first->profile, first->closed, first->at};
  CHECK_FALSE(
      what_to_keep(none, &known, true, old + empty_again_after - 1s, week)); // which keeps the time of the first
  CHECK(what_to_keep(none, &known, true, old + empty_again_after, week)->closed);
  auto unserved = what_to_keep(none, &known, false, old + empty_again_after, week);
  REQUIRE(unserved); // KEPCO may not know the customer yet: noted once more
  CHECK_FALSE(unserved->closed);
  CHECK(unserved->at == old + empty_again_after);
  auto there = what_to_keep(full_day(today), &known, true, old + 1min, week);
  REQUIRE(there);
  CHECK(there->closed);
  CHECK(there->profile == full_day(today).profile);
}

TEST_CASE("KEPCO's own failures say nothing about a day, and old news are not written again", "[actors][metering]") {
  auto later = korea("2026-07-03T00:00");
  for (auto code : {meter_errc::unavailable, meter_errc::timed_out, meter_errc::garbage, meter_errc::refused,
                    meter_errc::not_configured})
    CHECK_FALSE(what_to_keep(failure(today, code), nullptr, true, later + week, week));
  storage::stored_day known{full_day(today).profile, true, later};
  CHECK_FALSE(what_to_keep(full_day(today), &known, true, later, week));
  auto changed = full_day(today);
  changed.profile.wh[0] = 7;
  CHECK(what_to_keep(changed, &known, true, later, week)->profile.wh[0] == 7);
}
