#include "kepco/breaker.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace dr;
using namespace dr::kepco;
using namespace std::chrono_literals;

namespace {

using state = circuit_breaker::state;
const steady_time start{1h};

void fail_times(circuit_breaker& circuit, int times, steady_time now) {
  for (int i = 0; i < times; ++i) circuit.finished(call_health::failing, now);
}

} // namespace

TEST_CASE("the circuit opens after five failures in a row and half-opens after thirty seconds", "[kepco]") {
  circuit_breaker circuit;
  fail_times(circuit, 4, start);
  CHECK(circuit.at(start) == state::closed);
  CHECK(circuit.try_start(start));
  fail_times(circuit, 1, start);
  CHECK(circuit.at(start) == state::open);
  CHECK_FALSE(circuit.try_start(start + 29'999ms));
  CHECK(circuit.wait(start + 10s) == 20s);
  CHECK(circuit.at(start + 30s) == state::half_open);
  CHECK(circuit.wait(start + 30s) == 0ms);
}

TEST_CASE("a success in between begins the row anew", "[kepco]") {
  circuit_breaker circuit;
  for (int i = 0; i < 10; ++i) {
    fail_times(circuit, 4, start);
    circuit.finished(call_health::healthy, start);
  }
  CHECK(circuit.at(start) == state::closed);
  CHECK(circuit.failures_in_a_row() == 0);
}

TEST_CASE("half-open lets one probe through, whose success closes the circuit", "[kepco]") {
  circuit_breaker circuit;
  fail_times(circuit, 5, start);
  auto later = start + 30s;
  CHECK(circuit.try_start(later));
  CHECK_FALSE(circuit.try_start(later));
  CHECK(circuit.wait(later) > 0ms);
  circuit.finished(call_health::healthy, later + 1s);
  CHECK(circuit.at(later + 1s) == state::closed);
  fail_times(circuit, 4, later + 1s); // the old failures are forgotten
  CHECK(circuit.at(later + 1s) == state::closed);
}

TEST_CASE("a probe's failure opens the circuit again for the whole time", "[kepco]") {
  circuit_breaker circuit;
  fail_times(circuit, 5, start);
  auto later = start + 30s;
  REQUIRE(circuit.try_start(later));
  circuit.finished(call_health::failing, later + 10s);
  CHECK(circuit.at(later + 39s) == state::open);
  CHECK(circuit.at(later + 40s) == state::half_open);
}

TEST_CASE("a probe without meaning or without an end frees its place", "[kepco]") {
  circuit_breaker circuit;
  fail_times(circuit, 5, start);
  auto later = start + 30s;
  REQUIRE(circuit.try_start(later));
  circuit.finished(call_health::neutral, later);
  CHECK(circuit.at(later) == state::half_open);
  REQUIRE(circuit.try_start(later));
  circuit.abandoned();
  REQUIRE(circuit.try_start(later));
  CHECK_FALSE(circuit.try_start(later + 29s));
  CHECK(circuit.try_start(later + 30s)); // nobody told how it ended: it is not waited for for ever
}

TEST_CASE("calls that were under way when the circuit opened change nothing while it is open", "[kepco]") {
  circuit_breaker circuit;
  fail_times(circuit, 5, start);
  circuit.finished(call_health::healthy, start + 1s);
  CHECK(circuit.at(start + 1s) == state::open);
  fail_times(circuit, 8, start + 5s);
  CHECK(circuit.at(start + 30s) == state::half_open);
}

TEST_CASE("one poisoned customer does not open the circuit for all", "[kepco]") {
  circuit_breaker circuit;
  for (int i = 0; i < 100; ++i) circuit.finished(health_of(meter_errc::garbage), start);
  CHECK(circuit.at(start) == state::closed);
  // Nor does its garbage hide that KEPCO is away.
  for (int i = 0; i < 5; ++i) {
    circuit.finished(health_of(meter_errc::timed_out), start);
    circuit.finished(health_of(meter_errc::garbage), start);
  }
  CHECK(circuit.at(start) == state::open);
}

TEST_CASE("answers of a healthy KEPCO are told from its failures", "[kepco]") {
  for (auto code : {meter_errc::no_data, meter_errc::no_consent, meter_errc::refused})
    CHECK(health_of(code) == call_health::healthy);
  for (auto code : {meter_errc::unavailable, meter_errc::timed_out}) CHECK(health_of(code) == call_health::failing);
  for (auto code : {meter_errc::garbage, meter_errc::not_configured}) CHECK(health_of(code) == call_health::neutral);
}

TEST_CASE("the limiter lets a burst through and then keeps its rate", "[kepco]") {
  rate_limiter limiter(50, 8);
  int taken = 0;
  while (limiter.try_take(start)) ++taken;
  CHECK(taken == 8);
  CHECK(limiter.wait(start) == 20ms);
  CHECK_FALSE(limiter.try_take(start + 19ms));
  CHECK(limiter.try_take(start + 20ms));
  taken = 0;
  for (auto now = start + 20ms; now <= start + 1020ms; now += 1ms)
    if (limiter.try_take(now)) ++taken;
  CHECK(taken == 50);
}

TEST_CASE("waiting as told is enough for the next token, at any rate", "[kepco]") {
  for (double rate : {0.3, 1.0, 7.0, 50.0, 333.0, 999.0}) {
    rate_limiter limiter(rate, 1);
    auto now = start;
    for (int i = 0; i < 200; ++i) {
      now += limiter.wait(now);
      CAPTURE(rate, i);
      REQUIRE(limiter.try_take(now));
    }
    auto took = std::chrono::duration<double>(now - start).count();
    CHECK(took >= 199 / rate - 0.001);
  }
}

TEST_CASE("unused time saves up no more than the burst, and time that runs backwards gives nothing", "[kepco]") {
  rate_limiter limiter(50, 4);
  while (limiter.try_take(start)) {}
  int taken = 0;
  while (limiter.try_take(start + 1h)) ++taken;
  CHECK(taken == 4);
  CHECK_FALSE(limiter.try_take(start));
  CHECK_FALSE(limiter.try_take(start + 1h));
}

TEST_CASE("backoff doubles up to its longest, within its jitter", "[kepco]") {
  backoff delays(1s, 60s, 7);
  for (int tries = 1; tries <= 100; ++tries) {
    auto whole = tries >= 7 ? 60s : std::chrono::seconds{1 << (tries - 1)};
    auto delay = delays.next(tries);
    CAPTURE(tries, delay.count());
    CHECK(delay <= whole);
    CHECK(delay >= whole / 2);
  }
  CHECK(delays.next(1'000'000'000) <= 60s);
  CHECK(delays.next(-5) <= 1s);
}

TEST_CASE("the same seed gives the same delays, another one others", "[kepco]") {
  backoff a(1s, 60s, 1);
  backoff b(1s, 60s, 1);
  backoff c(1s, 60s, 2);
  std::set<std::int64_t> different;
  bool same_as_c = true;
  for (int i = 0; i < 50; ++i) {
    auto delay = a.next(10);
    CHECK(delay == b.next(10));
    same_as_c = same_as_c && delay == c.next(10);
    different.insert(delay.count());
  }
  CHECK_FALSE(same_as_c);
  CHECK(different.size() > 40);
}
