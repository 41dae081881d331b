// The walk an operator takes by hand, and every other call's good answer.
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace dr::test;

std::string of(const std::string& collection, int id, const std::string& rest = "") {
  return "/" + collection + "/" + std::to_string(id) + rest;
}

TEST_CASE("a campaign goes from its order to credited points", "[http][front]") {
  front_world world;
  const int samsung = world.enrol("samsung", 400, 1000);
  const int lg = world.enrol("lg", 300, 1000);
  const int sk = world.enrol("sk", 500, 1000);
  world.reduce("0000000001", 383);
  world.reduce("0000000002", 295);
  const int dr = world.start_campaign();
  for (const int user : {samsung, lg, sk}) {
    const auto id = world.response_of(dr, user);
    CHECK(world.get(of("responses", id)).body["answer"] == "ignore");
    const auto accepted = world.call("PUT", of("responses", id, "/accept"));
    CHECK(accepted.status == 200);
    CHECK(accepted.body["answer"] == "accept");
  }
  CHECK(world.get(of("drs", dr, "/summary")).body["accept"] == 3);
  world.clock().advance(1h);
  const auto ended = world.call("PUT", of("drs", dr), {{"status", "end"}});
  INFO(ended.raw.body);
  CHECK(ended.status == 200);
  CHECK(ended.body["status"] == "end");
  REQUIRE(soon([&] { return world.get(of("drs", dr)).body["settlement"] == "settled"; }));

  const auto checks = world.get("/kepcos?drId=" + std::to_string(dr));
  REQUIRE(checks.body["_embedded"]["kepcos"].size() == 3);
  for (const auto& check : checks.body["_embedded"]["kepcos"]) {
    const bool real = check["userId"] != sk;
    CHECK(check["isReal"] == real);
    const auto response = world.get(of("responses", check["responseId"]));
    CHECK(response.body["answer"] == (real ? "accept" : "deny"));
    CHECK(response.body["verification"] == (real ? "real" : "unreal"));
    const auto user = world.get(of("users", check["userId"]));
    CHECK(user.body["point"] == 1000 + check["adjustPoint"].get<int>());
    CHECK((check["adjustPoint"] > 0) == real);
  }
  const auto summary = world.get(of("drs", dr, "/summary"));
  CHECK(summary.body["verification"] == json{{"pending", 0}, {"real", 2}, {"unreal", 1}, {"unverifiable", 0}});
  const auto ledger = world.get(of("users", samsung, "/ledger"));
  CHECK(ledger.body["_embedded"]["ledger"][0]["kind"] == "credit");
  CHECK(ledger.body["_embedded"]["ledger"][1]["kind"] == "opening");
}

TEST_CASE("a settled check is verified again on demand, with the next revision", "[http][front]") {
  front_world world;
  const int user = world.enrol("lg", 300);
  const int dr = world.start_campaign();
  const int response = world.response_of(dr, user);
  world.call("PUT", of("responses", response, "/accept"));
  world.clock().advance(1h);
  CHECK(world.call("POST", of("drs", dr, "/end")).status == 200);
  REQUIRE(soon([&] { return world.get(of("drs", dr)).body["settlement"] == "settled"; }));
  CHECK(world.get(of("responses", response)).body["answer"] == "deny");
  const int check = world.get("/kepcos").body["_embedded"]["kepcos"][0]["id"];
  world.reduce("0000000001", 300);
  const auto queued = world.call("POST", of("kepcos", check, "/recheck"));
  INFO(queued.raw.body);
  CHECK(queued.status == 202);
  CHECK(queued.body["status"] == "queued");
  REQUIRE(soon([&] { return world.get(of("kepcos", check)).body["revision"] == 2; }));
  CHECK(world.get(of("kepcos", check)).body["isReal"] == true);
  CHECK(world.get(of("responses", response)).body["answer"] == "accept");
  CHECK(world.get(of("users", user)).body["point"] > 0);
  const auto retried = world.call("POST", of("drs", dr, "/retry-checks"));
  CHECK(retried.status == 202);
  CHECK(retried.body["count"] == 0);
}

TEST_CASE("a user is enrolled, read, changed and withdrawn", "[http][front]") {
  front_world world;
  const auto made = world.call("POST", "/users", {{"name", "samsung"}, {"point", 1000}, {"capacity", 400.125}});
  CHECK(made.status == 201);
  CHECK(made.header("Content-Type") == "application/hal+json");
  const auto base = "http://127.0.0.1:" + std::to_string(world.port());
  CHECK(made.header("Location") == base + "/users/1");
  CHECK(made.body["_links"]["self"]["href"] == base + "/users/1");
  CHECK(made.body["_links"]["user"]["href"] == base + "/users/1");
  CHECK(made.body["capacity"] == 400.125);
  CHECK(made.body["custNo"] == "0000000001");
  CHECK(world.get("/users/1").body == made.body);

  auto again = made.body;
  again["name"] = "삼성전자";
  const auto put = world.call("PUT", "/users/1", again);
  CHECK(put.status == 200);
  CHECK(put.body["name"] == "삼성전자");
  CHECK(put.body["point"] == 1000);
  const auto patched = world.call("PATCH", "/users/1", {{"baselineMethod", "mid-6-10"}, {"saa", true}});
  CHECK(patched.status == 200);
  CHECK(patched.body["baselineMethod"] == "mid-6-10");
  CHECK(world.call("PUT", "/users/1", {{"capacity", 10}}).body["name"] == "삼성전자");

  CHECK(world.call("DELETE", "/users/1").status == 204);
  CHECK(world.call("DELETE", "/users/1").status == 204);
  CHECK(world.get("/users/1").body["enrolled"] == false);
  CHECK(world.get("/users?enrolled=true").body["_embedded"]["users"].empty());
  const auto taken = world.call("POST", "/users", {{"name", "x"}, {"capacity", 1}, {"custNo", "0000000001"}});
  CHECK(taken.status == 409);
  CHECK(taken.body["type"] == "/problems/cust-no-taken");
}

TEST_CASE("a campaign is announced, changed and canceled", "[http][front]") {
  front_world world;
  world.enrol("a");
  const auto made =
      world.call("POST", "/drs",
                 {{"name", "tomorrow"}, {"type", "citizen"}, {"startsAt", "2026-07-02T05:00:00Z"}, {"orderKw", 12.5}});
  INFO(made.raw.body);
  CHECK(made.status == 201);
  CHECK(made.header("Location").ends_with("/drs/1"));
  CHECK(made.body["status"] == "scheduled");
  CHECK(made.body["orderKw"] == 12.5);
  CHECK(world.call("PUT", "/responses/1", {{"answer", "accept"}}).status == 200);
  CHECK(world.call("POST", "/drs/1/end").status == 409);
  const auto changed =
      world.call("PATCH", "/drs/1", {{"name", "later"}, {"endsAt", "2026-07-02T06:00:00Z"}, {"orderKw", nullptr}});
  CHECK(changed.status == 200);
  CHECK(changed.body["orderKw"].is_null());
  CHECK(changed.body["endsAt"] == "2026-07-02T06:00:00Z");
  const auto canceled = world.call("POST", "/drs/1/cancel", {{"reason", "by mistake"}});
  CHECK(canceled.body["status"] == "canceled");
  CHECK(world.call("POST", "/drs/1/cancel", {{"reason", "by mistake"}}).status == 200);
  CHECK(world.call("POST", "/drs/1/end").status == 409);
  CHECK(world.call("PUT", "/responses/1/deny").status == 409);
}

TEST_CASE("points are withdrawn with a key, once", "[http][front]") {
  front_world world;
  world.enrol("a", 1, 500);
  CHECK(world.call("POST", "/users/1/withdraw", {{"amount", 200}}).status == 400);
  const header_list key{{"Idempotency-Key", "w-1"}};
  const auto first = world.call("POST", "/users/1/withdraw", {{"amount", 200}}, key);
  INFO(first.raw.body);
  CHECK(first.status == 201);
  CHECK(first.body["amount"] == -200);
  CHECK(first.body["balanceAfter"] == 300);
  const auto again = world.call("POST", "/users/1/withdraw", {{"amount", 200}}, key);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.header("Idempotency-Replayed") == "true");
  const auto other = world.call("POST", "/users/1/withdraw", {{"amount", 100}}, key);
  CHECK(other.status == 422);
  CHECK(other.body["type"] == "/problems/key-reused");
  const auto much = world.call("POST", "/users/1/withdraw", {{"amount", 301}}, {{"Idempotency-Key", "w-2"}});
  CHECK(much.status == 409);
  CHECK(much.body["type"] == "/problems/insufficient-points");
  CHECK(world.get("/users/1").body["point"] == 300);
}

TEST_CASE("overview, events, health, index and description answer", "[http][front]") {
  front_world world;
  world.enrol("a");
  const int dr = world.start_campaign();
  const auto overview = world.get("/overview");
  INFO(overview.raw.body);
  CHECK(overview.status == 200);
  CHECK(overview.body["campaigns"][0]["drId"] == dr);
  CHECK(overview.body["campaigns"][0]["name"] == "dr for test");
  CHECK(overview.body["users"]["enrolled"] == 1);
  CHECK(overview.body["health"]["status"] == "up");
  CHECK(overview.body["events"].size() >= 3);

  const auto events = world.get("/events?type=DRstarted");
  CHECK(events.body["_embedded"]["events"].size() == 1);
  std::int64_t last = 0;
  for (const auto answer = world.get("/events"); const auto& event : answer.body["_embedded"]["events"])
    CHECK(event["seq"].get<std::int64_t>() == ++last);

  const auto health = world.get("/health");
  INFO(health.raw.body);
  CHECK(health.status == 200);
  CHECK(health.body["status"] == "up");
  CHECK(health.body["clock"] == "virtual");
  CHECK(health.body["kepco"]["simulated"] == true);
  CHECK(health.body["tree"]["children"].size() == 4);
  CHECK(world.get("/livez").status == 200);
  CHECK(world.get("/").body["_links"]["users"]["href"].get<std::string>().ends_with("/users"));
  const auto yaml = world.nobody().get("/openapi.yaml");
  CHECK(yaml.header("Content-Type") == "application/yaml");
  CHECK(yaml.body.starts_with("openapi: 3.1.0"));
  const auto head = world.nobody().head("/users");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
}

TEST_CASE("health stays readable and answers go on while the store is down and back", "[http][front]") {
  front_world world;
  world.enrol("a");
  const int dr = world.start_campaign();
  const int response = world.response_of(dr, 1);
  world.faults().set_down(true);
  CHECK(world.get("/readyz").status == 503);
  const auto refused = world.call("PUT", of("responses", response, "/accept"));
  CHECK(refused.status == 503);
  CHECK_FALSE(refused.header("Retry-After").empty());
  CHECK(world.get("/livez").status == 200);
  REQUIRE(soon([&] { return world.get("/health").status == 503; }));
  CHECK(world.get("/health").body["status"] == "down");
  CHECK_FALSE(world.get("/health").header("Retry-After").empty());
  world.faults().set_down(false);
  REQUIRE(soon([&] { return world.get("/readyz").status == 200; }));
  REQUIRE(soon([&] { return world.call("PUT", of("responses", response, "/accept")).status == 200; }));
}

TEST_CASE("draining says so in readyz and goes on answering", "[http][front]") {
  front_world world;
  world.begin_draining();
  const auto ready = world.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(ready.body["type"] == "/problems/shutting-down");
  CHECK(world.get("/users").status == 200);
}

TEST_CASE("a front that crashed listens on the same socket again", "[http][front]") {
  front_world world;
  world.enrol("a");
  world.crash_front();
  REQUIRE(soon([&] {
    try {
      const auto tree = world.get("/health").body["tree"];
      for (const auto& group : tree["children"])
        for (const auto& child : group["children"])
          if (child["name"] == "http_front") return child["restarts"] == 1;
      return false;
    } catch (const client_error&) {
      return false;
    }
  }));
  CHECK(world.get("/users/1").status == 200);
}

} // namespace
