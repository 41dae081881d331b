#include "config/business_clock.hpp"
#include "tests/unit/config_support.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace dr;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using config_test::scratch_folder;

namespace {

time_point at(const char* text) { return *parse_rfc3339(text); }

/// A data folder whose real time the test sets.
struct clock_world {
  scratch_folder here;
  time_point real = at("2026-11-22T00:00:00Z");

  result<std::unique_ptr<business_clock>> try_open(const clock_settings& wanted) {
    return business_clock::open(wanted, here / "clock.anchor", [this] { return real; });
  }
  std::unique_ptr<business_clock> open(const clock_settings& wanted) {
    auto made = try_open(wanted);
    REQUIRE(made.has_value());
    return std::move(*made);
  }
};

const clock_settings afternoon{parse_rfc3339("2026-07-01T04:50:00Z"), 60.0};

} // namespace

TEST_CASE("an unconfigured clock is the world's and leaves no anchor", "[config]") {
  clock_world w;
  auto clock = w.open({});
  CHECK_FALSE(clock->is_virtual());
  CHECK(clock->now() == w.real);
  w.real += 5s;
  CHECK(clock->now() == w.real);
  CHECK(clock->real_delay_until(w.real + 7s) == 7s);
  CHECK(clock->after_real(3s) == w.real + 3s);
  CHECK_FALSE(std::filesystem::exists(w.here / "clock.anchor"));
}

TEST_CASE("a virtual clock starts where told and runs at its rate", "[config]") {
  clock_world w;
  auto clock = w.open(afternoon);
  CHECK(clock->is_virtual());
  CHECK(clock->now() == at("2026-07-01T04:50:00Z"));
  w.real += 10s;
  CHECK(clock->now() == at("2026-07-01T05:00:00Z"));
  CHECK(clock->real_delay_until(at("2026-07-01T06:00:00Z")) == 60s);
  CHECK(clock->real_delay_until(at("2026-07-01T04:00:00Z")) == 0s);
  CHECK(clock->after_real(1s) == at("2026-07-01T05:01:00Z"));
}

TEST_CASE("waiting out the real delay always reaches the instant", "[config]") {
  for (double rate : {0.7, 1.5, 60.0, 7.3, 86400.0}) {
    clock_world w;
    auto clock = w.open({at("2026-07-01T00:00:00Z"), rate});
    w.real += 12345ms;
    for (auto ahead : {1ms, 17ms, 999ms, 123457ms, 86400001ms}) {
      const auto target = clock->now() + ahead;
      w.real += clock->real_delay_until(target);
      CHECK(clock->now() >= target);
    }
  }
}

TEST_CASE("a restart goes on where business time stands", "[config]") {
  clock_world w;
  w.open(afternoon);
  w.real += 30s;
  auto again = w.open(afternoon); // the same start is earlier than the present now
  CHECK(again->now() == at("2026-07-01T05:20:00Z"));
  w.real += 1h; // the machine was off: time went on
  CHECK(w.open(afternoon)->now() == at("2026-07-03T17:20:00Z"));
}

TEST_CASE("a changed rate goes on from the present business instant", "[config]") {
  clock_world w;
  w.open(afternoon);
  w.real += 30s;
  auto slow = w.open({afternoon.start, 1.0});
  CHECK(slow->now() == at("2026-07-01T05:20:00Z"));
  w.real += 30s;
  CHECK(slow->now() == at("2026-07-01T05:20:30Z"));
  CHECK(slow->rate() == 1.0);
}

TEST_CASE("a later start jumps forward and an earlier one does not go back", "[config]") {
  clock_world w;
  w.open(afternoon);
  CHECK(w.open({at("2026-07-02T00:00:00Z"), 60.0})->now() == at("2026-07-02T00:00:00Z"));
  CHECK(w.open({at("2026-01-01T00:00:00Z"), 60.0})->now() == at("2026-07-02T00:00:00Z"));
}

TEST_CASE("back to the world's time only forwards", "[config]") {
  clock_world w;
  w.open(afternoon); // behind the world
  CHECK_FALSE(w.open({})->is_virtual());
  clock_world ahead;
  ahead.open({at("2027-01-01T00:00:00Z"), 60.0});
  auto clock = ahead.open({});
  CHECK(clock->is_virtual());
  CHECK(clock->now() == at("2027-01-01T00:00:00Z"));
  ahead.real += 1s;
  CHECK(clock->now() == at("2027-01-01T00:00:01Z"));
}

TEST_CASE("the second program joins the first one's clock and follows when it is tied anew", "[config]") {
  clock_world w;
  auto server = w.open(afternoon);
  w.real += 20s;
  auto simulator = w.open(afternoon);
  CHECK(server->now() == simulator->now());
  w.real += 2s;
  auto restarted = w.open({afternoon.start, 600.0});
  w.real += 2s; // the simulator looks at the file once a second
  CHECK(simulator->now() == restarted->now());
  w.real += 5s;
  CHECK(simulator->now() == restarted->now());
}

TEST_CASE("business time stands still when the world's clock is set back", "[config]") {
  clock_world w;
  auto clock = w.open(afternoon);
  w.real += 60s;
  const auto before = clock->now();
  w.real -= 90s;
  CHECK(clock->now() == before);
  CHECK(w.open(afternoon)->now() >= at("2026-07-01T04:50:00Z"));
}

TEST_CASE("a damaged anchor is refused rather than forgotten", "[config]") {
  for (auto text :
       {"", "business_ms 1\nreal_ms 2\n", "business_ms 1\nreal_ms 2\nrate 0\nend\n", "rubbish\n", "rate x\nend\n"}) {
    clock_world w;
    w.here.write("clock.anchor", text);
    auto opened = w.try_open(afternoon);
    REQUIRE_FALSE(opened.has_value());
    CHECK_THAT(opened.error().detail, Contains("damaged"));
  }
}

TEST_CASE("many threads never see business time run backwards", "[config]") {
  scratch_folder here;
  auto made = business_clock::open({at("2026-07-01T00:00:00Z"), 1000.0}, here / "clock.anchor");
  REQUIRE(made.has_value());
  const auto& clock = **made;
  std::atomic<bool> backwards{false};
  std::atomic<std::int64_t> latest{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        const auto seen = latest.load();
        const auto now = clock.now().time_since_epoch().count();
        if (now < seen) backwards = true;
        latest.store(now);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(backwards);
}
