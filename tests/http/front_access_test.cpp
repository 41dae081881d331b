// Who reaches what. The matrix is made from the route table itself.
#include "http/routes.hpp"
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace {

using namespace dr;
using namespace dr::test;

/// Two customers, a campaign both are part of, with a settled check of each.
struct two_customers {
  front_world world{{auth_mode::token, {}}};
  std::string own;
  std::string other;

  two_customers() {
    world.enrol("own", 400, 1000);
    world.enrol("other", 400, 1000);
    world.start_campaign();
    world.call("PUT", "/responses/1/accept");
    world.call("PUT", "/responses/2/accept");
    world.clock().advance(1h);
    world.call("POST", "/drs/1/end");
    REQUIRE(soon([&] { return world.get("/drs/1").body["settlement"] == "settled"; }));
    own = world.token_of(1);
    other = world.token_of(2);
  }
  /// The id of user 1's check.
  std::string check() {
    return std::to_string(world.get("/kepcos?userId=1").body["_embedded"]["kepcos"][0]["id"].get<int>());
  }
};

std::string target_of(const http::route_row& row, const std::string& check) {
  std::string path = row.pattern;
  const auto at = path.find("{id}");
  if (at == std::string::npos) return path;
  return path.replace(at, 4, path.starts_with("/kepcos") ? check : "1");
}

unsigned status_of(http_client client, const http::route_row& row, const std::string& target) {
  return client.request(std::string(http::to_string(row.verb)), target).status;
}

TEST_CASE("every route asks for what its row says", "[http][front]") {
  two_customers set;
  const auto check = set.check();
  const std::set<unsigned> closed{401, 403, 404};
  for (const auto& row : http::route_table()) {
    // Writes go out without a body: what is let in fails later, by 400 or 415, or is harmless.
    if (std::string(row.operation) == "withdrawUser" || std::string(row.operation) == "revokeToken" ||
        std::string(row.operation) == "makeToken")
      continue;
    const auto target = target_of(row, check);
    INFO(row.operation << " " << target);
    const auto none = status_of(set.world.nobody(), row, target);
    const auto wrong = status_of(set.world.with_token("drc_wrong"), row, target);
    const auto own = status_of(set.world.with_token(set.own), row, target);
    const auto other = status_of(set.world.with_token(set.other), row, target);
    const auto admin = status_of(set.world.admin(), row, target);
    const bool personal = std::string(row.pattern).find("{id}") != std::string::npos;
    switch (row.who) {
    case http::role::open:
      CHECK(none == 200);
      CHECK(wrong == 200);
      break;
    case http::role::customer:
      CHECK(none == 401);
      CHECK(wrong == 401);
      CHECK_FALSE(closed.contains(own));
      CHECK_FALSE(closed.contains(admin));
      if (personal && std::string(row.pattern) != "/drs/{id}" && row.body == http::body_kind::none &&
          row.verb == http::method::get)
        CHECK(other == 404);
      break;
    case http::role::admin:
      CHECK(none == 401);
      CHECK(wrong == 401);
      CHECK(own == 403);
      CHECK(other == 403);
      CHECK_FALSE(closed.contains(admin));
      break;
    }
  }
}

TEST_CASE("a refusal names the scheme", "[http][front]") {
  front_world world({auth_mode::token, {}});
  const auto got = read_json(world.nobody().get("/users"));
  CHECK(got.status == 401);
  CHECK(got.header("WWW-Authenticate").starts_with("Bearer"));
  CHECK(got.body["type"] == "/problems/unauthorized");
  CHECK(world.nobody().get("/users", {{"Authorization", "Basic YTpi"}}).status == 401);
  CHECK(world.nobody().get("/users?access_token=" + world.admin_token()).status == 401);
}

TEST_CASE("nobody looks for what can be no token, nor for whom a probe is asked by", "[http][front]") {
  front_world world({auth_mode::token, {}});
  const std::string unknown = "drc_" + std::string(43, 'x');
  // The least of some tries: a server that has just started reads on its own behalf, too.
  const auto reads_for = [&](const std::string& token, const std::string& target, unsigned status) {
    auto least = std::numeric_limits<decltype(world.faults().reads.load())>::max();
    for (int i = 0; i < 5; ++i) {
      const auto before = world.faults().reads.load();
      CHECK(world.with_token(token).get(target).status == status);
      least = std::min(least, world.faults().reads.load() - before);
    }
    return least;
  };
  CHECK(reads_for("drc_wrong", "/users", 401) == 0);
  CHECK(reads_for(unknown, "/users", 401) == 1);
  CHECK(reads_for(unknown, "/livez", 200) == 0);
}

TEST_CASE("a customer sees its own things only", "[http][front]") {
  two_customers set;
  auto own = set.world.with_token(set.own);
  set.world.enrol("third");
  set.world.call("POST", "/drs", {{"name", "with the third"}, {"type", "reliable"}});
  set.world.enrol("fourth");
  const auto ids = [&](const std::string& target, const char* name) {
    std::vector<int> out;
    for (const auto answer = read_json(own.get(target)); const auto& item : answer.body["_embedded"][name])
      out.push_back(item["id"]);
    return out;
  };
  CHECK(ids("/users", "users") == std::vector{1});
  CHECK(ids("/users?q=OTHER", "users").empty());
  CHECK(ids("/drs", "drs") == std::vector{1, 2});
  CHECK(ids("/drs?status=running", "drs") == std::vector{2});
  CHECK(ids("/drs?size=1&after=1", "drs") == std::vector{2});
  CHECK(ids("/responses", "responses") == std::vector{1, 3});
  CHECK(ids("/responses?userId=2", "responses").empty());
  CHECK(ids("/kepcos", "kepcos").size() == 1);
  CHECK(own.get("/users/2").status == 404);
  CHECK(own.get("/users/2/ledger").status == 404);
  CHECK(own.get("/responses/2").status == 404);
  CHECK(own.put("/responses/2/deny").status == 404);
  CHECK(own.put("/responses/3/accept").status == 200);
  CHECK(own.post("/users/2/withdraw", R"({"amount":1})", {{"Idempotency-Key", "k"}}).status == 404);
  CHECK(own.post("/users/1/withdraw", R"({"amount":1})", {{"Idempotency-Key", "k"}}).status == 201);
  const auto late = set.world.token_of(4);
  CHECK(set.world.with_token(late).get("/drs/1").status == 404);
}

TEST_CASE("a token ends with its rotation, its revocation and its user", "[http][front]") {
  front_world world({auth_mode::token, {}});
  world.enrol("a");
  const auto first = world.token_of(1);
  CHECK(world.with_token(first).get("/users/1").status == 200);
  const auto second = world.token_of(1);
  CHECK(world.with_token(first).get("/users/1").status == 401);
  CHECK(world.with_token(second).get("/users/1").status == 200);
  CHECK(world.call("DELETE", "/users/1/token").status == 204);
  CHECK(world.call("DELETE", "/users/1/token").status == 204);
  CHECK(world.with_token(second).get("/users/1").status == 401);
  const auto third = world.token_of(1);
  CHECK(world.with_token(third).get("/users/1").status == 200);
  CHECK(world.call("DELETE", "/users/1").status == 204);
  CHECK(world.with_token(third).get("/users/1").status == 401);
}

TEST_CASE("a token asked for with a key is the same token again, and is not stored in the clear", "[http][front]") {
  front_world world({auth_mode::token, {}});
  world.enrol("a");
  const header_list key{{"Idempotency-Key", "t-1"}};
  const auto first = world.call("POST", "/users/1/token", nullptr, key);
  CHECK(first.status == 201);
  CHECK(first.header("Cache-Control") == "no-store");
  const auto again = world.call("POST", "/users/1/token", nullptr, key);
  CHECK(again.body == first.body);
  const auto kept =
      world.database().open_reader()->find_keyed("admin", "POST", "/users/1/token", "t-1", world.clock().now());
  REQUIRE(kept.value().has_value());
  CHECK(kept.value()->answer.find(first.body["token"].get<std::string>()) == std::string::npos);
  CHECK(world.with_token(first.body["token"]).get("/users/1").status == 200);
}

TEST_CASE("errors in words are shown to the operator only", "[http][front]") {
  front_world world({auth_mode::token, {}});
  world.faults().set_down(true);
  world.call("POST", "/users", {{"name", "a"}, {"capacity", 1}});
  REQUIRE(soon([&] { return world.get("/health").status == 503; }));
  const auto shown = read_json(world.nobody().get("/health"));
  CHECK(shown.body["storage"]["lastError"].is_null());
  world.faults().set_down(false);
}

} // namespace
