#include "actors/metering/kepco_gate.hpp"
#include "actors/stable.hpp"
#include "metering_support.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <set>

using namespace dr;
using namespace dr::actors;
using namespace dr::test;

namespace dr::test {
/// A worker answers the oldest open call now.
struct answer_now {
  std::optional<meter_error> failure;
};
} // namespace dr::test
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::test::answer_now)

namespace {

using test_worker = kepco_query_actor::extend<caf::reacts_to<answer_now>>;

kepco_settings settings_with(double rate, std::size_t queue = 100'000) {
  kepco_settings s;
  s.calls_per_s = rate;
  s.queue_max = queue;
  return s;
}

/// Workers that answer when the test says so, and a gate over them.
class gate_world {
public:
  explicit gate_world(int workers = 2, kepco_settings settings = settings_with(1e6)) {
    for (int i = 0; i < workers; ++i) {
      auto worker = w.system.spawn([this, i](test_worker::pointer self) -> test_worker::behavior_type {
        return {
            [this, i, self](const fetch_day& what) -> caf::result<fetched_day> {
              if (crash_next) {
                crash_next = false;
                throw std::runtime_error("the parser tripped");
              }
              auto promise = self->make_response_promise<fetch_promise>();
              open.push_back({i, what, promise});
              return promise;
            },
            [this, i](const get_readiness&) -> caf::result<query_ready> {
              if (stuck.contains(i)) return to_caf(fail(errc::timed_out));
              return query_ready{};
            },
            [this](const answer_now& how) {
              auto next = std::move(open.front());
              open.pop_front();
              next.promise.deliver(fetched_day{next.what.cust_no, next.what.day, {}, how.failure});
            },
        };
      });
      workers_.push_back(caf::actor_cast<caf::actor>(worker));
      auto stable = make_stable(w.system, "query");
      point_to(stable, caf::actor_cast<caf::actor>(worker));
      stables.push_back(stable);
      handles.push_back(caf::actor_cast<kepco_query_actor>(stable));
    }
    gate = w.system.spawn(kepco_gate, settings, handles);
    w.sched.run();
  }
  ~gate_world() {
    open.clear();
    workers_.clear();
    caf::anon_send_exit(caf::actor_cast<caf::actor>(gate), caf::exit_reason::kill);
    for (auto& s : stables)
      if (auto worker = incarnation_of(s)) caf::anon_send_exit(worker, caf::exit_reason::kill);
    w.sched.run();
    for (auto& s : stables) close_stable(s);
  }

  struct call {
    int worker = 0;
    fetch_day what;
    fetch_promise promise;
  };
  /// Asks without waiting; the answer comes into `answers` under the name.
  void ask(const std::string& name, const std::string& cust_no, fetch_priority priority = fetch_priority::check,
           korean_day day = day_of("2026-06-30")) {
    w.system.spawn([this, name, cust_no, priority, day](caf::event_based_actor* self) {
      self->request(gate, 60min, fetch_day{cust_no, day, priority})
          .then([this, name](const fetched_day& got) { answers[name] = got; },
                [this, name](const caf::error& why) { errors[name] = from_caf(why).code; });
    });
    w.pass(1ms, 1ms);
  }
  void answer(std::optional<meter_error> failure = {}) {
    REQUIRE_FALSE(open.empty());
    caf::anon_send(workers_.at(static_cast<std::size_t>(open.front().worker)), answer_now{std::move(failure)});
    w.pass(1ms, 1ms); // the rate needs some time
  }
  bool failed_with(const std::string& name, meter_errc code) {
    return answers.contains(name) && answers[name].failure && answers[name].failure->code == code;
  }
  kepco_state state() { return w.ask<kepco_state>(kepco_gate_actor{gate}, get_kepco_state{}).value(); }

  metering_world w;
  std::vector<caf::actor> stables;
  std::vector<kepco_query_actor> handles;
  kepco_gate_actor gate;
  std::deque<call> open;
  std::set<int> stuck;
  bool crash_next = false;
  std::map<std::string, fetched_day> answers;
  std::map<std::string, errc> errors;

private:
  std::vector<caf::actor> workers_;
};

} // namespace

TEST_CASE("the gate asks as many questions at once as it has workers, and the rest in turn", "[actors][metering]") {
  gate_world g(2);
  for (auto name : {"1", "2", "3"}) g.ask(name, name);
  CHECK(g.open.size() == 2);
  CHECK(g.state().queued == 1);
  CHECK(g.state().in_flight == 2);
  g.answer();
  CHECK(g.open.size() == 2);
  CHECK(g.answers.contains("1"));
  g.answer();
  g.answer();
  CHECK(g.answers.size() == 3);
  CHECK(g.state().calls == 3);
  CHECK(g.state().in_flight == 0);
}

TEST_CASE("checks go before history in the gate, and history leaves workers free for them", "[actors][metering]") {
  gate_world g(2);
  for (auto name : {"h1", "h2", "h3"}) g.ask(name, name, fetch_priority::history);
  CHECK(g.open.size() == 1); // half of the workers
  g.ask("c1", "c1");
  g.ask("c2", "c2");
  REQUIRE(g.open.size() == 2);
  CHECK(g.open[1].what.cust_no == "c1");
  g.answer();
  REQUIRE(g.open.size() == 2);
  CHECK(g.open[1].what.cust_no == "c2");
}

TEST_CASE("the same customer-day asked by many is fetched once, and a check takes history's place along",
          "[actors][metering]") {
  gate_world g(1);
  g.ask("busy", "9");
  g.ask("h0", "5", fetch_priority::history);
  g.ask("h", "1", fetch_priority::history);
  g.ask("c", "1");
  CHECK(g.state().queued == 2);
  g.answer();
  REQUIRE(g.open.size() == 1);
  CHECK(g.open[0].what.cust_no == "1"); // before h0, which came first
  g.ask("late", "1");
  g.answer();
  CHECK(g.answers.contains("h"));
  CHECK(g.answers.contains("c"));
  CHECK(g.answers.contains("late"));
  CHECK(g.state().calls == 3);
}

TEST_CASE("the gate keeps to the rate", "[actors][metering]") {
  gate_world g(1, settings_with(2));
  for (auto name : {"1", "2", "3"}) g.ask(name, name);
  g.answer();
  CHECK(g.open.empty());
  g.w.pass(480ms, 10ms);
  CHECK(g.open.empty());
  g.w.pass(40ms, 10ms);
  CHECK(g.open.size() == 1);
}

TEST_CASE("a full gate refuses at once, history first", "[actors][metering]") {
  gate_world g(1, settings_with(50, 4));
  g.ask("running", "0");
  g.ask("h1", "1", fetch_priority::history);
  g.ask("h2", "2", fetch_priority::history);
  g.ask("h3", "3", fetch_priority::history);
  CHECK(g.errors["h3"] == errc::overloaded);
  g.ask("c1", "4");
  g.ask("c2", "5");
  g.ask("c3", "6");
  CHECK(g.errors.size() == 2);
  CHECK(g.errors["c3"] == errc::overloaded);
}

TEST_CASE("the circuit opens after failures in a row, answers at once while open, and closes after a good probe",
          "[actors][metering]") {
  gate_world g(2);
  for (int i = 0; i < 5; ++i) {
    auto name = std::to_string(i);
    g.ask(name, name);
    g.answer(meter_error{meter_errc::unavailable, "HTTP 503"});
    CHECK(g.failed_with(name, meter_errc::unavailable));
  }
  CHECK(g.state().circuit == kepco_state::circuit_state::open);
  CHECK(g.state().last_error == "unavailable: HTTP 503");
  g.ask("refused", "6");
  CHECK(g.failed_with("refused", meter_errc::unavailable));
  CHECK(g.open.empty());

  g.w.pass(30s);
  CHECK(g.state().circuit == kepco_state::circuit_state::half_open);
  g.ask("probe", "7");
  g.ask("behind", "8");
  CHECK(g.open.size() == 1);
  g.answer(meter_error{meter_errc::timed_out, ""});
  CHECK(g.failed_with("behind", meter_errc::unavailable)); // flushed, not forgotten
  CHECK(g.state().circuit == kepco_state::circuit_state::open);

  g.w.pass(30s);
  g.ask("probe again", "7");
  g.ask("behind again", "8");
  CHECK(g.open.size() == 1);
  g.answer();
  CHECK(g.state().circuit == kepco_state::circuit_state::closed);
  CHECK(g.open.size() == 1);
}

TEST_CASE("an opening circuit answers everybody who waits", "[actors][metering]") {
  gate_world g(1);
  for (int i = 0; i < 8; ++i) g.ask(std::to_string(i), std::to_string(i));
  for (int i = 0; i < 5; ++i) g.answer(meter_error{meter_errc::unavailable, ""});
  CHECK(g.answers.size() == 8);
  CHECK(g.state().queued == 0);
}

TEST_CASE("data that is not there says nothing against KEPCO", "[actors][metering]") {
  gate_world g(1);
  for (int i = 0; i < 20; ++i) {
    g.ask(std::to_string(i), std::to_string(i));
    g.answer(meter_error{i % 2 ? meter_errc::no_data : meter_errc::garbage, ""});
    g.w.pass(100ms);
  }
  CHECK(g.state().circuit == kepco_state::circuit_state::closed);
}

TEST_CASE("a stuck worker's call counts as timed out, and the worker gets nothing more until it is free",
          "[actors][metering]") {
  gate_world g(2);
  g.ask("stuck", "1");
  REQUIRE(g.open.size() == 1);
  auto worker = g.open[0].worker;
  g.stuck.insert(worker);
  g.w.pass(12s);
  CHECK(g.failed_with("stuck", meter_errc::timed_out));
  g.ask("a", "2");
  g.ask("b", "3");
  CHECK(g.open.size() == 2); // the abandoned call and one on the other worker
  CHECK(g.state().queued == 1);
  g.stuck.clear();
  g.w.pass(11s);
  CHECK(g.state().queued == 0);
}

TEST_CASE("what a worker says of a call that was given up is not taken for its next one", "[actors][metering]") {
  gate_world g(1);
  g.ask("given up", "1");
  g.w.pass(6s);
  g.ask("behind", "2");
  REQUIRE(g.open.size() == 1);
  g.w.pass(6s); // the watchdog; the worker says at once that it is free
  CHECK(g.failed_with("given up", meter_errc::timed_out));
  REQUIRE(g.open.size() == 2);
  g.answer(); // of the first call
  CHECK_FALSE(g.answers.contains("behind"));
  CHECK(g.state().in_flight == 1);
  g.w.pass(6s);
  g.answer();
  REQUIRE(g.answers.contains("behind"));
  CHECK_FALSE(g.answers["behind"].failure);
  g.ask("third", "3");
  g.w.pass(11s);
  CHECK_FALSE(g.answers.contains("third")); // each has its own time
  g.w.pass(1s);
  CHECK(g.failed_with("third", meter_errc::timed_out));
}

TEST_CASE("a crashed worker loses one call, and the gate finds its successor", "[actors][metering]") {
  gate_world g(1);
  g.crash_next = true;
  auto victim = incarnation_of(g.stables[0]);
  g.ask("lost", "1");
  CHECK(g.failed_with("lost", meter_errc::garbage));
  CHECK(g.answers["lost"].failure->detail == query_crashed);
  CHECK(g.state().circuit == kepco_state::circuit_state::closed);
  point_to(g.stables[0], {}); // as its supervisor does until it is back
  g.ask("next", "2");
  CHECK(g.open.empty());
  CHECK(g.state().queued == 1);
  auto successor = spawn_kepco_query(g.w.system, source_of(g.w.kepco), query_thread::scheduler);
  point_to(g.stables[0], caf::actor_cast<caf::actor>(successor));
  g.w.pass(1s);
  REQUIRE(g.answers.contains("next"));
  CHECK_FALSE(g.answers["next"].failure);
}

TEST_CASE("a crash answers the customer's other waiting questions too, and nobody else's", "[actors][metering]") {
  gate_world g(1);
  g.ask("running", "9");
  g.ask("first", "1", fetch_priority::check, day_of("2026-06-29"));
  g.ask("second", "1", fetch_priority::check, day_of("2026-06-30"));
  g.ask("other", "2");
  g.crash_next = true;
  g.answer();
  CHECK(g.failed_with("first", meter_errc::garbage));
  CHECK(g.failed_with("second", meter_errc::garbage));
  CHECK_FALSE(g.answers.contains("other"));
  CHECK(g.state().queued == 1);
}

TEST_CASE("a question that a restarting worker never saw is not lost", "[actors][metering]") {
  gate_world g(1);
  auto worker = incarnation_of(g.stables[0]);
  point_to(g.stables[0], {}); // the gate still believes it idle
  g.ask("a", "1");
  CHECK(g.answers.empty());
  CHECK(g.state().queued == 1);
  point_to(g.stables[0], worker);
  g.w.pass(1s);
  CHECK(g.open.size() == 1);
}

TEST_CASE("the gate's end answers its askers", "[actors][metering]") {
  gate_world g(1);
  g.ask("running", "1");
  g.ask("waiting", "2");
  caf::anon_send_exit(caf::actor_cast<caf::actor>(g.gate), caf::exit_reason::kill);
  g.w.sched.run();
  CHECK(g.errors["running"] == errc::store_unavailable);
  CHECK(g.errors["waiting"] == errc::store_unavailable);
}

TEST_CASE("a question that nobody can ask is answered in the end", "[actors][metering]") {
  gate_world g(1);
  g.stuck.insert(0);
  g.ask("stuck", "1");
  g.ask("waiting", "2");
  g.w.pass(gate_wait_max + 20s, 1s);
  CHECK(g.failed_with("stuck", meter_errc::timed_out));
  CHECK(g.failed_with("waiting", meter_errc::timed_out));
}

TEST_CASE("the gate tells since when its circuit is not closed", "[actors][metering][health]") {
  auto settings = settings_with(1e6);
  settings.breaker_failures = 1;
  gate_world g(1, settings);
  g.ask("1", "1");
  CHECK_FALSE(g.state().circuit_since.has_value());
  g.answer(meter_error{meter_errc::unavailable, "HTTP 503"});
  REQUIRE(g.state().circuit_since.has_value());
  auto since = *g.state().circuit_since;
  g.w.pass(31s, 1s);
  CHECK(g.state().circuit == kepco_state::circuit_state::half_open);
  CHECK(g.state().circuit_since == since); // one trouble
  g.ask("2", "2");
  g.answer();
  CHECK_FALSE(g.state().circuit_since.has_value());
}

TEST_CASE("refusals in a row are about us, one customer's are not", "[actors][metering][health]") {
  gate_world g(1);
  auto refuse = [&] {
    g.ask("r", "r");
    g.answer(meter_error{meter_errc::refused, "openapi-3001"});
  };
  for (int i = 0; i < 5; ++i) {
    refuse();
    refuse();
    g.ask("good", "good");
    g.answer();
  }
  CHECK_FALSE(g.state().refusing_since.has_value());
  for (int i = 0; i < 3; ++i) refuse();
  CHECK(g.state().refusing_since.has_value());
  g.ask("good", "good");
  g.answer();
  CHECK_FALSE(g.state().refusing_since.has_value());
  g.ask("unset", "unset");
  g.answer(meter_error{meter_errc::not_configured, "no service key"});
  CHECK(g.state().unset_since.has_value());
}

TEST_CASE("a KEPCO that takes long every time is slow, until its calls are fast again or long ago",
          "[actors][metering][health]") {
  gate_world g(1);
  auto call = [&](std::chrono::milliseconds takes) {
    g.ask("c", "c");
    g.w.pass(takes, takes);
    g.answer();
  };
  for (int i = 0; i < 7; ++i) call(4s);
  CHECK_FALSE(g.state().slow_since.has_value()); // too few to tell
  call(4s);
  CHECK(g.state().slow_since.has_value());
  CHECK(g.state().call_ms_p50 >= 4000);
  for (int i = 0; i < 20; ++i) call(10ms);
  CHECK_FALSE(g.state().slow_since.has_value());
  for (int i = 0; i < 40; ++i) call(4s);
  CHECK(g.state().slow_since.has_value());
  g.w.pass(6min, 1s);
  CHECK_FALSE(g.state().slow_since.has_value());
}
