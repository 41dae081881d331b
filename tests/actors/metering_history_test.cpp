#include "actors/metering/day_keeping.hpp"
#include "metering_support.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::actors;
using namespace dr::test;

namespace {

int closed_days(metering_world& w) {
  auto all = w.look<std::vector<storage::history_state>>(
      [&](storage::reader& r) { return r.history({}, 1000, day_of("2026-01-01"), day_of("2026-12-31")); });
  int count = 0;
  for (const auto& one : all) count += static_cast<int>(one.closed.size());
  return count;
}

struct collecting : metering_world {
  collecting() { parts.metering.collect_history = true; }
};

const int history_days = days_collected({}); // under the built-in baselines

} // namespace

TEST_CASE("the history of enrolled users is collected and then left alone", "[actors][metering]") {
  collecting w;
  for (int i = 1; i <= 5; ++i) w.enrol("user", 100, std::to_string(1'000'000'000 + i));
  w.parts.metering.history_batch_size = 2;
  w.start();
  REQUIRE(w.until([&] { return closed_days(w) == 5 * history_days; }, 60s));
  auto calls = w.kepco->calls;
  CHECK(calls == 5 * history_days);
  auto reads = w.database->faults().reads.load();
  w.pass(10min, 1s);
  CHECK(w.kepco->calls == calls);
  CHECK(w.database->faults().reads.load() - reads < 60);
  w.enrol("new", 100, "2000000001");
  CHECK(w.until([&] { return closed_days(w) == 6 * history_days; }, 90s));
}

TEST_CASE("as many days are collected as the longest look-back of the baselines needs", "[actors][metering]") {
  collecting w;
  w.parts.longest_look_back = 40;
  w.enrol("user", 100, "1000000001");
  w.start();
  REQUIRE(w.until([&] { return closed_days(w) == 50; }, 60s));
  w.pass(1min);
  CHECK(closed_days(w) == 50);
}

TEST_CASE("a new day is collected when it is over", "[actors][metering]") {
  collecting w;
  w.enrol("user", 100, "1000000001");
  w.start();
  REQUIRE(w.until([&] { return closed_days(w) == history_days; }, 60s));
  w.pass(1s);
  w.clock->jump_to(korea("2026-07-02T00:30"));
  CHECK(w.until([&] { return closed_days(w) == history_days + 1; }, 2min));
}

TEST_CASE("history keeps its distance while KEPCO is away and catches up afterwards", "[actors][metering]") {
  collecting w;
  w.enrol("samsung", 400, "0000000001");
  auto campaign = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
  bool down = true;
  w.kepco->fault = [&](const std::string&, korean_day) -> std::optional<meter_error> {
    if (down) return meter_error{meter_errc::unavailable, ""};
    return std::nullopt;
  };
  w.start();
  w.pass(5min, 500ms);
  CHECK(w.kepco->calls < 60);
  down = false;
  CHECK(w.settles(campaign, 20min));
  CHECK(w.until([&] { return closed_days(w) >= history_days; }, 40min));
}

TEST_CASE("history asks for nothing while checks are due", "[actors][metering]") {
  metering_world w;
  w.enrol("samsung", 400, "0000000001");
  w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00"); // and nobody verifies
  int asked = 0;
  auto gate = w.system.spawn([&asked]() -> kepco_gate_actor::behavior_type {
    return {[&asked](const fetch_day& what) {
              ++asked;
              CHECK(what.priority == fetch_priority::history);
              return fetched_day{what.cust_no, what.day, {}, meter_error{meter_errc::no_data, ""}};
            },
            [](const get_kepco_state&) { return kepco_state{}; }};
  });
  auto rules = std::make_shared<const check_rules>(check_rules{w.parts.metering, {}, &dr::evaluate});
  auto collector = w.system.spawn(history, history_parts{w.parts.stable.store, gate, w.clock, rules});
  w.pass(2min);
  CHECK(asked == 0);
  w.commit(storage::postpone_checks{{{response_id{1}, w.clock->now() + 1h, 1, false, ""}}, w.clock->now()});
  w.pass(31s);
  CHECK(asked == history_days);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(collector), caf::exit_reason::kill);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(gate), caf::exit_reason::kill);
}

TEST_CASE("one customer's trouble does not stop the history of the others", "[actors][metering]") {
  collecting w;
  w.enrol("poison", 100, "6666666666");
  w.enrol("refused", 100, "7777777777");
  w.enrol("fine", 100, "8888888888");
  w.kepco->fault = [](const std::string& cust_no, korean_day) -> std::optional<meter_error> {
    if (cust_no == "6666666666") throw std::runtime_error("the parser tripped");
    if (cust_no == "7777777777") return meter_error{meter_errc::refused, "unknown customer"};
    return std::nullopt;
  };
  w.start();
  CHECK(w.until([&] { return closed_days(w) == history_days; }, 10min, 500ms));
}

TEST_CASE("days that KEPCO does not have are asked for again, old ones a day later for the last time",
          "[actors][metering]") {
  collecting w;
  w.enrol("user", 100, "1000000001");
  w.kepco->fault = [](const std::string&, korean_day day) -> std::optional<meter_error> {
    if (day == day_of("2026-06-30")) return std::nullopt;
    return meter_error{meter_errc::no_data, ""};
  };
  w.start();
  w.pass(30s);
  CHECK(closed_days(w) == 1);
  auto calls = w.kepco->calls;
  CHECK(calls == history_days);
  w.pass(16min, 1s);
  CHECK(w.kepco->calls > calls);
  CHECK(w.kepco->calls < calls + 20); // some walks of the five weekdays that ended within the last seven days
  w.clock->jump_to(w.clock->now() + empty_again_after);
  CHECK(w.until([&] { return closed_days(w) == history_days - 5; }, 2min)); // the oldest is out of sight
}

TEST_CASE("history is off when it is configured off", "[actors][metering]") {
  metering_world w;
  w.enrol("user", 100, "1000000001");
  w.start();
  w.pass(2min);
  CHECK(w.kepco->calls == 0);
}

TEST_CASE("the old days of a customer whom KEPCO does not know yet are asked for once a day, until it does",
          "[actors][metering]") {
  collecting w;
  w.enrol("new", 100, "1000000001");
  const auto old = day_of("2026-06-15");
  const auto probe = day_of("2026-06-23"); // the newest old one
  w.kepco->fault = [](const std::string&, korean_day) { return meter_error{meter_errc::no_data, ""}; };
  w.start();
  w.pass(1min);
  CHECK(w.kepco->asked_for("1000000001", probe) == 1);
  for (int day = 1; day < 4; ++day) {
    w.pass(16min, 1s);
    CHECK(w.kepco->asked_for("1000000001", old) == 1);
    w.clock->jump_to(w.clock->now() + empty_again_after);
    w.pass(2min, 1s);
    CHECK(w.kepco->asked_for("1000000001", probe) == 2); // from the next day on it is a newer one
  }
  CHECK(closed_days(w) == 0);
  w.kepco->fault = nullptr;
  w.clock->jump_to(w.clock->now() + empty_again_after);
  w.pass(20min, 1s);
  CHECK(closed_days(w) >= history_days - 4); // the oldest are out of sight by now
}
