// Postgres dies, or ends every session, in the middle of the work.
#include "tests/system/answer_load.hpp"
#include "tests/system/own_postgres.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

constexpr int users = 30;

/// Users and a running campaign; returns its id.
int prepare(platform& on) {
  for (int i = 1; i <= users; ++i) enrol(on, "site " + std::to_string(i), 100);
  return start_campaign(on);
}

/// The quarter hour that is `quarters` behind the one running at an instant of a morning.
std::string quarter_after(const std::string& instant, int quarters) {
  const int minutes = std::stoi(instant.substr(11, 2)) * 60 + std::stoi(instant.substr(14, 2));
  const int then = (minutes / 15 + quarters) * 15;
  char time[32];
  std::snprintf(time, sizeof time, "%02d:%02d:00Z", then / 60, then % 60);
  return instant.substr(0, 11) + time;
}

} // namespace

TEST_CASE("Postgres killed, crashed or restarted under load: acknowledged answers are there, others go on",
          "[system]") {
  own_postgres postgres;
  platform on(platform::setup{.variables = {{"DR_DATABASE_REQUEST_TIMEOUT_S", "5"}}, .database_url = postgres.url()});
  const int campaign = prepare(on);
  const std::pair<const char*, std::function<void()>> faults[] = {
      {"kill -9 of the hot writer's backend", [&] { kill_backends(postgres.url(), backend::hot_writer); }},
      {"kill -9 of a reader's backend", [&] { kill_backends(postgres.url(), backend::reader); }},
      {"an immediate restart",
       [&] {
         postgres.stop_immediately();
         postgres.start();
       }},
      {"kill -9 of the postmaster",
       [&] {
         postgres.kill_postmaster();
         postgres.start();
       }},
  };
  for (const auto& [name, strike] : faults) {
    INFO(name);
    answer_load before(on, 1, users / 2); // their last answers are acknowledged right before
    answer_load load(on, users / 2 + 1, users);
    before.wait_for_more(users);
    before.stop();
    strike();
    load.wait_for_more(2L * users);
    load.stop();
    before.require_kept();
    load.require_kept();
    require_counts(on, campaign);
  }
  CHECK(on.call("GET", "/health").status == 200);
  require_events_whole(on);
}

TEST_CASE("a campaign that should have begun and ended while Postgres was away does so when it is back", "[system]") {
  own_postgres postgres;
  platform on(platform::setup{.variables = {{"DR_CLOCK_START", "2026-07-01T04:50:00Z"},
                                            {"DR_CLOCK_RATE", "600"},
                                            {"DR_DATABASE_REQUEST_TIMEOUT_S", "0.5"}},
                              .database_url = postgres.url()});
  const int user = enrol(on, "한빛제강", 100, 10);
  // A quarter hour passes in a second and a half.
  const auto now = on.get("/overview").at("at").get<std::string>();
  const auto end = quarter_after(now, 3);
  const auto ordered =
      on.call("POST", "/drs",
              {{"name", "정전 중 발령"}, {"type", "reliable"}, {"startsAt", quarter_after(now, 2)}, {"endsAt", end}});
  INFO(ordered.body.dump());
  REQUIRE(ordered.status == 201);
  const int campaign = ordered.body.at("id").get<int>();
  CHECK(accept(on, campaign, user) == 200);
  reduce(on, campaign, user, 99);
  auto socket = on.socket_of(user);
  REQUIRE(socket.receive());

  postgres.stop();
  const auto missed_its_start = [&] { return on.log().find("could not take its next step") != std::string::npos; };
  eventually("the campaign fails to begin", missed_its_start);
  postgres.start();
  // The socket stayed, and tells the end, behind the start if there was time left to act on it.
  std::vector<std::string> heard;
  while (heard.empty() || heard.back() != "campaign.ended") {
    const auto text = socket.receive();
    REQUIRE(text);
    heard.push_back(json::parse(*text).at("type").get<std::string>());
  }
  CHECK(std::count(heard.begin(), heard.end(), "campaign.started") <= 1);
  wait_settled(on, campaign);
  CHECK(on.get("/drs/" + std::to_string(campaign)).at("endedAt") == end);
  for (const auto* type : {"DRstarted", "DrEnded"})
    CHECK(on.get(std::string("/events?drId=1&type=") + type).at("_embedded").at("events").size() == 1);
  CHECK(check_of(on, campaign, user).at("isReal") == true);
  require_books_balance(on);
  require_events_whole(on);
}
