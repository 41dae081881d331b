// Korean, emoji and long names through every path.
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

using namespace dr::test;

TEST_CASE("Korean names, emoji and 200-character names survive REST, CSV, WebSocket and the log", "[system]") {
  platform on;
  std::string long_name;
  for (int i = 0; i < 200; ++i) long_name += "가";
  const std::string emoji = "제주 👩‍🏭 \"공장\", 1동";
  const int first = enrol(on, long_name, 100);
  CHECK(on.get("/users/" + std::to_string(first)).at("name") == long_name);
  const auto too_long = on.call("POST", "/users", {{"name", long_name + "가"}, {"capacity", 1}});
  CHECK(too_long.status == 400);
  CHECK(too_long.body.at("errors")[0].at("pointer") == "/name");

  http_client client(on.port());
  const auto imported =
      client.post("/users/import", "name,capacity,custNo\n\"제주 👩‍🏭 \"\"공장\"\", 1동\",50,0000000099\n",
                  {{"Content-Type", "text/csv"}});
  INFO(imported.body);
  REQUIRE(imported.status == 200);
  CHECK(on.get("/users/2").at("name") == emoji);

  auto socket = on.socket_of(2);
  const auto snapshot = socket.receive();
  REQUIRE(snapshot);
  CHECK(json::parse(*snapshot).at("user").at("name") == emoji);
  const int campaign = start_campaign(on, {{"name", "긴급 발령 ⚡"}});
  const auto alert = socket.receive();
  REQUIRE(alert);
  CHECK(json::parse(*alert).at("campaign").at("name") == "긴급 발령 ⚡");
  CHECK(json::parse(*alert).at("response").at("userName") == emoji);
  CHECK(on.log().find("긴급 발령 ⚡") != std::string::npos);
  const auto csv = client.get("/drs/" + std::to_string(campaign) + "/statement.csv");
  CHECK(csv.status == 200);
  CHECK(csv.body.find(long_name) != std::string::npos);
  CHECK(csv.body.find("제주 👩‍🏭 \"\"공장\"\", 1동") != std::string::npos);
}
