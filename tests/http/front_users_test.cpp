// Reads of a single user come from memory and tell what the database would; keys that are decided with the change.
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace dr;
using namespace dr::test;

/// Whether this GET asked the database.
bool asks(front_world& world, const std::string& target) {
  const auto before = world.faults().reads.load();
  CHECK(world.get(target).status == 200);
  return world.faults().reads.load() != before;
}

TEST_CASE("a user is read once, until it changes", "[http][front][users]") {
  front_world world({auth_mode::off, [](settings& s) { s.database.cached_users = 2; }});
  for (const auto* name : {"a", "b", "c"}) world.enrol(name);
  CHECK(asks(world, "/users/1"));
  const auto first = world.get("/users/1");
  CHECK_FALSE(asks(world, "/users/1"));
  CHECK(world.get("/users/1", {{"If-None-Match", first.header("ETag")}}).status == 304);
  CHECK(world.get("/users/1", {{"Host", "localhost:1"}}).body["_links"]["self"]["href"] ==
        "http://localhost:1/users/1");
  CHECK(world.call("PATCH", "/users/1", {{"name", "new"}}).status == 200);
  CHECK(world.get("/users/1").body["name"] == "new");
  CHECK(world.get("/users/1").header("ETag") != first.header("ETag"));
  CHECK(asks(world, "/users/2"));
  CHECK(asks(world, "/users/3")); // more than two are not kept
  CHECK(asks(world, "/users/1"));
  CHECK(world.get("/users/4").status == 404);
  CHECK(world.enrol("d") == 4);
  CHECK(world.get("/users/4").status == 200);
  world.begin_draining(); // whoever takes over may write already
  CHECK(asks(world, "/users/4"));
  CHECK(asks(world, "/users/4"));
}

TEST_CASE("without a cache every GET of a user asks the database", "[http][front][users]") {
  front_world world({auth_mode::off, [](settings& s) { s.database.cached_users = 0; }});
  world.enrol("a");
  CHECK(asks(world, "/users/1"));
  CHECK(asks(world, "/users/1"));
}

TEST_CASE("every kind of change of a user is seen by the next GET", "[http][front][users]") {
  front_world world;
  world.enrol("a", 400, 100);
  const auto custno = world.get("/users/1").body["custNo"].get<std::string>();
  const auto seen = [&] { return world.get("/users/1").body; };
  CHECK(seen()["point"] == 100);
  CHECK(world.call("POST", "/users/1/withdraw", {{"amount", 40}}, {{"Idempotency-Key", "w"}}).status == 201);
  CHECK(seen()["point"] == 60);
  world.faults().lose_commit_answers(1);
  CHECK(world.call("POST", "/users/1/withdraw", {{"amount", 10}}, {{"Idempotency-Key", "x"}}).status == 201);
  CHECK(seen()["point"] == 50);
  const auto tag = world.get("/users/1").header("ETag");
  world.token_of(1);
  CHECK(world.get("/users/1").header("ETag") != tag);
  const auto csv = "name,capacity,custNo\nimported,500," + custno + "\n";
  CHECK(world.admin().request("POST", "/users/import", csv, {{"Content-Type", "text/csv"}}).status == 200);
  CHECK(seen()["name"] == "imported");
  world.start_campaign();
  world.reduce(custno, 500);
  CHECK(world.call("PUT", "/responses/1/accept").status == 200);
  world.clock().advance(1h);
  CHECK(world.call("POST", "/drs/1/end").status == 200);
  // Whoever has seen the settlement sees the credit.
  REQUIRE(soon([&] { return world.get("/drs/1").body["settlement"] == "settled"; }));
  const auto credited = world.get("/drs/1/summary").body["pointsCredited"].get<int>();
  CHECK(credited > 0);
  CHECK(seen()["point"] == 50 + credited);
  CHECK(world.call("DELETE", "/users/1").status == 204);
  CHECK(seen()["enrolled"] == false);
}

TEST_CASE("a key that is new costs no read of its own", "[http][front][users]") {
  front_world world;
  world.enrol("a", 400, 100);
  int costly = 0; // a server that has just started reads on its own behalf, too
  for (const auto* key : {"a", "b", "c", "d", "e"}) {
    const auto before = world.faults().reads.load();
    CHECK(world.call("POST", "/users/1/withdraw", {{"amount", 1}}, {{"Idempotency-Key", key}}).status == 201);
    costly += world.faults().reads.load() == before ? 0 : 1;
  }
  CHECK(costly < 5);
}

TEST_CASE("the first answer counts also when the request would be refused today", "[http][front][users]") {
  front_world world;
  world.enrol("a", 400, 100);
  const header_list key{{"Idempotency-Key", "k"}};
  const auto same = [](const json_answer& again, const json_answer& first) {
    CHECK(again.status == first.status);
    CHECK(again.body == first.body);
    CHECK(again.header("Idempotency-Replayed") == "true");
  };
  const json order{{"name", "d"}, {"type", "reliable"}, {"startsAt", "2026-07-01T05:50:00Z"}};
  const auto ordered = world.call("POST", "/drs", order, key);
  REQUIRE(ordered.status == 201);
  header_list known = key;
  known.push_back({"If-Match", world.get("/users/1").header("ETag")});
  const json amount{{"amount", 30}};
  const auto withdrawn = world.call("POST", "/users/1/withdraw", amount, known);
  REQUIRE(withdrawn.status == 201);
  same(world.call("POST", "/users/1/withdraw", amount, known), withdrawn); // the tag is an old one now
  const auto accepted = world.call("PUT", "/responses/1/accept", nullptr, key);
  REQUIRE(accepted.status == 200);
  CHECK(world.call("PUT", "/responses/1/deny").status == 200);
  world.clock().advance(2h);
  REQUIRE(soon([&] { return world.get("/drs/1").body["status"] == "running"; }));
  CHECK(world.call("POST", "/drs/1/end").status == 200);
  CHECK(world.call("PUT", "/responses/1/accept").status == 409);
  same(world.call("PUT", "/responses/1/accept", nullptr, key), accepted);
  same(world.call("POST", "/drs", order, key), ordered);
  CHECK(world.call("PUT", "/responses/1/accept", {{"not", "expected"}}, key).status == 422);
  CHECK(world.get("/users/1").body["point"] == 70);
}

TEST_CASE("the first answer is given also while nothing can be written", "[http][front][users]") {
  front_world world({auth_mode::off, [](settings& s) {
                       s.http.request_timeout = 300ms;
                       s.database.request_timeout = 300ms;
                     }});
  world.enrol("a", 400, 100);
  const header_list key{{"Idempotency-Key", "k"}};
  const auto first = world.call("POST", "/users/1/withdraw", {{"amount", 30}}, key);
  REQUIRE(first.status == 201);
  world.faults().fail_commits(1'000'000);
  const auto again = world.call("POST", "/users/1/withdraw", {{"amount", 30}}, key);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(world.call("POST", "/users/1/withdraw", {{"amount", 31}}, key).status == 422);
  CHECK(world.call("POST", "/users/1/withdraw", {{"amount", 30}}, {{"Idempotency-Key", "new"}}).status == 503);
  world.faults().fail_commits(0);
}

} // namespace
