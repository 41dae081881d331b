// KEPCO is absent, slow, lying or late, before, during and after a campaign. Dispatch never notices.
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

/// Starts a campaign of two users, lets both accept and one reduce, and ends it.
int play(platform& on) {
  enrol(on, "samsung", 400, 1000);
  enrol(on, "sk", 500, 1000);
  const int campaign = start_campaign(on);
  CHECK(accept(on, campaign, 1) == 200);
  CHECK(accept(on, campaign, 2) == 200);
  reduce(on, campaign, 1, 383);
  end_campaign(on, campaign);
  return campaign;
}

void require_fair_end(platform& on, int campaign) {
  wait_settled(on, campaign);
  const auto check = check_of(on, campaign, 1);
  INFO(check.dump());
  CHECK(check.at("isReal") == true);
  CHECK(on.get("/users/1").at("point").get<int>() == 1000 + check.at("adjustPoint").get<int>());
  CHECK(on.get("/users/2").at("point") == 1000);
  CHECK(response_of(on, campaign, 2).at("answer") == "deny");
  require_books_balance(on);
  require_events_whole(on);
}

} // namespace

TEST_CASE("each kind of rubbish from KEPCO delays the settlement and changes nothing else", "[system]") {
  const json fault =
      GENERATE(json{{"down", true}}, json{{"errorRate", 1.0}}, json{{"truncateRate", 1.0}}, json{{"garbageRate", 1.0}},
               json{{"missingRate", 1.0}}, json{{"hangRate", 1.0}}, json{{"lagMinutes", 600}});
  INFO(fault.dump());
  platform on(platform::setup{.variables = {{"DR_KEPCO_CALL_TIMEOUT_S", "0.5"}}});
  on.sim("PUT", "/_sim/faults", fault);
  const int campaign = play(on);
  const auto tried = [&] {
    return on.sim("GET", "/_sim/stats").dump().find("getDayLpData") != std::string::npos || fault.contains("down");
  };
  eventually("KEPCO was asked", tried);
  CHECK(on.get("/kepcos").at("_embedded").at("kepcos").empty());
  CHECK(on.get("/drs/" + std::to_string(campaign)).at("settlement") == "verifying");
  // Campaigns go on as always meanwhile.
  const int second = start_campaign(on, {{"test", true}});
  CHECK(accept(on, second, 1) == 200);
  end_campaign(on, second);

  const json healthy{{"down", false},    {"errorRate", 0}, {"truncateRate", 0}, {"garbageRate", 0},
                     {"missingRate", 0}, {"hangRate", 0},  {"lagMinutes", 0}};
  on.sim("PUT", "/_sim/faults", healthy);
  require_fair_end(on, campaign);
}

TEST_CASE("a KEPCO that errs at random is asked until everything is known", "[system]") {
  platform on(platform::setup{.variables = {{"DR_KEPCO_CALL_TIMEOUT_S", "0.5"}}});
  on.sim("PUT", "/_sim/faults", {{"errorRate", 0.2}, {"truncateRate", 0.1}, {"garbageRate", 0.1}, {"hangRate", 0.02}});
  const int campaign = play(on);
  require_fair_end(on, campaign);
}

TEST_CASE("a KEPCO that was never there is named in /health and found when it comes", "[system]") {
  platform on;
  on.stop_simulator();
  enrol(on, "samsung", 400, 1000);
  enrol(on, "sk", 500, 1000);
  const int campaign = start_campaign(on);
  CHECK(accept(on, campaign, 1) == 200);
  CHECK(accept(on, campaign, 2) == 200);
  end_campaign(on, campaign);
  const auto degraded = [&] { return on.get("/health").at("status") == "degraded"; };
  eventually("health is degraded", degraded);
  CHECK(on.call("GET", "/health").status == 200);
  on.start_simulator();
  reduce(on, campaign, 1, 383);
  require_fair_end(on, campaign);
}

TEST_CASE("a user without usable metering data is unverifiable once the deadline has passed and blocks nobody",
          "[system]") {
  platform on(platform::setup{.variables = {{"DR_USERS_ASSIGN_CUST_NO", "false"}}});
  const int nameless = enrol(on, "번호 없음", 100, 50);
  const auto made = on.call("POST", "/users", {{"name", "samsung"}, {"capacity", 400}, {"custNo", "0000000007"}});
  REQUIRE(made.status == 201);
  const int campaign = start_campaign(on);
  CHECK(accept(on, campaign, nameless) == 200);
  CHECK(accept(on, campaign, 2) == 200);
  reduce(on, campaign, 2, 383);
  end_campaign(on, campaign);
  wait_settled(on, campaign);
  const auto check = check_of(on, campaign, nameless);
  CHECK(check.at("quality") == "unverifiable");
  CHECK(check.at("adjustPoint") == 0);
  CHECK(response_of(on, campaign, nameless).at("answer") == "accept");
  CHECK(response_of(on, campaign, nameless).at("verification") == "unverifiable");
  CHECK(check_of(on, campaign, 2).at("isReal") == true);
  CHECK(on.get("/users/1").at("point") == 50);
}
