// Holds docs/openapi.yaml against the route table, and real answers against its schemas.
#include "http/openapi.hpp"
#include "http/routes.hpp"
#include "tests/http/front_world.hpp"
#include "tests/support/json_schema.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <yaml-cpp/yaml.h>

namespace {

using namespace dr;
using namespace dr::test;

json scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return text; // quoted
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  if (text == "true") return true;
  if (text == "false") return false;
  const auto number = json::parse(text, nullptr, false);
  return number.is_number() ? number : json(text);
}

json to_json(const YAML::Node& node) {
  if (node.IsMap()) {
    auto out = json::object();
    for (const auto& pair : node) out[pair.first.Scalar()] = to_json(pair.second);
    return out;
  }
  if (node.IsSequence()) {
    auto out = json::array();
    for (const auto& item : node) out.push_back(to_json(item));
    return out;
  }
  return node.IsNull() ? json() : scalar(node);
}

const json& document() {
  static const json made = to_json(YAML::Load(std::string(http::openapi_yaml)));
  return made;
}

std::string lower(std::string_view verb) {
  std::string out(verb);
  for (auto& c : out) c = static_cast<char>(std::tolower(c));
  return out;
}

const char* name_of(http::role who) {
  return who == http::role::open ? "open" : who == http::role::customer ? "customer" : "admin";
}

TEST_CASE("the description and the route table have the same operations and roles", "[http][openapi]") {
  std::set<std::string> routes;
  for (const auto& row : http::route_table()) {
    routes.insert(lower(http::to_string(row.verb)) + " " + row.pattern);
    INFO(row.operation);
    const auto& paths = document()["paths"];
    REQUIRE(paths.contains(row.pattern));
    const auto verb = lower(http::to_string(row.verb));
    REQUIRE(paths[row.pattern].contains(verb));
    CHECK(paths[row.pattern][verb]["operationId"] == row.operation);
    CHECK(paths[row.pattern][verb]["x-role"] == name_of(row.who));
    const bool writes = verb == "post" || verb == "put" || verb == "patch"; // of a DELETE a body says nothing
    CHECK(paths[row.pattern][verb].contains("requestBody") == writes);
    CHECK(paths[row.pattern][verb]["responses"].contains("default"));
    CHECK(paths[row.pattern][verb]["responses"].contains("415") == writes);
  }
  std::set<std::string> described;
  for (const auto& [path, verbs] : document()["paths"].items())
    for (const auto& [verb, operation] : verbs.items()) described.insert(verb + " " + path);
  CHECK(described == routes);
}

/// Every reference in the document leads somewhere.
void check_references(const json& part) {
  if (part.is_object() && part.contains("$ref")) {
    INFO(part["$ref"]);
    CHECK(document().contains(json::json_pointer(part["$ref"].get<std::string>().substr(1))));
  }
  if (part.is_structured())
    for (const auto& child : part) check_references(child);
}

TEST_CASE("every reference resolves and every example fits its schema", "[http][openapi]") {
  check_references(document());
  const auto check_content = [](const std::string& where, const json& content) {
    for (const auto& [type, media] : content.items()) {
      if (!media.contains("example")) continue;
      INFO(where << " " << type);
      CHECK(schema_errors(document(), media["schema"], media["example"]) == std::vector<std::string>{});
    }
  };
  for (const auto& [path, verbs] : document()["paths"].items())
    for (const auto& [verb, operation] : verbs.items()) {
      if (operation.contains("requestBody")) check_content(verb + path, operation["requestBody"]["content"]);
      for (const auto& [status, answer] : operation["responses"].items()) {
        const auto& whole = resolved(document(), answer);
        if (whole.contains("content")) check_content(verb + path + status, whole["content"]);
      }
    }
}

/// Calls, and holds the answer against what the description promises for that operation and status.
json_answer hold(front_world& world, const std::string& method, const std::string& pattern, const std::string& target,
                 const json& body = nullptr, header_list headers = {}) {
  auto got = world.call(method, target, body, std::move(headers));
  INFO(method << " " << target << " " << got.status << " " << got.raw.body);
  const auto& answers = document()["paths"][pattern][lower(method)]["responses"];
  const auto status = std::to_string(got.status);
  REQUIRE(answers.contains(status));
  const auto& promised = resolved(document(), answers[status]);
  if (got.raw.body.empty()) {
    CHECK_FALSE(promised.contains("content"));
    return got;
  }
  auto type = got.header("Content-Type");
  type = type.substr(0, type.find(';'));
  REQUIRE(promised["content"].contains(type));
  if (got.body.is_discarded()) return got;
  CHECK(schema_errors(document(), promised["content"][type]["schema"], got.body) == std::vector<std::string>{});
  return got;
}

TEST_CASE("real answers fit their schemas", "[http][openapi]") {
  front_world world;
  const header_list key{{"Idempotency-Key", "k"}};
  world.reduce("0000000001", 400);
  hold(world, "POST", "/users", "/users", {{"name", "삼성"}, {"capacity", 400.5}, {"point", 100}});
  hold(world, "POST", "/users", "/users",
       {{"name", "b"}, {"capacity", 300}, {"baselineMethod", "mid-6-10"}, {"saa", true}});
  hold(world, "POST", "/users", "/users", {{"name", ""}});
  hold(world, "POST", "/users", "/users", {{"name", "c"}, {"capacity", 1}, {"custNo", "0000000001"}});
  hold(world, "PUT", "/users/{id}", "/users/2", {{"capacity", 301}});
  hold(world, "PATCH", "/users/{id}", "/users/2", {{"id", 5}});
  hold(world, "POST", "/users/{id}/token", "/users/2/token");
  hold(world, "GET", "/users/{id}", "/users/2");
  hold(world, "POST", "/users/{id}/withdraw", "/users/1/withdraw", {{"amount", 5}}, key);
  hold(world, "POST", "/users/{id}/withdraw", "/users/1/withdraw", {{"amount", 6}}, key);
  hold(world, "POST", "/drs", "/drs", {{"name", "later"}, {"type", "citizen"}, {"startsAt", "2026-07-03T05:00:00Z"}});
  hold(world, "POST", "/drs/{id}/cancel", "/drs/1/cancel", {{"reason", "x"}});
  hold(world, "POST", "/drs/startdr", "/drs/startdr", {{"name", "now"}, {"type", "reliable"}, {"orderKw", 500}});
  hold(world, "PATCH", "/drs/{id}", "/drs/2", {{"name", "still now"}});
  hold(world, "GET", "/overview", "/overview");
  hold(world, "PUT", "/responses/{id}/accept", "/responses/3/accept");
  hold(world, "PUT", "/responses/{id}/deny", "/responses/4/deny");
  hold(world, "PUT", "/responses/{id}", "/responses/4", {{"answer", "accept"}});
  world.clock().advance(1h);
  hold(world, "PUT", "/drs/{id}", "/drs/2", {{"status", "end"}});
  hold(world, "POST", "/drs/{id}/end", "/drs/1/end");
  REQUIRE(soon([&] { return world.get("/drs/2").body["settlement"] == "settled"; }));
  for (const std::string list : {"/users", "/drs", "/responses", "/kepcos", "/events"}) {
    hold(world, "GET", list, list);
    hold(world, "GET", list, list + "?size=1");
    hold(world, "GET", list, list + "?size=0");
  }
  hold(world, "GET", "/users/{id}/ledger", "/users/1/ledger");
  for (const std::string item : {"/drs/{id}", "/responses/{id}", "/kepcos/{id}", "/users/{id}"})
    for (const std::string id : {"1", "777"})
      hold(world, "GET", item, std::string(item).replace(item.find("{id}"), 4, id));
  hold(world, "GET", "/drs/{id}/summary", "/drs/2/summary");
  hold(world, "GET", "/drs/{id}/statement.csv", "/drs/2/statement.csv");
  hold(world, "POST", "/kepcos/{id}/recheck", "/kepcos/1/recheck");
  hold(world, "POST", "/drs/{id}/retry-checks", "/drs/2/retry-checks");
  hold(world, "POST", "/responses/{id}/retry-check", "/responses/3/retry-check");
  hold(world, "POST", "/responses/{id}/retry-check", "/responses/777/retry-check");
  hold(world, "DELETE", "/users/{id}/token", "/users/2/token");
  hold(world, "DELETE", "/users/{id}", "/users/2");
  for (const std::string target : {"/", "/livez", "/readyz", "/health", "/openapi.yaml"})
    hold(world, "GET", target, target);
}

TEST_CASE("the checker of schemas finds what is wrong", "[http][openapi]") {
  const json doc;
  const json schema{{"type", "object"},
                    {"required", {"a"}},
                    {"properties", {{"a", {{"type", "integer"}, {"minimum", 1}}}}},
                    {"additionalProperties", false}};
  CHECK(schema_errors(doc, schema, {{"a", 1}}).empty());
  CHECK(schema_errors(doc, schema, {{"a", 0}}).size() == 1);
  CHECK(schema_errors(doc, schema, {{"a", "x"}}).size() == 1);
  CHECK(schema_errors(doc, schema, {{"b", 1}}).size() == 2);
  CHECK(schema_errors(doc, {{"oneOf", json::array()}}, 1).size() == 1);
}

} // namespace
