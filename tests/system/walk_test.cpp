// The walk that the README promises, on the real programs.
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

using namespace dr::test;

TEST_CASE("a reduction order goes from its start to credited points", "[system]") {
  platform on;
  const auto created = on.call("POST", "/users", {{"name", "samsung"}, {"point", 1000}, {"capacity", 400}});
  REQUIRE(created.status == 201);
  CHECK(created.body.at("id") == 1);
  CHECK(created.body.at("_links").at("self").at("href").get<std::string>().find("/users/1") != std::string::npos);
  REQUIRE(enrol(on, "lg", 300, 1000) == 2);
  REQUIRE(enrol(on, "sk", 500, 1000) == 3);

  const auto started = on.call("POST", "/drs/startdr", {{"name", "dr for test"}, {"type", "reliable"}});
  REQUIRE(started.status == 200);
  CHECK(started.body.at("id") == 1);
  CHECK(started.body.at("status") == "running");
  CHECK(started.body.contains("date"));

  const auto listed = on.get("/responses?drId=1").at("_embedded").at("responses");
  REQUIRE(listed.size() == 3);
  const int capacities[] = {400, 300, 500};
  const char* names[] = {"samsung", "lg", "sk"};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(listed[i].at("id") == i + 1);
    CHECK(listed[i].at("answer") == "ignore");
    CHECK(listed[i].at("userId") == i + 1);
    CHECK(listed[i].at("userName") == names[i]);
    CHECK(listed[i].at("userCapacity") == capacities[i]);
  }

  for (const char* path : {"/responses/1/accept", "/responses/2/accept", "/responses/3/accept"})
    CHECK(on.call("PUT", path).status == 200);
  reduce(on, 1, 1, 383);
  reduce(on, 1, 2, 295);
  CHECK(on.call("PUT", "/drs/1", {{"status", "end"}}).status == 200);
  wait_settled(on, 1);

  REQUIRE(on.get("/kepcos").at("_embedded").at("kepcos").size() == 3);
  for (const int user : {1, 2}) {
    const auto check = check_of(on, 1, user);
    INFO(check.dump());
    CHECK(check.at("isReal") == true);
    CHECK(check.at("adjustPoint").get<int>() > 0);
    CHECK(response_of(on, 1, user).at("answer") == "accept");
    CHECK(on.get("/users/" + std::to_string(user)).at("point").get<int>() == 1000 + check.at("adjustPoint").get<int>());
  }
  const auto cheat = check_of(on, 1, 3);
  CHECK(cheat.at("isReal") == false);
  CHECK(cheat.at("adjustPoint") == 0);
  CHECK(response_of(on, 1, 3).at("answer") == "deny");
  CHECK(on.get("/users/3").at("point") == 1000);

  // Whatever is repeated changes nothing any more.
  CHECK(on.call("PUT", "/drs/1", {{"status", "end"}}).status == 200);
  CHECK(on.call("PUT", "/responses/1/accept").status == 200);
  CHECK(on.call("PUT", "/responses/1/deny").status == 409);
  require_books_balance(on);
  require_events_whole(on);
}

TEST_CASE("a connected customer is alerted, answers by its socket and hears of its points", "[system]") {
  platform on;
  const int user = enrol(on, "한빛제강", 400);
  auto socket = on.socket_of(user);
  const auto next = [&](const std::string& type) { return hear(socket, type); };
  CHECK(next("snapshot").at("campaigns").empty());
  const int campaign = start_campaign(on);
  const auto alert = next("campaign.started");
  CHECK(alert.at("campaign").at("id") == campaign);
  const auto response = alert.at("response").at("id");
  CHECK(alert.at("response").at("expectedPoints").get<int>() > 0);
  socket.send(json{{"type", "received"}, {"responseId", response}}.dump());
  socket.send(json{{"type", "answer"}, {"responseId", response}, {"answer", "accept"}, {"ref", "a1"}}.dump());
  CHECK(next("answered").at("ref") == "a1");
  CHECK(response_of(on, campaign, user).at("answer") == "accept");
  CHECK_FALSE(response_of(on, campaign, user).at("deliveredAt").is_null());
  reduce(on, campaign, user, 390);
  end_campaign(on, campaign);
  CHECK(next("campaign.ended").at("campaign").at("status") == "end");
  CHECK(next("reduction.checked").contains("type"));
  CHECK(next("point.changed").contains("type"));
}

TEST_CASE("a hundred thousand users get exactly one response each", "[system]") {
  platform on;
  constexpr int users = 100'000;
  std::string csv = "name,capacity,custNo\n";
  for (int i = 1; i <= users; ++i)
    csv += "고객 " + std::to_string(i) + ",100," + std::to_string(1'000'000'000 + i) + "\n";
  http_client client(on.port(), "127.0.0.1", std::chrono::minutes(2));
  const auto imported = client.post("/users/import", csv, {{"Content-Type", "text/csv"}});
  INFO(imported.body);
  REQUIRE(imported.status == 200);
  CHECK(json::parse(imported.body).at("created") == users);

  const int campaign = start_campaign(on);
  const auto list = on.get("/responses?drId=" + std::to_string(campaign));
  CHECK(list.at("page").at("totalElements") == users);
  std::size_t seen = 0;
  long long last_user = 0;
  std::string next = "/responses?drId=" + std::to_string(campaign) + "&size=1000";
  while (!next.empty()) {
    const auto page = json::parse(client.get(next).body);
    for (const auto& response : page.at("_embedded").at("responses")) {
      REQUIRE(response.at("answer") == "ignore");
      REQUIRE(response.at("userId").get<long long>() > last_user); // ascending, so nobody stands twice
      last_user = response.at("userId").get<long long>();
      ++seen;
    }
    next.clear();
    if (page.at("_links").contains("next")) {
      const auto href = page["_links"]["next"]["href"].get<std::string>();
      next = href.substr(href.find("/responses"));
    }
  }
  CHECK(seen == users);
}
