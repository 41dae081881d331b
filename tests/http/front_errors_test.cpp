// Bad input, and the documented error of each kind.
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace dr::test;

/// Every problem has the shape that clients rely on.
void check_problem(const json_answer& got, unsigned status, const std::string& type = "") {
  INFO(got.raw.body);
  CHECK(got.status == status);
  CHECK(got.header("Content-Type") == "application/problem+json");
  REQUIRE(got.body.is_object());
  CHECK(got.body["status"] == status);
  CHECK(got.body["message"] == got.body["detail"]);
  CHECK(got.body["type"].get<std::string>().starts_with("/problems/"));
  if (!type.empty()) CHECK(got.body["type"] == "/problems/" + type);
}

json_answer raw(front_world& world, const std::string& method, const std::string& target, std::string body,
                header_list headers = {}) {
  return read_json(world.admin().request(method, target, std::move(body), std::move(headers)));
}

TEST_CASE("bodies that cannot be read are malformed", "[http][front]") {
  front_world world;
  for (const auto& body :
       std::vector<std::string>{"{", "[]", "null", "\"x\"", "{\"name\":\"a\",}", "{\"name\":\"\xff\"}",
                                "{\"a\":1,\"a\":1}", std::string("{}\0\1", 4)})
    for (const std::string target : {"/users", "/drs", "/drs/startdr"})
      check_problem(raw(world, "POST", target, body), 400, "malformed");
  check_problem(raw(world, "POST", "/users", ""), 400, "malformed");
  check_problem(raw(world, "POST", "/users", std::string(10'000, '[')), 400, "malformed");
}

TEST_CASE("wrong types, ranges and names are reported together", "[http][front]") {
  front_world world;
  const auto got = world.call("POST", "/users", {{"name", 5}, {"capacity", "400"}, {"colour", "red"}});
  check_problem(got, 400, "invalid");
  CHECK(got.body["instance"] == "/users");
  REQUIRE(got.body["errors"].size() == 3);
  CHECK(got.body["errors"][0]["pointer"] == "/name");
  CHECK(got.body["errors"][1]["pointer"] == "/capacity");
  CHECK(got.body["errors"][2]["pointer"] == "/colour");
  world.enrol("whole", 1, 100);
  const auto half = world.call("POST", "/users/1/withdraw", {{"amount", 1.5}}, {{"Idempotency-Key", "half"}});
  CHECK(half.body["errors"][0]["detail"].get<std::string>().starts_with("must be a whole number"));
  for (const auto& capacity : {json(0), json(-1), json(0.0001), json(1000001), json(1e300), json(true)})
    check_problem(world.call("POST", "/users", {{"name", "a"}, {"capacity", capacity}}), 400, "invalid");
  check_problem(world.call("POST", "/drs", {{"name", "a"}, {"type", "nonsense"}}), 400, "invalid");
  check_problem(world.call("POST", "/drs", {{"name", "a"}, {"type", "reliable"}, {"endsAt", "2020-01-01T00:00:00Z"}}),
                400, "invalid");
  check_problem(world.call("POST", "/drs", {{"name", "a"}, {"type", "reliable"}, {"endsAt", "tomorrow"}}), 400,
                "invalid");
}

TEST_CASE("a body of ten megabytes is refused", "[http][front]") {
  front_world world;
  auto got = raw(world, "POST", "/users", std::string(10 * 1024 * 1024, 'x'));
  check_problem(got, 413);
}

TEST_CASE("a body gets no more room than its route has use for", "[http][front]") {
  front_world world;
  world.enrol("a");
  world.start_campaign();
  CHECK(raw(world, "GET", "/livez", "{}").status == 200);
  check_problem(raw(world, "GET", "/livez", std::string(5'000, ' ')), 413);
  check_problem(raw(world, "PUT", "/responses/1/accept", std::string(20'000, ' ')), 413);
  CHECK(world.call("POST", "/drs", {{"name", std::string(20'000, 'n')}, {"type", "reliable"}}).status == 400);
}

TEST_CASE("query parameters are checked by name and range", "[http][front]") {
  front_world world;
  for (const std::string target : {"/users?bogus=1",    "/users?size=0",
                                   "/users?size=1001",  "/users?page=-1",
                                   "/users?page=x",     "/users?page=1&after=2",
                                   "/users?enrolled=1", "/drs?status=open",
                                   "/responses?drId=0", "/responses?answer=maybe",
                                   "/kepcos?drId=x",    "/users/1/ledger?q=a",
                                   "/events?type=Nope", "/events?page=1",
                                   "/users/1?x=1",      "/overview?x=1",
                                   "/health?x=1",       "/?x=1",
                                   "/users?q=%FF",      "/users?access_token=x"})
    check_problem(world.get(target), 400);
  check_problem(world.call("POST", "/users?x=1", {{"name", "a"}, {"capacity", 1}}), 400, "invalid");
}

TEST_CASE("what is not there is not found", "[http][front]") {
  front_world world;
  for (const std::string target : {"/users/1", "/users/0", "/users/x", "/users/-1", "/users/01",
                                   "/users/99999999999999999999", "/users/1/ledger", "/drs/1", "/drs/1/summary",
                                   "/drs/1/statement.csv", "/responses/1", "/kepcos/1", "/nothing", "/users/1/nothing"})
    check_problem(world.get(target), 404, "not-found");
  check_problem(world.call("PUT", "/users/1", {{"name", "a"}}), 404);
  check_problem(world.call("PATCH", "/users/1", {{"name", "a"}}), 404);
  check_problem(world.call("DELETE", "/users/1"), 404);
  check_problem(world.call("POST", "/users/1/token"), 404);
  check_problem(world.call("DELETE", "/users/1/token"), 404);
  check_problem(world.call("POST", "/users/1/withdraw", {{"amount", 1}}, {{"Idempotency-Key", "k"}}), 404);
  check_problem(world.call("PUT", "/drs/1", {{"status", "end"}}), 404);
  check_problem(world.call("PATCH", "/drs/1", {{"name", "x"}}), 404);
  check_problem(world.call("POST", "/drs/1/end"), 404);
  check_problem(world.call("POST", "/drs/1/cancel", {{"reason", "x"}}), 404);
  check_problem(world.call("POST", "/drs/1/retry-checks"), 404);
  check_problem(world.call("PUT", "/responses/1/accept"), 404);
  check_problem(world.call("PUT", "/responses/1", {{"answer", "deny"}}), 404);
  check_problem(world.call("POST", "/kepcos/1/recheck"), 404);
}

TEST_CASE("history is never deleted, and the answer says what is allowed", "[http][front]") {
  front_world world;
  world.enrol("a");
  world.start_campaign();
  for (const std::string target : {"/drs/1", "/responses/1"}) {
    const auto got = world.call("DELETE", target);
    check_problem(got, 405, "method-not-allowed");
    CHECK(got.header("Allow").find("GET") != std::string::npos);
    CHECK(got.header("Allow").find("DELETE") == std::string::npos);
  }
}

TEST_CASE("an answer after the end is refused, repeating the frozen one is not", "[http][front]") {
  front_world world;
  world.enrol("a");
  const int dr = world.start_campaign();
  CHECK(world.call("PUT", "/responses/1/deny").status == 200);
  CHECK(world.call("PUT", "/responses/1/deny").status == 200);
  world.clock().advance(1h);
  CHECK(world.call("PUT", "/drs/" + std::to_string(dr), {{"status", "end"}}).status == 200);
  CHECK(world.call("PUT", "/drs/" + std::to_string(dr), {{"status", "end"}}).status == 200);
  check_problem(world.call("PUT", "/responses/1/accept"), 409, "answer-frozen");
  CHECK(world.call("PUT", "/responses/1/deny").status == 200);
  check_problem(world.call("PATCH", "/drs/1", {{"name", "x"}}), 409, "campaign-ended");
  check_problem(world.call("POST", "/drs/1/cancel", {{"reason", "x"}}), 409, "campaign-ended");
  check_problem(world.call("PUT", "/responses/1", {{"answer", "ignore"}}), 400, "invalid");
}

TEST_CASE("a canceled campaign that is sent back is refused for what it is", "[http][front]") {
  front_world world;
  world.enrol("a");
  world.start_campaign();
  check_problem(world.call("PUT", "/drs/1", {{"status", "canceled"}}), 400, "invalid");
  CHECK(world.get("/drs/1").body["status"] == "running");
  CHECK(world.call("POST", "/drs/1/cancel", {{"reason", "x"}}).status == 200);
  check_problem(world.call("PUT", "/drs/1", world.get("/drs/1").body), 409, "campaign-canceled");
  check_problem(world.call("PUT", "/drs/99", {{"status", "canceled"}}), 404);
}

TEST_CASE("an answer past respondBy is refused while the campaign runs on", "[http][front]") {
  front_world world;
  world.enrol("a");
  world.start_campaign({{"respondBy", "2026-07-01T05:00:00Z"}, {"endsAt", "2026-07-01T07:00:00Z"}});
  CHECK(world.call("PUT", "/responses/1/accept").status == 200);
  world.clock().advance(11min);
  check_problem(world.call("PUT", "/responses/1/deny"), 409, "answer-frozen");
}

TEST_CASE("a withdrawn user takes no changes and gets no token", "[http][front]") {
  front_world world;
  world.enrol("a");
  CHECK(world.call("DELETE", "/users/1").status == 204);
  check_problem(world.call("PATCH", "/users/1", {{"name", "b"}}), 409, "user-withdrawn");
  check_problem(world.call("POST", "/users/1/token"), 409, "user-withdrawn");
  const int dr = world.start_campaign();
  CHECK(world.get("/responses?drId=" + std::to_string(dr)).body["_embedded"]["responses"].empty());
}

TEST_CASE("media types are negotiated", "[http][front]") {
  front_world world;
  world.enrol("a");
  check_problem(world.get("/users", {{"Accept", "text/html"}}), 406, "not-acceptable");
  check_problem(world.get("/users", {{"Accept", "application/hal+json;q=0, application/json;q=0"}}), 406);
  CHECK(world.get("/users", {{"Accept", "application/json"}}).header("Content-Type") == "application/json");
  CHECK(world.get("/users", {{"Accept", "text/html, */*;q=0.1"}}).header("Content-Type") == "application/hal+json");
  const std::string body = R"({"name":"b","capacity":1})";
  check_problem(raw(world, "POST", "/users", body, {{"Content-Type", "text/plain"}}), 415, "unsupported-media-type");
  check_problem(raw(world, "POST", "/users/import", "name,capacity\n", {{"Content-Type", "application/json"}}), 415);
  check_problem(raw(world, "POST", "/users", body, {{"Content-Encoding", "gzip"}}), 415);
  check_problem(raw(world, "POST", "/users/import", "name,capacity\n", {{"Content-Encoding", "gzip"}}), 415);
  CHECK(raw(world, "POST", "/users", body, {{"Content-Encoding", "identity"}}).status == 201);
  CHECK(raw(world, "POST", "/users", body, {{"Content-Type", "application/hal+json"}}).status == 201);
  CHECK(raw(world, "POST", "/users", body, {{"Content-Type", "Application/JSON; charset=utf-8"}}).status == 201);
}

TEST_CASE("a missing or malformed Host is refused", "[http][front]") {
  front_world world;
  raw_client client(world.port());
  REQUIRE(client.send("GET /users HTTP/1.1\r\nHost: a b/<script>\r\nConnection: close\r\n\r\n"));
  CHECK(client.read_to_end().find(" 400 ") != std::string::npos);
  for (const std::string host : {"[::1%25\"}},\"point\":9]", "[fe80::1%eth0]", "[::1"})
    CHECK(world.get("/users", {{"Host", host}}).status == 400);
}

TEST_CASE("without access control only names of this machine are answered", "[http][front]") {
  const json body{{"name", "a"}, {"capacity", 1}};
  {
    front_world open;
    for (const std::string mine :
         {"localhost", "LOCALHOST:8080", "dr.localhost:1", "127.0.0.1:9", "127.1.2.3", "[::1]:80", "[::1]"})
      CHECK(open.get("/users", {{"Host", mine}}).status == 200);
    for (const std::string other : {"evil.example", "evil.example:8080", "10.0.0.1", "notlocalhost",
                                    "localhost.evil.kr", ".localhost", "[2001:db8::1]:80"}) {
      INFO(other);
      check_problem(open.get("/users", {{"Host", other}}), 403);
      check_problem(open.call("POST", "/users", body, {{"Host", other}, {"Origin", "http://" + other}}), 403);
    }
    CHECK(open.get("/users").body["page"]["totalElements"] == 0);
  }
  front_world guarded({dr::auth_mode::token, {}});
  CHECK(guarded.call("POST", "/users", body, {{"Host", "dr.example"}}).status == 201);
}

TEST_CASE("calls that take no body refuse one that says something", "[http][front]") {
  front_world world;
  world.enrol("a");
  for (const std::string said : {"garbage", "{\"foo\":1}", "[]"}) {
    check_problem(raw(world, "POST", "/users/1/token", said), 400);
    check_problem(raw(world, "DELETE", "/users/1/token", said), 400);
    check_problem(raw(world, "DELETE", "/users/1", said), 400);
  }
  CHECK(world.get("/users/1").body["enrolled"] == true);
  CHECK(raw(world, "POST", "/users/1/token", "{}").status == 201);
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "가";
  REQUIRE(world.call("PATCH", "/users/1", {{"name", longest}}).status == 200);
  CHECK(raw(world, "POST", "/users/1/token", world.get("/users/1").body.dump()).status == 201); // sent back
}

TEST_CASE("what ends a campaign changes nothing else by the way", "[http][front]") {
  front_world world;
  world.enrol("a");
  const int dr = world.start_campaign();
  auto whole = world.get("/drs/" + std::to_string(dr)).body;
  whole["status"] = "end";
  auto renamed = whole;
  renamed["name"] = "lost";
  const auto refused = world.call("PUT", "/drs/" + std::to_string(dr), renamed);
  check_problem(refused, 400, "invalid");
  CHECK(refused.body["errors"][0]["pointer"] == "/name");
  CHECK(world.get("/drs/" + std::to_string(dr)).body["status"] == "running");
  CHECK(world.call("PUT", "/drs/" + std::to_string(dr), whole).body["status"] == "end");
  CHECK(world.call("PUT", "/drs/" + std::to_string(dr), whole).status == 200); // again
}

TEST_CASE("a start long past is a slip, and no campaign", "[http][front]") {
  front_world world;
  const auto got =
      world.call("POST", "/drs", {{"name", "a"}, {"type", "reliable"}, {"startsAt", "2025-12-01T01:00:00Z"}});
  check_problem(got, 400, "invalid");
  CHECK(got.body["errors"][0]["pointer"] == "/startsAt");
  CHECK(world.get("/drs").body["page"]["totalElements"] == 0);
}

TEST_CASE("a failure of ours names nothing of our inside", "[http][front]") {
  front_world world;
  world.faults().set_down(true);
  const auto got = world.get("/users");
  check_problem(got, 503);
  CHECK_FALSE(got.header("Retry-After").empty());
  world.faults().set_down(false);
}

} // namespace
