// Campaigns other than the plain one.
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

using namespace dr::test;
using namespace std::chrono_literals;

TEST_CASE("a campaign without users ends settled", "[system]") {
  platform on;
  const int campaign = start_campaign(on);
  CHECK(on.get("/responses?drId=1").at("_embedded").at("responses").empty());
  end_campaign(on, campaign);
  wait_settled(on, campaign);
  CHECK(on.get("/drs/1/summary").at("dispatched") == 0);
}

TEST_CASE("a second campaign while one runs gives each user a response in both and credits one reduction once",
          "[system]") {
  platform on;
  const int user = enrol(on, "samsung", 400);
  const int first = start_campaign(on);
  const int second = start_campaign(on, {{"type", "voluntary"}});
  CHECK(accept(on, first, user) == 200);
  CHECK(accept(on, second, user) == 200);
  reduce(on, first, user, 390);
  end_campaign(on, second);
  end_campaign(on, first);
  wait_settled(on, first);
  wait_settled(on, second);
  const auto mandatory = check_of(on, first, user);
  const auto voluntary = check_of(on, second, user);
  INFO(mandatory.dump() << voluntary.dump());
  CHECK(mandatory.at("isReal") == true);
  CHECK(mandatory.at("creditedWh").get<long long>() > 0);
  CHECK(voluntary.at("isReal") == true); // judged before what others credited
  CHECK(mandatory.at("creditedWh").get<long long>() + voluntary.at("creditedWh").get<long long>() <=
        mandatory.at("reductionWh").get<long long>() + 1);
  require_books_balance(on);
}

TEST_CASE("a canceled campaign verifies and credits nothing", "[system]") {
  platform on;
  const int user = enrol(on, "lg", 300);
  const int campaign = start_campaign(on);
  CHECK(accept(on, campaign, user) == 200);
  CHECK(on.call("POST", "/drs/1/cancel", {{"reason", "계통 회복"}}).status == 200);
  CHECK(on.call("POST", "/drs/1/cancel", {{"reason", "계통 회복"}}).status == 200);
  CHECK(on.call("PUT", "/responses/1/deny").status == 409);
  CHECK(on.call("PUT", "/drs/1", {{"status", "end"}}).status == 409);
  CHECK(on.get("/drs/1").at("status") == "canceled");
  CHECK(on.get("/drs/1").at("settlement") == "none");
  CHECK(on.get("/kepcos").at("_embedded").at("kepcos").empty());
}

TEST_CASE("a test campaign alerts and takes answers and settles nothing", "[system]") {
  platform on;
  const int user = enrol(on, "lg", 300);
  const int campaign = start_campaign(on, {{"test", true}});
  CHECK(accept(on, campaign, user) == 200);
  end_campaign(on, campaign);
  const auto saved = [&] { return on.get("/events?type=Listsaved").at("_embedded").at("events").size() == 1; };
  eventually("the list is saved", saved);
  CHECK(on.get("/drs/1").at("settlement") == "none");
  CHECK(on.get("/kepcos").at("_embedded").at("kepcos").empty());
}

TEST_CASE("a scheduled campaign is answerable before it starts, starts and ends by itself", "[system]") {
  platform on(platform::setup{.variables = {{"DR_CLOCK_START", "2026-07-01T04:50:00Z"}, {"DR_CLOCK_RATE", "1200"}}});
  const int user = enrol(on, "samsung", 400);
  const auto now = on.call("POST", "/drs", {{"name", "시각"}, {"type", "reliable"}, {"test", true}})
                       .body.at("startsAt")
                       .get<std::string>();
  const auto day = now.substr(0, 11);
  const auto made =
      on.call("POST", "/drs",
              {{"name", "예약"}, {"type", "reliable"}, {"startsAt", day + "07:00:00Z"}, {"endsAt", day + "08:00:00Z"}});
  INFO(made.body.dump());
  REQUIRE(made.status == 201);
  CHECK(made.body.at("status") == "scheduled");
  const auto id = made.body.at("id").get<int>();
  CHECK(accept(on, id, user) == 200);
  reduce(on, id, user, 390);
  CHECK(on.call("PUT", "/drs/" + std::to_string(id), {{"status", "end"}}).status == 409);
  const auto running = [&] { return on.get("/drs/" + std::to_string(id)).at("status") != "scheduled"; };
  eventually("it has started", running, 60s);
  wait_settled(on, id, 60s);
  const auto check = check_of(on, id, user);
  INFO(check.dump());
  CHECK(check.at("isReal") == true);
  CHECK(check.at("quality") == "final");
  CHECK(on.get("/drs/" + std::to_string(id)).at("endedAt") == day + "08:00:00Z");
}

TEST_CASE("a withdrawn user gets no response in later campaigns and keeps its history", "[system]") {
  platform on;
  enrol(on, "samsung", 400, 1000);
  const int lg = enrol(on, "lg", 300, 70);
  start_campaign(on);
  CHECK(on.call("DELETE", "/users/" + std::to_string(lg)).status == 204);
  CHECK(on.call("DELETE", "/users/" + std::to_string(lg)).status == 204);
  const int second = start_campaign(on);
  CHECK(on.get("/responses?drId=" + std::to_string(second)).at("_embedded").at("responses").size() == 1);
  const auto gone = on.get("/users/" + std::to_string(lg));
  CHECK(gone.at("enrolled") == false);
  CHECK(gone.at("point") == 70);
}

TEST_CASE("a late answer is refused after the end and the answer stays", "[system]") {
  platform on;
  enrol(on, "samsung", 400);
  const int campaign = start_campaign(on, {{"test", true}});
  end_campaign(on, campaign);
  const auto late = on.call("PUT", "/responses/1/accept");
  CHECK(late.status == 409);
  CHECK(late.body.at("type") == "/problems/answer-frozen");
  CHECK(response_of(on, campaign, 1).at("answer") == "ignore");
}
