// Keys, tags, origins and proxies.
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>

#include <thread>

namespace {

using namespace dr;
using namespace dr::test;

TEST_CASE("a keyed write is answered by its first answer, whatever happened since", "[http][front]") {
  front_world world;
  const header_list key{{"Idempotency-Key", "enrol-1"}};
  const json body{{"name", "a"}, {"capacity", 1}};
  const auto first = world.call("POST", "/users", body, key);
  CHECK(first.status == 201);
  world.call("PATCH", "/users/1", {{"name", "b"}});
  const auto again = world.call("POST", "/users", body, key);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.header("Location") == first.header("Location"));
  CHECK(again.header("ETag") == first.header("ETag"));
  CHECK(world.get("/users").body["page"]["totalElements"] == 1);
  CHECK(world.call("POST", "/users", {{"name", "other"}, {"capacity", 1}}, key).status == 422);
  // the same key on another path is another request
  CHECK(world.call("POST", "/drs", {{"name", "d"}, {"type", "reliable"}}, key).status == 201);
  CHECK(world.call("POST", "/drs", {{"name", "d"}, {"type", "reliable"}}, key).body["id"] == 1);
  CHECK(world.get("/drs").body["page"]["totalElements"] == 1);
}

TEST_CASE("a key belongs to the resource, however its path is escaped", "[http][front]") {
  front_world world;
  world.enrol("a", 1, 100);
  const header_list key{{"Idempotency-Key", "once"}};
  const auto first = world.call("POST", "/users/1/withdraw", {{"amount", 10}}, key);
  CHECK(first.status == 201);
  for (const std::string same : {"/users/%31/withdraw", "/%75sers/1/withdraw"}) {
    const auto again = world.call("POST", same, {{"amount", 10}}, key);
    CHECK(again.body == first.body);
    CHECK(again.header("Idempotency-Replayed") == "true");
  }
  CHECK(world.get("/users/1").body["point"] == 90);
}

TEST_CASE("what is not found by a long path is not kept under a key", "[http][front]") {
  front_world world;
  const header_list key{{"Idempotency-Key", "k"}};
  const auto kept_again = [&](const std::string& path) {
    CHECK(world.call("PUT", path, nullptr, key).status == 404);
    const auto again = world.call("PUT", path, nullptr, key);
    CHECK(again.status == 404);
    return again.header("Idempotency-Replayed") == "true";
  };
  CHECK(kept_again("/responses/nothing/accept"));
  CHECK_FALSE(kept_again("/responses/" + std::string(4'000, 'n') + "/accept"));
}

TEST_CASE("a refused keyed write stays refused, a failed one is tried again", "[http][front]") {
  front_world world;
  world.enrol("a", 1, 100);
  const header_list key{{"Idempotency-Key", "k"}};
  const auto refused = world.call("POST", "/users/1/withdraw", {{"amount", 200}}, key);
  CHECK(refused.status == 409);
  CHECK(world.call("POST", "/users/1/withdraw", {{"amount", 200}}, key).body == refused.body);
  const header_list wrong_key{{"Idempotency-Key", "wrong"}};
  CHECK(world.call("POST", "/users", {{"name", ""}}, wrong_key).status == 400);
  CHECK(world.call("POST", "/users", {{"name", ""}}, wrong_key).header("Idempotency-Replayed") == "true");
  CHECK(world.call("POST", "/users", {{"name", "fine"}, {"capacity", 1}}, wrong_key).status == 422);
  const header_list later{{"Idempotency-Key", "later"}};
  world.faults().set_down(true);
  CHECK(world.call("POST", "/users", {{"name", "b"}, {"capacity", 1}}, later).status == 503);
  world.faults().set_down(false);
  REQUIRE(soon([&] { return world.get("/readyz").status == 200; }));
  REQUIRE(soon([&] { return world.call("POST", "/users", {{"name", "b"}, {"capacity", 1}}, later).status == 201; }));
}

TEST_CASE("answers, ends and deletions can carry keys", "[http][front]") {
  front_world world;
  world.enrol("a");
  world.start_campaign();
  const header_list key{{"Idempotency-Key", "k"}};
  const auto accepted = world.call("PUT", "/responses/1/accept", nullptr, key);
  CHECK(accepted.status == 200);
  CHECK(world.call("PUT", "/responses/1/deny").status == 200);
  CHECK(world.call("PUT", "/responses/1/accept", nullptr, key).body["answer"] == "accept");
  CHECK(world.get("/responses/1").body["answer"] == "deny");
  world.clock().advance(1h);
  const auto ended = world.call("POST", "/drs/1/end", nullptr, key);
  CHECK(ended.status == 200);
  CHECK(world.call("POST", "/drs/1/end", nullptr, key).body == ended.body);
  CHECK(world.call("DELETE", "/users/1", nullptr, key).status == 204);
  CHECK(world.call("DELETE", "/users/1", nullptr, key).status == 204);
}

TEST_CASE("a key must be visible ASCII of at most 128 characters", "[http][front]") {
  front_world world;
  const json body{{"name", "a"}, {"capacity", 1}};
  CHECK(world.call("POST", "/users", body, {{"Idempotency-Key", std::string(129, 'k')}}).status == 400);
  CHECK(world.call("POST", "/users", body, {{"Idempotency-Key", "two words"}}).status == 400);
  CHECK(world.call("POST", "/users", body, {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}}).status == 400);
  CHECK(world.call("POST", "/users", body, {{"Idempotency-Key", std::string(128, 'k')}}).status == 201);
}

TEST_CASE("a double submit makes one user", "[http][front]") {
  front_world world;
  std::vector<std::thread> clients;
  std::vector<json_answer> answers(8);
  for (auto& answer : answers)
    clients.emplace_back([&] {
      answer = world.call("POST", "/users", {{"name", "a"}, {"capacity", 1}}, {{"Idempotency-Key", "same"}});
    });
  for (auto& client : clients) client.join();
  for (const auto& answer : answers) {
    CHECK(answer.status == 201);
    CHECK(answer.body["id"] == answers[0].body["id"]);
  }
  CHECK(world.get("/users").body["page"]["totalElements"] == 1);
}

TEST_CASE("an unchanged item is not sent again, and a stale change is refused", "[http][front]") {
  front_world world;
  world.enrol("a");
  world.start_campaign();
  for (const std::string target : {"/users/1", "/drs/1", "/responses/1"}) {
    const auto tag = world.get(target).header("ETag");
    INFO(target << " " << tag);
    CHECK(tag.starts_with("\""));
    const auto same = world.get(target, {{"If-None-Match", tag}});
    CHECK(same.status == 304);
    CHECK(same.raw.body.empty());
    CHECK(same.header("ETag") == tag);
    CHECK(world.get(target, {{"If-None-Match", "\"0\""}}).status == 200);
  }
  const auto old = world.get("/users/1").header("ETag");
  const auto changed = world.call("PATCH", "/users/1", {{"name", "b"}}, {{"If-Match", old}});
  CHECK(changed.status == 200);
  CHECK(changed.header("ETag") != old);
  const auto stale = world.call("PATCH", "/users/1", {{"name", "c"}}, {{"If-Match", old}});
  CHECK(stale.status == 412);
  CHECK(world.call("DELETE", "/users/1", nullptr, {{"If-Match", old}}).status == 412);
  CHECK(world.call("POST", "/users/1/token", nullptr, {{"If-Match", old}}).status == 412);
  CHECK(world.call("POST", "/users/1/token", nullptr, {{"If-Match", changed.header("ETag")}}).status == 201);
  CHECK(world.call("PATCH", "/users/1", {{"name", "c"}}, {{"If-Match", "*"}, {"If-Match", old}}).status == 400);
  CHECK(world.call("PATCH", "/users/1", {{"name", "c"}}, {{"If-Match", "*"}}).status == 200);
  const auto response = world.get("/responses/1").header("ETag");
  CHECK(world.call("PUT", "/responses/1/accept", nullptr, {{"If-Match", response}}).status == 200);
  CHECK(world.call("PUT", "/responses/1/deny", nullptr, {{"If-Match", response}}).status == 412);
  const auto campaign = world.get("/drs/1").header("ETag");
  CHECK(world.call("PATCH", "/drs/1", {{"name", "x"}}, {{"If-Match", campaign}}).status == 200);
  CHECK(world.call("POST", "/drs/1/end", nullptr, {{"If-Match", campaign}}).status == 412);
  CHECK(world.call("POST", "/drs/1/cancel", {{"reason", "x"}}, {{"If-Match", "W/\"1\""}}).status == 412);
}

TEST_CASE("a response's tag follows what is derived in it", "[http][front]") {
  front_world world;
  world.enrol("before");
  world.start_campaign();
  const auto tag = world.get("/responses/1").header("ETag");
  world.call("PATCH", "/users/1", {{"name", "after"}});
  const auto now = world.get("/responses/1", {{"If-None-Match", tag}});
  CHECK(now.status == 200);
  CHECK(now.body["userName"] == "after");
}

TEST_CASE("browsers may call from allowed origins only", "[http][front]") {
  front_world world({auth_mode::off, [](settings& s) { s.http.cors_origins = {"https://console.example"}; }});
  const auto preflight = [&](const std::string& origin) {
    return read_json(world.nobody().request("OPTIONS", "/users", "",
                                            {{"Origin", origin}, {"Access-Control-Request-Method", "POST"}}));
  };
  CHECK(preflight("https://console.example").status == 204);
  CHECK(preflight("https://console.example").header("Access-Control-Allow-Origin") == "https://console.example");
  CHECK(preflight("https://evil.example").header("Access-Control-Allow-Origin").empty());
  CHECK(world.get("/users", {{"Origin", "https://console.example"}}).header("Access-Control-Allow-Origin") ==
        "https://console.example");
  CHECK(world.get("/users", {{"Origin", "https://evil.example"}}).header("Access-Control-Allow-Origin").empty());
  const json body{{"name", "a"}, {"capacity", 1}};
  CHECK(world.call("POST", "/users", body, {{"Origin", "https://evil.example"}}).status == 403);
  CHECK(world.call("POST", "/users", body, {{"Origin", "https://console.example"}}).status == 201);
  CHECK(world.call("POST", "/users", body, {{"Origin", "http://127.0.0.1:" + std::to_string(world.port())}}).status ==
        201);
}

TEST_CASE("forwarded addresses are believed from trusted proxies only", "[http][front]") {
  const header_list forwarded{
      {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "dr.example"}, {"X-Forwarded-For", "10.1.2.3"}};
  front_world plain;
  CHECK(plain.get("/", forwarded).body["_links"]["self"]["href"] ==
        "http://127.0.0.1:" + std::to_string(plain.port()) + "/");
  front_world behind({auth_mode::off, [](settings& s) { s.http.trusted_proxies = {"127.0.0.0/8"}; }});
  CHECK(behind.get("/", forwarded).body["_links"]["self"]["href"] == "https://dr.example/");
  CHECK(behind.get("/", {{"X-Forwarded-Host", "bad host"}}).status == 400);
}

TEST_CASE("every answer carries the security headers", "[http][front]") {
  front_world world;
  for (const auto& got : {world.get("/users"), world.get("/users/1"), world.get("/nothing")}) {
    CHECK(got.header("X-Content-Type-Options") == "nosniff");
    CHECK_FALSE(got.header("Content-Security-Policy").empty());
    CHECK_FALSE(got.header("Cache-Control").empty());
  }
  const auto never_routed = world.get("/%zz");
  CHECK(never_routed.status == 400);
  CHECK(never_routed.header("X-Content-Type-Options") == "nosniff");
}

TEST_CASE("of two withdrawals that saw the same balance one is carried out", "[http][front]") {
  front_world world;
  world.enrol("a", 400, 1000);
  const auto seen = world.get("/users/1").header("ETag");
  const auto withdraw = [&](const std::string& key) {
    return world.call("POST", "/users/1/withdraw", {{"amount", 200}}, {{"Idempotency-Key", key}, {"If-Match", seen}});
  };
  CHECK(withdraw("k1").status == 201);
  CHECK(withdraw("k2").status == 412);
  CHECK(withdraw("k1").header("Idempotency-Replayed") == "true");
  CHECK(world.get("/users/1").body["point"] == 800);
  const auto wrong = world.call("POST", "/users/1/withdraw", {{"amount", 200}},
                                {{"Idempotency-Key", "k3"}, {"If-Match", "\"1\", \"2\""}});
  CHECK(wrong.status == 400);
  CHECK(wrong.body["errors"][0]["pointer"] == "If-Match");
}

TEST_CASE("a kept answer stays for its day also when nothing else happens in the database", "[http][front]") {
  front_world world({auth_mode::off, [](settings& s) { s.metering.collect_history = false; }});
  world.enrol("a");
  const auto start = world.clock().now() + 30h;
  world.call("POST", "/drs", {{"name", "later"}, {"type", "reliable"}, {"startsAt", format_rfc3339(start)}});
  world.clock().advance(29h); // a quiet day
  const header_list key{{"Idempotency-Key", "end-1"}};
  CHECK(world.call("POST", "/drs/1/end", nullptr, key).status == 409);
  world.clock().advance(2h);
  REQUIRE(soon([&] { return world.get("/drs/1").body["status"] == "running"; }));
  CHECK(world.call("POST", "/drs/1/end", nullptr, key).header("Idempotency-Replayed") == "true");
  CHECK(world.get("/drs/1").body["status"] == "running");
}

TEST_CASE("a customer that asks too fast is told to slow down, and nobody else is", "[http][front]") {
  front_world world({auth_mode::token, [](settings& s) {
                       s.http.customer_rate = 1;
                       s.http.customer_burst = 20;
                     }});
  world.enrol("hasty");
  world.enrol("calm");
  auto hasty = world.with_token(world.token_of(1));
  auto calm = world.with_token(world.token_of(2));
  auto refused = read_json(hasty.get("/users/1"));
  for (int i = 0; i < 500 && refused.status == 200; ++i) refused = read_json(hasty.get("/users/1"));
  CHECK(refused.status == 429);
  CHECK(refused.header("Retry-After") == "2");
  CHECK(refused.body["type"] == "/problems/too-many-requests");
  CHECK(calm.get("/users/2").status == 200);
  CHECK(world.get("/users/1").status == 200); // the admin
}

TEST_CASE("an answer that was refused for haste is given when it is repeated with its key", "[http][front]") {
  front_world world({auth_mode::token, {}});
  world.enrol("a");
  world.start_campaign();
  const auto token = world.token_of(1);
  auto customer = world.with_token(token);
  ws_client socket(world.port(), "/ws", {{"Authorization", "Bearer " + token}});
  REQUIRE(socket.receive()); // the snapshot
  world.faults().set_down(true);
  for (int i = 0; i < 20; ++i)
    socket.send(json{{"type", "answer"}, {"responseId", 1}, {"answer", i % 2 ? "accept" : "deny"}}.dump());
  for (json got; got["type"] != "error";) { // the response's place for this customer is full
    const auto text = socket.receive();
    REQUIRE(text);
    got = json::parse(*text);
    if (got["type"] == "error") CHECK(got["problem"]["status"] == 429);
  }
  const header_list key{{"Idempotency-Key", "answer-1"}};
  CHECK(customer.put("/responses/1/accept", {}, key).status == 429);
  world.faults().set_down(false);
  REQUIRE(soon([&] { return customer.put("/responses/1/accept", {}, key).status == 200; }));
  CHECK(world.get("/responses/1").body["answer"] == "accept");
}

} // namespace
