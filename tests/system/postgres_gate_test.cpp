// The way between the server and Postgres breaks, stalls and comes back, at every step of a transaction.
#include "tests/system/answer_load.hpp"
#include "tests/system/database_tools.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <functional>
#include <future>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

using trap = tcp_gate::trap;

/// The platform, with a gate before its database.
struct gated_platform {
  std::unique_ptr<tcp_gate> gate;
  platform on;

  explicit gated_platform(environment variables = {{"DR_DATABASE_REQUEST_TIMEOUT_S", "1"}})
      : on(platform::setup{.variables = std::move(variables), .reach = [this](const std::string& direct) {
                             gate = gate_to(direct);
                             return url_through(direct, *gate);
                           }}) {}
};

json_answer withdraw(platform& on, int user, int amount, const std::string& key) {
  return on.call("POST", "/users/" + std::to_string(user) + "/withdraw", {{"amount", amount}},
                 {{"Idempotency-Key", key}});
}

} // namespace

TEST_CASE("connections to Postgres severed, truncated, delayed or dead under load: nothing acknowledged is lost",
          "[system]") {
  gated_platform world;
  auto& [gate, on] = world;
  constexpr int users = 24;
  for (int i = 1; i <= users; ++i) enrol(on, "site " + std::to_string(i), 100);
  const int campaign = start_campaign(on);
  const auto sprung = [&, &door = *gate](trap what, const char* text) {
    door.set(what, text);
    REQUIRE(door.sprung());
  };
  const std::pair<const char*, std::function<void(answer_load&)>> faults[] = {
      {"severed",
       [&, &door = *gate](answer_load& load) {
         door.shut();
         const auto refused = load.refused();
         eventually("answers are refused", [&] { return load.refused() > refused; });
         door.open();
       }},
      {"what was read cut in half", [&](answer_load&) { sprung(trap::truncate_answer, "load_responses"); }},
      {"a confirmation cut in half", [&](answer_load&) { sprung(trap::truncate_answer, "end_hot_batch"); }},
      {"a batch that does not arrive", [&](answer_load&) { sprung(trap::cut_before, "end_hot_batch"); }},
      {"a batch whose confirmation is lost", [&](answer_load&) { sprung(trap::cut_after, "end_hot_batch"); }},
      {"a connection that is lost without a word, with a batch on its way",
       [&](answer_load&) { sprung(trap::lose, "end_hot_batch"); }},
      {"a confirmation that never comes", [&](answer_load&) { sprung(trap::swallow_answer, "end_hot_batch"); }},
      {"delayed",
       [&, &door = *gate](answer_load& load) {
         door.delay(10ms);
         load.wait_for_more(users / 2);
         door.delay(0ms);
       }},
      {"a cable that is pulled for longer than the watchdog waits",
       [&, &door = *gate](answer_load& load) {
         const auto refused = load.refused();
         door.freeze();
         eventually("answers are refused", [&] { return load.refused() > refused; });
         CHECK(on.call("GET", "/livez").status == 200);
         door.thaw();
       }},
  };
  for (const auto& [name, strike] : faults) {
    INFO(name);
    answer_load load(on, 1, users);
    load.wait_for_more(users);
    strike(load);
    load.wait_for_more(users);
    load.stop();
    load.require_kept();
    require_counts(on, campaign);
  }
  on.wait_ready();
  CHECK(on.get("/health").at("storage").at("state") == "up");
  require_events_whole(on);
}

TEST_CASE("a commit of unknown outcome is told as such, and a retry with the same key agrees with what happened",
          "[system]") {
  gated_platform world;
  auto& [gate, on] = world;
  const int user = enrol(on, "samsung", 400, 1000);
  int left = 1000;
  for (const auto fault : {trap::shut_after, trap::shut_before}) {
    const std::string key = fault == trap::shut_after ? "committed" : "not-committed";
    INFO(key);
    gate->set(fault, "COMMIT");
    const auto unknown = withdraw(on, user, 100, key);
    CHECK(gate->sprung());
    CHECK(unknown.status == 503);
    CHECK(unknown.body.at("type") == "/problems/outcome-unknown");
    gate->open();
    json_answer again;
    eventually("the retry is answered", [&] { return (again = withdraw(on, user, 100, key)).status != 503; });
    INFO(again.body.dump());
    CHECK(again.status == 201);
    left -= 100;
    CHECK(again.body.at("balanceAfter") == left);
    CHECK(withdraw(on, user, 100, key).body == again.body);
    CHECK(on.get("/users/1").at("point") == left);
    // The kept answer may have been read before the writer was back.
    eventually("the writer is back", [&] { return on.get("/health").at("storage").at("state") == "up"; });
  }
  require_books_balance(on);
  require_events_whole(on);
}

TEST_CASE("a commit whose answer is cut off once is found out by the server itself; the client notices nothing",
          "[system]") {
  gated_platform world(environment{});
  auto& [gate, on] = world;
  const int user = enrol(on, "samsung", 400, 1000);
  gate->set(trap::cut_after, "COMMIT");
  const auto first = withdraw(on, user, 100, "lost-answer");
  CHECK(gate->sprung());
  CHECK(first.status == 201);
  CHECK(first.body.at("balanceAfter") == 900);
  CHECK(withdraw(on, user, 100, "lost-answer").body == first.body);
  CHECK(on.log().find("a commit of unknown outcome had happened") != std::string::npos);
  CHECK(on.get("/users/1").at("point") == 900);
  require_books_balance(on);
}

TEST_CASE("a server that sleeps in the middle of a commit is taken over at once, wakes up fenced and wrote nothing",
          "[system]") {
  gated_platform world;
  auto& [gate, on] = world;
  const int user = enrol(on, "samsung", 400, 1000);
  gate->set(trap::freeze_before, "COMMIT");
  auto sleeping = std::async(std::launch::async, [&on = on, user] { return withdraw(on, user, 100, "asleep"); });
  REQUIRE(gate->sprung());
  on.server().freeze(); // its transaction holds the counter row

  const auto before = std::chrono::steady_clock::now();
  platform successor(platform::setup{.database_url = on.database_url()});
  CHECK(std::chrono::steady_clock::now() - before < 20s); // a statement may wait 30 s, by default
  CHECK(withdraw(successor, user, 1, "awake").status == 201);

  on.server().signal(SIGCONT);
  gate->thaw();
  try {
    const auto late = sleeping.get();
    INFO(late.body.dump());
    CHECK(late.status == 503);
  } catch (const client_error&) { // cut off: as honest
  }
  CHECK(on.server().wait(30s) == 75);
  CHECK(successor.get("/users/1").at("point") == 999);
  require_books_balance(successor);
  require_events_whole(successor);
}
