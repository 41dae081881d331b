// Checks that meet their verification deadline: with gaps, without data, while KEPCO is away.
#include "metering_support.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::actors;
using namespace dr::test;

namespace {

const korean_day today = day_of("2026-07-01");

} // namespace

TEST_CASE("a gap that is never filled makes the check estimated at the deadline", "[actors][metering]") {
  metering_world w;
  auto id = w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T12:00"), korea("2026-07-01T14:00"), 383}};
  auto campaign = w.campaign_over("2026-07-01T12:00", "2026-07-01T14:00");
  lose_quarter(w, today, 53);
  w.clock->rate = 3600;
  w.start();
  w.pass(160s);
  CHECK(w.checks(campaign).empty());
  REQUIRE(w.settles(campaign, 30s));
  auto check = w.only_check(campaign);
  CHECK(check.quality == check_quality::estimated);
  CHECK(check.is_real);
  CHECK(w.points(id) == 1383); // one of the two hours
}

TEST_CASE("without any event data the check is unverifiable at the deadline and the answer stays",
          "[actors][metering]") {
  metering_world w;
  one_user told(w);
  w.kepco->fault = [](const std::string&, korean_day) { return meter_error{meter_errc::no_data, "openapi-9001"}; };
  w.clock->rate = 3600;
  w.start();
  w.pass(160s);
  CHECK(w.checks(told.campaign).empty());
  REQUIRE(w.settles(told.campaign, 30s));
  CHECK(w.only_check(told.campaign).quality == check_quality::unverifiable);
  CHECK(w.find(told.campaign).counts.unverifiable == 1);
  CHECK(w.points(told.id) == 1000);
}

TEST_CASE("a check that meets its deadline while KEPCO is away is settled when it is back", "[actors][metering]") {
  metering_world w("2026-07-20T16:00"); // the server was away for longer than the deadline
  one_user told(w);
  bool down = true;
  w.kepco->fault = [&](const std::string&, korean_day) -> std::optional<meter_error> {
    if (down) return meter_error{meter_errc::unavailable, "openapi-4001"};
    return std::nullopt;
  };
  w.start();
  SECTION("KEPCO comes back") {
    w.pass(60s);
    CHECK(w.checks(told.campaign).empty());
    down = false;
    REQUIRE(w.settles(told.campaign, 10min));
    CHECK(w.only_check(told.campaign).quality == check_quality::final_);
    CHECK(w.points(told.id) == 1383);
  }
  SECTION("KEPCO is silent about one reference day, and does not have the others") {
    const auto silent = GENERATE(day_of("2026-06-30"), day_of("2026-06-25"));
    w.kepco->fault = [silent](const std::string&, korean_day day) -> std::optional<meter_error> {
      if (day == today) return std::nullopt;
      return day == silent ? meter_error{meter_errc::timed_out, ""} : meter_error{meter_errc::no_data, ""};
    };
    w.pass(60s);
    CHECK(w.checks(told.campaign).empty());
  }
  SECTION("KEPCO stays away, and after some tries the check is given up") {
    REQUIRE(w.until([&] { return !w.checks(told.campaign).empty(); }, 3h, 1s));
    CHECK(w.only_check(told.campaign).quality == check_quality::unverifiable);
  }
}

TEST_CASE("checks that outlast their deadlines together keep the order of their campaigns", "[actors][metering]") {
  metering_world w("2026-07-08T13:59"); // a minute before the deadlines
  w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T13:00"), korea("2026-07-01T14:00"), 383}};
  auto second = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00", "voluntary");
  auto first = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  w.kepco->fault = [](const std::string&, korean_day) { return meter_error{meter_errc::unavailable, "openapi-4001"}; };
  w.start();
  w.pass(10min, 500ms);
  CHECK(w.overview().checks_pending == 2);
  // The first one's next try is far away, the second's is now.
  w.commit(storage::postpone_checks{{{response_id{2}, w.clock->now() + 1h, 9, false, ""}}, w.clock->now()});
  w.commit(storage::postpone_checks{{{response_id{1}, w.clock->now(), 9, false, ""}}, w.clock->now()});
  w.kepco->fault = nullptr;
  w.wake();
  REQUIRE(w.settles(first, 2h));
  REQUIRE(w.settles(second, 2h));
  CHECK(w.only_check(first).credited_wh == 383'000);
  CHECK(w.only_check(second).credited_wh == 0);
}

TEST_CASE("KEPCO that is away all the time until the deadline is given another day", "[actors][metering]") {
  metering_world w;
  one_user told(w);
  w.parts.metering.retry_max = 1s;
  w.kepco->fault = [](const std::string&, korean_day) { return meter_error{meter_errc::unavailable, "openapi-4001"}; };
  w.clock->rate = 3600;
  w.start();
  w.pass(185s);
  CHECK(w.checks(told.campaign).empty());
  REQUIRE(w.settles(told.campaign, 30s));
  CHECK(w.only_check(told.campaign).quality == check_quality::unverifiable);
}

TEST_CASE("two checks that wait until the same deadline are settled in the order of their campaigns",
          "[actors][metering]") {
  metering_world w;
  w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T12:00"), korea("2026-07-01T14:00"), 383}};
  auto second = w.campaign_over("2026-07-01T12:00", "2026-07-01T14:00", "voluntary");
  auto first = w.campaign_over("2026-07-01T12:00", "2026-07-01T14:00");
  lose_quarter(w, today, 49); // the hour from 12:00 is not settled by anybody
  w.clock->rate = 3600;
  w.start();
  REQUIRE(w.settles(first, 200s));
  REQUIRE(w.settles(second, 30s));
  CHECK(w.only_check(first).credited_wh == 383'000);
  CHECK(w.only_check(second).credited_wh == 0);
}
