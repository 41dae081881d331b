// The server process dies or is stopped, between any two steps, and everything goes on.
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

/// The walk, with `between` called after every step. Ends in asserted points.
template <class Between> void walk(platform& on, Between between) {
  const int samsung = enrol(on, "samsung", 400, 1000);
  between();
  const int sk = enrol(on, "sk", 500, 1000);
  between();
  const int campaign = start_campaign(on);
  between();
  CHECK(accept(on, campaign, samsung) == 200);
  between();
  CHECK(accept(on, campaign, sk) == 200);
  between();
  reduce(on, campaign, samsung, 383);
  end_campaign(on, campaign);
  between();
  wait_settled(on, campaign);
  between();
  const auto check = check_of(on, campaign, samsung);
  CHECK(check.at("isReal") == true);
  CHECK(on.get("/users/1").at("point").get<int>() == 1000 + check.at("adjustPoint").get<int>());
  CHECK(check_of(on, campaign, sk).at("isReal") == false);
  CHECK(response_of(on, campaign, sk).at("answer") == "deny");
  CHECK(on.get("/users/2").at("point") == 1000);
  require_books_balance(on);
  require_events_whole(on);
}

} // namespace

TEST_CASE("kill -9 between any two steps loses nothing and credits once", "[system]") {
  platform on;
  walk(on, [&] { on.kill_and_restart(); });
}

TEST_CASE("SIGTERM between any two steps stops in order and the next start goes on", "[system]") {
  platform on;
  walk(on, [&] {
    CHECK(on.stop_server() == 0);
    on.start_server();
  });
}

TEST_CASE("kill -9 in the middle of the settlement credits every user once", "[system]") {
  platform on(platform::setup{.variables = {{"DR_KEPCO_CALLS_PER_S", "60"}}});
  constexpr int users = 12;
  for (int i = 0; i < users; ++i) enrol(on, "site " + std::to_string(i + 1), 100);
  const int campaign = start_campaign(on);
  for (int user = 1; user <= users; ++user) {
    REQUIRE(accept(on, campaign, user) == 200);
    reduce(on, campaign, user, 99);
  }
  end_campaign(on, campaign);
  for (int settled_at_kill = 1; settled_at_kill < users; settled_at_kill += 4) {
    const auto some_are_in = [&] {
      const auto list = on.get("/kepcos?drId=" + std::to_string(campaign));
      return static_cast<int>(list.at("_embedded").at("kepcos").size()) >= settled_at_kill;
    };
    eventually("some checks are in", some_are_in);
    on.kill_and_restart();
  }
  wait_settled(on, campaign);
  for (int user = 1; user <= users; ++user) {
    const auto check = check_of(on, campaign, user);
    CHECK(check.at("isReal") == true);
    CHECK(on.get("/users/" + std::to_string(user)).at("point") == check.at("adjustPoint"));
  }
  require_books_balance(on);
  require_events_whole(on);
}

TEST_CASE("a customer who was offline during a restart is whole again by the snapshot", "[system]") {
  platform on;
  const int user = enrol(on, "제주리조트", 200);
  const int campaign = start_campaign(on);
  on.kill_and_restart();
  auto socket = on.socket_of(user);
  const auto text = socket.receive();
  REQUIRE(text);
  const auto snapshot = json::parse(*text);
  CHECK(snapshot.at("type") == "snapshot");
  REQUIRE(snapshot.at("campaigns").size() == 1);
  CHECK(snapshot["campaigns"][0].at("campaign").at("id") == campaign);
  CHECK(snapshot["campaigns"][0].at("response").at("answer") == "ignore");
}

TEST_CASE("a campaign with a planned end ends by itself after a restart", "[system]") {
  platform on(platform::setup{.variables = {{"DR_CLOCK_START", "2026-07-01T04:50:00Z"}, {"DR_CLOCK_RATE", "600"}}});
  const int user = enrol(on, "한빛제강", 100);
  const auto ordered = on.call("POST", "/drs", {{"name", "예약 발령"}, {"type", "reliable"}});
  REQUIRE(ordered.status == 201);
  const auto id = ordered.body.at("id").get<int>();
  // The clock runs ten minutes a second: far enough ahead to be set, near enough to be waited for.
  const auto date = ordered.body.at("startsAt").get<std::string>();
  const auto later = on.call("PATCH", "/drs/" + std::to_string(id), {{"endsAt", date.substr(0, 11) + "08:00:00Z"}});
  INFO(later.body.dump());
  REQUIRE(later.status == 200);
  CHECK(accept(on, id, user) == 200);
  reduce(on, id, user, 99);
  on.kill_and_restart();
  const auto ended = [&] { return on.get("/drs/" + std::to_string(id)).at("status") == "end"; };
  eventually("the campaign has ended by itself", ended, 60s);
  CHECK(on.get("/drs/" + std::to_string(id)).at("endedAt") == date.substr(0, 11) + "08:00:00Z");
  wait_settled(on, id);
  CHECK(check_of(on, id, user).at("isReal") == true);
}

TEST_CASE("a server whose lease was taken by another one stops writing and ends with its own exit code", "[system]") {
  platform first;
  enrol(first, "samsung", 400);
  platform second(platform::setup{.database_url = first.database_url()});
  // The old process notices at its next write and refuses it.
  CHECK(first.call("POST", "/users", {{"name", "lg"}, {"capacity", 300}}).status == 503);
  CHECK(first.server().wait(30s) == 75);
  CHECK(second.get("/users").at("page").at("totalElements") == 1);
  CHECK(enrol(second, "lg", 300) > 1);
}

TEST_CASE("a second server on the same data folder is refused", "[system]") {
  platform on;
  auto variables = on.server_environment();
  variables["DR_HTTP_ADDRESS"] = "127.0.0.1:0";
  process second(
      process::options{{platform::program("drplatform"), "serve"}, variables, on.data_dir() / "second.log", -1});
  const auto status = second.wait(30s);
  REQUIRE(status);
  CHECK(*status != 0);
  CHECK(on.get("/users").contains("_embedded"));
}
