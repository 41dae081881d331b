#include "metering_support.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace dr;
using namespace dr::actors;
using namespace dr::test;

namespace {

const korean_day today = day_of("2026-07-01");

/// samsung keeps its promise, lg too, sk does not.
struct walk {
  explicit walk(metering_world& w) {
    samsung = w.enrol("samsung", 400, "0000000001");
    lg = w.enrol("lg", 300, "0000000002");
    sk = w.enrol("sk", 500, "0000000003");
    w.kepco->reductions = {{"0000000001", korea("2026-07-01T13:00"), korea("2026-07-01T14:00"), 383},
                           {"0000000002", korea("2026-07-01T13:00"), korea("2026-07-01T14:00"), 295}};
    id = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  }
  user_id samsung, lg, sk;
  campaign_id id;
};

} // namespace

TEST_CASE("who reduced is credited once, who did not is turned to deny", "[actors][metering]") {
  metering_world w;
  walk told(w);
  w.start();
  REQUIRE(w.settles(told.id));
  auto checks = w.checks(told.id);
  REQUIRE(checks.size() == 3);
  CHECK(checks[0].is_real);
  CHECK(checks[0].adjust_points == 383);
  CHECK(checks[0].baseline_wh == 1'000'000);
  CHECK(checks[0].metered_wh == 617'000);
  CHECK(checks[0].quality == check_quality::final_);
  CHECK(checks[1].adjust_points == 295);
  CHECK_FALSE(checks[2].is_real);
  CHECK(w.points(told.samsung) == 1383);
  CHECK(w.points(told.lg) == 1295);
  CHECK(w.points(told.sk) == 1000);
  CHECK(w.look<storage::campaign_response>([&](storage::reader& r) {
           return r.find_response(checks[2].response);
         }).response.answer == answer::deny);
  CHECK(w.settled_checks.size() == 3);
}

TEST_CASE("days are asked for once and kept; kept ones are not asked for again", "[actors][metering]") {
  metering_world w;
  walk told(w);
  w.keep_history(today);
  w.start();
  REQUIRE(w.settles(told.id));
  CHECK(w.kepco->calls == 3); // the event day of each
}

TEST_CASE("without history exactly the reference days that the method needs are asked for", "[actors][metering]") {
  metering_world w;
  one_user told(w);
  w.start();
  REQUIRE(w.settles(told.campaign));
  CHECK(w.kepco->calls == 6);                                         // the event day and five weekdays
  CHECK(w.kepco->asked_for("0000000001", day_of("2026-06-28")) == 0); // a Sunday
}

TEST_CASE("checks queued twice, or told of all the time, settle once", "[actors][metering]") {
  metering_world w;
  walk told(w);
  w.start();
  for (int i = 0; i < 20; ++i) caf::anon_send(w.parts.stable.verification, checks_queued{});
  REQUIRE(w.settles(told.id));
  for (int i = 0; i < 20; ++i) w.wake();
  CHECK(w.settled_events() == 3);
  CHECK(w.points(told.samsung) == 1383);
}

TEST_CASE("every kind of failure of KEPCO is survived and the check done afterwards", "[actors][metering]") {
  for (auto code : {meter_errc::unavailable, meter_errc::no_data, meter_errc::timed_out, meter_errc::garbage,
                    meter_errc::refused, meter_errc::not_configured}) {
    INFO(to_string(code));
    metering_world w;
    one_user told(w);
    bool broken = true;
    w.kepco->fault = [&](const std::string&, korean_day day) -> std::optional<meter_error> {
      if (broken && day == today) return meter_error{code, "made up"};
      return std::nullopt;
    };
    w.start();
    w.pass(90s);
    CHECK(w.checks(told.campaign).empty());
    CHECK(w.overview().checks_pending == 1);
    broken = false;
    REQUIRE(w.settles(told.campaign, 10min));
    CHECK(w.only_check(told.campaign).quality == check_quality::final_);
    CHECK(w.points(told.id) == 1383);
  }
}

TEST_CASE("a gap in the event is waited for, and the check is final once it is filled", "[actors][metering]") {
  metering_world w;
  one_user told(w);
  lose_quarter(w, today, 53);
  w.start();
  w.pass(60s);
  CHECK(w.checks(told.campaign).empty());
  w.kepco->touch_up = {};
  REQUIRE(w.settles(told.campaign, 5min));
  CHECK(w.only_check(told.campaign).quality == check_quality::final_);
}

TEST_CASE("a young reference day with a gap is waited for, an old one is passed over", "[actors][metering]") {
  metering_world w;
  one_user told(w);
  auto young = day_of("2026-06-30");
  w.keep_history(young);
  w.kepco->touch_up = [&](const std::string&, korean_day day, day_profile& p) {
    if (day == young) p.wh[52] = day_profile::missing;
  };
  w.start();
  w.pass(60s);
  CHECK(w.checks(told.campaign).empty());
  w.kepco->touch_up = {};
  REQUIRE(w.settles(told.campaign, 5min));

  metering_world old_gap;
  one_user again(old_gap);
  lose_quarter(old_gap, day_of("2026-06-22"), 52); // ended more than seven days ago... the eighth weekday back
  old_gap.kepco->fault = [](const std::string&, korean_day day) -> std::optional<meter_error> {
    if (day < day_of("2026-06-26") && day > day_of("2026-06-22")) return meter_error{meter_errc::no_consent, ""};
    return std::nullopt;
  };
  old_gap.start();
  REQUIRE(old_gap.settles(again.campaign));
  CHECK(old_gap.only_check(again.campaign).quality == check_quality::final_);
}

TEST_CASE("a day before the customer's consent is never asked for again", "[actors][metering]") {
  metering_world w;
  one_user told(w);
  auto refused = day_of("2026-06-30");
  w.kepco->fault = [&](const std::string&, korean_day day) -> std::optional<meter_error> {
    if (day == refused) return meter_error{meter_errc::no_consent, "from the date of consent"};
    if (day == today) return meter_error{meter_errc::no_data, ""};
    return std::nullopt;
  };
  w.start();
  w.pass(60s);
  CHECK(w.kepco->asked_for("0000000001", today) > 3);
  CHECK(w.kepco->asked_for("0000000001", refused) == 1);
}

TEST_CASE("KEPCO down for days loses nothing: all is settled once when it is back", "[actors][metering]") {
  metering_world w;
  walk told(w);
  bool down = true;
  w.kepco->fault = [&](const std::string&, korean_day) -> std::optional<meter_error> {
    if (down) return meter_error{meter_errc::unavailable, "openapi-4001"};
    return std::nullopt;
  };
  w.clock->rate = 60;
  w.start();
  w.pass(std::chrono::minutes{48}, 500ms); // two days
  CHECK(w.checks(told.id).empty());
  CHECK(w.overview().checks_pending == 3);
  down = false;
  REQUIRE(w.until([&] { return w.checks(told.id).size() == 3; }, 40min));
  w.pass(5min);
  CHECK(w.settled_events() == 3);
  CHECK(w.points(told.samsung) == 1383);
  CHECK(w.ledger(told.samsung).size() == 2);
}

TEST_CASE("one dead meter does not hold up the others", "[actors][metering]") {
  metering_world w;
  walk told(w);
  w.parts.metering.batch_size = 1;
  w.kepco->fault = [](const std::string& cust_no, korean_day) -> std::optional<meter_error> {
    if (cust_no == "0000000001") return meter_error{meter_errc::no_data, ""};
    return std::nullopt;
  };
  w.start();
  CHECK(w.until([&] { return w.checks(told.id).size() == 2; }, 10s));
}

TEST_CASE("a user without a customer number is unverifiable at once", "[actors][metering]") {
  metering_world w;
  auto id = w.enrol("nobody", 100, "");
  auto campaign = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  w.start();
  REQUIRE(w.settles(campaign, 1s));
  CHECK(w.only_check(campaign).quality == check_quality::unverifiable);
  CHECK(w.points(id) == 1000);
  CHECK(w.kepco->calls == 0);
}

TEST_CASE("a user who left the programme is verified as usual", "[actors][metering]") {
  metering_world w;
  one_user told(w);
  w.commit(storage::withdraw_user{told.id, std::nullopt, w.clock->now()});
  w.start();
  REQUIRE(w.settles(told.campaign));
  CHECK(w.points(told.id) == 1383);
}

TEST_CASE("KEPCO is not asked before the window has passed and the lag is over, unless asking early is on",
          "[actors][metering]") {
  metering_world w("2026-07-01T14:05");
  auto id = w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T13:00"), korea("2026-07-01T14:15"), 383}};
  w.parts.metering.ask_early = false;
  w.parts.metering.lag = 10min;
  auto campaign = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:05"); // evaluated until 14:15
  w.clock->rate = 60;
  w.start();
  w.pass(19s);
  CHECK(w.kepco->calls == 0);
  REQUIRE(w.settles(campaign, 10s));
  CHECK(w.only_check(campaign).reduction_wh == 383'000 * 5 / 4);

  metering_world early("2026-07-01T14:05");
  early.enrol("samsung", 400, "0000000001");
  early.kepco->reductions = w.kepco->reductions;
  auto at_once = early.campaign_over("2026-07-01T13:00", "2026-07-01T14:05");
  early.start();
  REQUIRE(early.settles(at_once, 2s));
  CHECK(early.only_check(at_once).reduction_wh == 383'000 * 5 / 4);
  auto kept = early.look<std::vector<storage::history_state>>(
      [](storage::reader& r) { return r.history({}, 10, today, today); });
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].closed.empty()); // the running quarter hour is believed, not kept
  CHECK(w.points(id) > 1000);
}

TEST_CASE("overlapping campaigns are credited in the order of right", "[actors][metering]") {
  metering_world w("2026-07-01T16:00");
  auto id = w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T12:00"), korea("2026-07-01T14:00"), 383}};
  auto second = w.campaign_over("2026-07-01T12:00", "2026-07-01T14:00", "voluntary");
  auto first = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  w.start();
  REQUIRE(w.settles(first));
  REQUIRE(w.settles(second));
  CHECK(w.only_check(first).credited_wh == 383'000);
  CHECK(w.only_check(second).credited_wh == 383'000); // what is its own: the hour before
  CHECK(w.points(id) == 1000 + 383 + 383);
}

TEST_CASE("a check that waits for an overlapping campaign is looked at as soon as the other is settled",
          "[actors][metering]") {
  metering_world w("2026-07-01T16:00");
  w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T12:00"), korea("2026-07-01T14:00"), 383}};
  auto second = w.campaign_over("2026-07-01T12:00", "2026-07-01T14:00", "voluntary");
  auto first = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  w.start();
  REQUIRE(w.settles(first, 5s));
  CHECK(w.settles(second, 4s)); // its own next try is 10 s away
}

TEST_CASE("what was read before another check of the user was settled is read again", "[actors][metering]") {
  metering_world w("2026-07-10T16:00"); // behind both deadlines: neither waits for the other
  auto id = w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T12:00"), korea("2026-07-01T14:00"), 383}};
  auto second = w.campaign_over("2026-07-01T12:00", "2026-07-01T14:00", "voluntary");
  auto first = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  w.keep_history(day_of("2026-07-02"));
  w.parts.metering.batch_size = 1;                      // each is read by itself
  w.hold_read = [](int number) { return number == 3; }; // the queue, the voluntary one's material, the other's
  w.start();
  REQUIRE(w.settles(second, 5s));
  CHECK(w.checks(first).empty());
  w.hold_read = nullptr;
  REQUIRE(w.settles(first));
  CHECK(w.only_check(second).credited_wh == 766'000);
  CHECK(w.only_check(first).credited_wh == 0);
  CHECK(w.points(id) == 1000 + 766);
}

TEST_CASE("a check waits for the answer to an open campaign that would decide its adjustment", "[actors][metering]") {
  metering_world w("2026-07-01T15:30");
  auto id = w.enrol("samsung", 400, "0000000001");
  storage::change_user with_saa;
  with_saa.id = id;
  with_saa.saa = true;
  with_saa.at = w.clock->now();
  w.commit(with_saa);
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T14:00"), korea("2026-07-01T15:00"), 383}};
  const auto open = w.campaign_open("2026-07-01T09:00", "2026-07-01T17:00", "voluntary");
  const auto mine = w.campaign_over("2026-07-01T14:00", "2026-07-01T15:00");
  w.start();
  w.pass(30s);
  CHECK(w.checks(mine).empty());
  w.close(open); // the customer never answered: it is no event
  REQUIRE(w.settles(mine, 2h));
  CHECK(w.only_check(mine).baseline.saa);
}

TEST_CASE("an old day without any value is not asked for again at each try of a check", "[actors][metering]") {
  metering_world w;
  storage::change_user method;
  method.id = w.enrol("samsung", 400, "0000000001");
  method.method = baseline_method::mid_6_10;
  w.commit(method);
  const auto campaign = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  bool there = false;
  w.kepco->fault = [&](const std::string&, korean_day day) -> std::optional<meter_error> {
    if (day < day_of("2026-06-24") || (day == today && !there)) return meter_error{meter_errc::no_data, ""};
    return std::nullopt;
  };
  w.start();
  w.pass(5min, 1s);
  CHECK(w.kepco->asked_for("0000000001", today) > 3);
  CHECK(w.kepco->asked_for("0000000001", day_of("2026-06-19")) == 1);
  there = true;
  CHECK(w.settles(campaign, 30min));
}

TEST_CASE("many checks are worked off with bounded batches", "[actors][metering]") {
  metering_world w;
  std::vector<user_id> users;
  for (int i = 1; i <= 60; ++i) {
    auto cust_no = std::to_string(1'000'000'000 + i);
    users.push_back(w.enrol("user", 100, cust_no));
    w.kepco->reductions.push_back({cust_no, korea("2026-07-01T13:00"), korea("2026-07-01T14:00"), 100});
  }
  w.keep_history(day_of("2026-07-02")); // the event day too: nothing has to be asked
  auto campaign = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  w.parts.metering.batch_size = 4;
  w.start();
  REQUIRE(w.settles(campaign));
  CHECK(w.kepco->calls == 0);
  CHECK(w.find(campaign).counts.points_credited == 6000);
  CHECK(w.settled_checks.size() == 60);
}

TEST_CASE("verdicts that come one by one go to the store together", "[actors][metering]") {
  metering_world w;
  for (int i = 1; i <= 5; ++i) w.enrol("user", 100, std::to_string(1'000'000'000 + i));
  w.keep_history(day_of("2026-07-01"));
  const auto campaign = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  w.parts.kepco.concurrency = 1;
  w.parts.kepco.calls_per_s = 200; // an answer every 5 ms
  w.start();
  REQUIRE(w.until([&] { return !w.settled_checks.empty(); }, 60s, 1ms));
  CHECK(w.kepco->calls == 5);
  CHECK(w.settled_checks.size() == 5);
  CHECK(w.settles(campaign));
}
