// Checks that are made again, on the operator's order: from fresh data, and without losing what is right.
#include "metering_support.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::actors;
using namespace dr::test;

namespace {

const korean_day today = day_of("2026-07-01");

/// Verifies the campaign's only check again, from whatever KEPCO says now.
void recheck(metering_world& w, campaign_id campaign) {
  const auto before = w.only_check(campaign);
  REQUIRE(w.ask<storage::written>(w.parts.stable.verification, order_recheck{before.id, nullptr}).has_value());
  REQUIRE(w.until([&] { return w.only_check(campaign).revision == before.revision + 1; }, 5min));
}

} // namespace

TEST_CASE("a recheck asks KEPCO anew and corrects the points", "[actors][metering]") {
  metering_world w;
  one_user told(w);
  w.start();
  REQUIRE(w.settles(told.campaign));
  auto before = w.kepco->asked_for("0000000001", today);
  w.kepco->reductions[0].kw = 300;
  recheck(w, told.campaign);
  CHECK(w.kepco->asked_for("0000000001", today) == before + 1);
  CHECK(w.points(told.id) == 1300);
  auto missing = w.ask<storage::written>(w.parts.stable.verification, order_recheck{check_id{99}, nullptr});
  REQUIRE(missing.has_error());
  CHECK(missing.error().code == errc::not_found);
}

TEST_CASE("a recheck waits while KEPCO is away instead of judging from what is kept", "[actors][metering]") {
  metering_world w;
  one_user told(w);
  w.start();
  REQUIRE(w.settles(told.campaign));
  w.kepco->reductions[0].kw = 300;
  bool down = true;
  w.kepco->fault = [&](const std::string&, korean_day) -> std::optional<meter_error> {
    if (down) return meter_error{meter_errc::unavailable, ""};
    return std::nullopt;
  };
  REQUIRE(w.ask<storage::written>(w.parts.stable.verification, order_recheck{w.only_check(told.campaign).id, nullptr})
              .has_value());
  w.pass(60s);
  CHECK(w.only_check(told.campaign).revision == 1);
  down = false;
  REQUIRE(w.until([&] { return w.only_check(told.campaign).revision == 2; }, 5min));
  CHECK(w.points(told.id) == 1300);
}

TEST_CASE("rechecks of the same data change nothing, however often and in whatever order", "[actors][metering]") {
  // With an adjustment for what was used less before the event, the first campaign has a lower baseline than the
  // second.
  metering_world w("2026-07-01T16:00");
  auto id = w.enrol("samsung", 400, "0000000001");
  const auto choose_saa = [&](bool saa) {
    storage::change_user change;
    change.id = id;
    change.saa = saa;
    change.at = w.clock->now();
    w.commit(change);
  };
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T00:00"), korea("2026-07-01T14:00"), 10},
                         {"0000000001", korea("2026-07-01T14:00"), korea("2026-07-01T15:00"), 383}};
  choose_saa(true);
  const auto first = w.campaign_over("2026-07-01T14:00", "2026-07-01T15:00");
  choose_saa(false);
  const auto second = w.campaign_over("2026-07-01T14:00", "2026-07-01T15:00", "voluntary");
  w.start();
  REQUIRE(w.settles(first));
  REQUIRE(w.settles(second));
  const auto credited = std::pair(w.only_check(first).credited_wh, w.only_check(second).credited_wh);
  REQUIRE(credited.first > 0);
  REQUIRE(credited.second > 0); // what its higher baseline gave it beside the first one
  const auto points = w.points(id);
  for (auto campaign : {first, first, second, first, second, second}) {
    recheck(w, campaign);
    CHECK(std::pair(w.only_check(first).credited_wh, w.only_check(second).credited_wh) == credited);
  }
  CHECK(w.points(id) == points);
}
