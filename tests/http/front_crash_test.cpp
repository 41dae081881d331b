// A crash in metering, seen from outside: /health tells of it, and answers go on being accepted.
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>

namespace dr::test {
namespace {

/// The node of that name anywhere in the tree of /health; null when there is none.
json node_of(const json& tree, const std::string& name) {
  if (tree.value("name", "") == name) return tree;
  for (const auto& child : tree.at("children"))
    if (auto found = node_of(child, name); !found.is_null()) return found;
  return nullptr;
}

/// Restarts of all KEPCO query actors together.
int query_restarts(front_world& world) {
  const auto tree = world.get("/health").body.at("tree");
  int sum = 0;
  for (const char* name : {"kepco_query_1", "kepco_query_2"}) sum += node_of(tree, name).at("restarts").get<int>();
  return sum;
}

} // namespace

TEST_CASE("a KEPCO query actor that crashes is restarted while answers go on being accepted", "[http][crash]") {
  front_world world;
  const int first = world.enrol("samsung", 400);
  const int second = world.enrol("lg", 300);
  const int ended = world.start_campaign();
  const int running = world.start_campaign();
  CHECK(world.call("PUT", "/responses/" + std::to_string(world.response_of(ended, first)) + "/accept").status == 200);

  CHECK(world.get("/health").body.at("status") == "up");
  CHECK(query_restarts(world) == 0);

  world.reduce("0000000001", 390);
  world.crash_queries(true);
  CHECK(world.call("PUT", "/drs/" + std::to_string(ended), {{"status", "end"}}).status == 200);
  REQUIRE(soon([&] { return query_restarts(world) > 0; }));
  const auto during = world.get("/health");
  CHECK(during.status == 200);
  CHECK(node_of(during.body.at("tree"), "registry").at("restarts") == 0);
  CHECK(node_of(during.body.at("tree"), "store").at("restarts") == 0);
  for (const int user : {first, second}) {
    const auto path = "/responses/" + std::to_string(world.response_of(running, user)) + "/accept";
    CHECK(world.call("PUT", path).status == 200);
  }

  world.crash_queries(false);
  // A customer whose query crashed again and again is parked; putting it back is the operator's part.
  const auto settled = [&] {
    world.clock().advance(1s); // retries wait in business time
    world.call("POST", "/drs/" + std::to_string(ended) + "/retry-checks");
    return world.get("/drs/" + std::to_string(ended)).body.at("settlement") == "settled";
  };
  REQUIRE(soon(settled, 60s));
  const auto after = world.get("/health").body;
  CHECK(node_of(after.at("tree"), "registry").at("restarts") == 0);
  CHECK(node_of(after.at("tree"), "kepco_gate").at("restarts") == 0);
  CHECK(world.get("/kepcos?drId=" + std::to_string(ended)).body.at("_embedded").at("kepcos").at(0).at("isReal") ==
        true);
}

} // namespace dr::test
