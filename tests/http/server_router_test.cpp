// The route table and the decoding of targets, without sockets.
#include "http/server/router.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace dr::http;

namespace {

handler nothing() {
  return [](request_context&) -> boost::asio::awaitable<reply> { co_return reply{}; };
}

router table() {
  router routes;
  routes.add(method::get, "/", nothing());
  routes.add(method::get, "/users", nothing());
  routes.add(method::post, "/users", nothing());
  routes.add(method::get, "/users/{id}", nothing());
  routes.add(method::delete_, "/users/{id}", nothing());
  routes.add(method::post, "/users/import", nothing());
  routes.add(method::post, "/users/{id}/token", nothing());
  routes.add(method::get, "/console/{file*}", nothing());
  return routes;
}

struct lookup {
  explicit lookup(const router& routes, method verb, std::string_view target) {
    request.verb = verb;
    REQUIRE(request.parse_target(target).has_value());
    match = routes.find(request);
  }
  std::string pattern() const { return match.found ? match.found->pattern : "none"; }
  request_context request;
  router::match match;
};

} // namespace

TEST_CASE("a literal segment wins over a parameter, for the methods it has", "[http]") {
  const auto routes = table();
  CHECK(lookup(routes, method::post, "/users/import").pattern() == "/users/import");
  const lookup other(routes, method::get, "/users/import");
  CHECK(other.pattern() == "/users/{id}");
  CHECK(other.request.param("id") == "import");
}

TEST_CASE("parameters are decoded and an encoded slash does not split a segment", "[http]") {
  const auto routes = table();
  const lookup found(routes, method::post, "/users/a%2Fb%20%EA%B9%80/token");
  CHECK(found.pattern() == "/users/{id}/token");
  CHECK(found.request.param("id") == "a/b 김");
  CHECK_FALSE(found.request.param("name"));
}

TEST_CASE("a rest parameter takes the remaining path", "[http]") {
  const auto routes = table();
  CHECK(lookup(routes, method::get, "/console/a/b.js").request.param("file") == "a/b.js");
  CHECK(lookup(routes, method::get, "/console/a%20/b.js").request.param("file") == "a /b.js");
  CHECK(lookup(routes, method::get, "/console/").request.param("file") == "");
  CHECK(lookup(routes, method::get, "/console/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18").request.param("file") ==
        "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18");
  CHECK(lookup(routes, method::get, "/console").pattern() == "none");
}

TEST_CASE("unknown paths, other methods and HEAD are told apart", "[http]") {
  const auto routes = table();
  CHECK(lookup(routes, method::get, "/nowhere").match.allowed == 0);
  CHECK(lookup(routes, method::get, "/users/").match.allowed == 0);
  CHECK(lookup(routes, method::get, "/users//token").match.allowed == 0);
  const lookup other(routes, method::put, "/users");
  CHECK(other.match.found == nullptr);
  CHECK(allow_header(other.match.allowed) == "GET, HEAD, POST, OPTIONS");
  CHECK(lookup(routes, method::head, "/users").pattern() == "/users");
  CHECK(lookup(routes, method::head, "/users/1/token").match.found == nullptr);
  CHECK(lookup(routes, method::get, "/").pattern() == "/");
}

TEST_CASE("malformed, duplicate and empty routes are refused", "[http]") {
  auto routes = table();
  CHECK_THROWS_AS(routes.add(method::get, "users", nothing()), std::invalid_argument);
  CHECK_THROWS_AS(routes.add(method::get, "/users/", nothing()), std::invalid_argument);
  CHECK_THROWS_AS(routes.add(method::get, "/a//b", nothing()), std::invalid_argument);
  CHECK_THROWS_AS(routes.add(method::get, "/a/{b*}/c", nothing()), std::invalid_argument);
  CHECK_THROWS_AS(routes.add(method::get, "/a/{}", nothing()), std::invalid_argument);
  CHECK_THROWS_AS(routes.add(method::get, "/users/{other}", nothing()), std::invalid_argument);
  CHECK_THROWS_AS(routes.add(method::get, "/empty", {}), std::invalid_argument);
  CHECK(routes.routes().size() == 8);
}

TEST_CASE("query parameters are decoded in order", "[http]") {
  request_context request;
  REQUIRE(request.parse_target("/users?q=%EA%B9%80+a%2Bb&page=0&flag&q=second&").has_value());
  CHECK(request.path == "/users");
  REQUIRE(request.query.size() == 4);
  CHECK(request.query_value("q") == "김 a+b");
  CHECK(request.query[2].name == "flag");
  CHECK(request.query[3].value == "second");
  CHECK_FALSE(request.query_value("size"));
}

TEST_CASE("a target in absolute form and raw UTF-8 mean the same as in origin form", "[http]") {
  request_context request;
  REQUIRE(request.parse_target("http://host:80/users/7?q=김").has_value());
  CHECK(request.path == "/users/7");
  CHECK(request.query_value("q") == "김");
  CHECK(request.target.starts_with("/users/7?q="));
  REQUIRE(request.parse_target("http://host").has_value());
  CHECK(request.path == "/");
}

TEST_CASE("targets that cannot be read are refused", "[http]") {
  request_context request;
  for (const char* bad : {"/a%", "/a%2", "/a%zz", "/%FF", "/%C0%AF", "/%ED%A0%80", "/a%00b", "/a?q=%FF", "/a?q=%0",
                          "/a b", "users", "/\xff", "", "/a?%00", "a:xusers"})
    CHECK_FALSE(request.parse_target(bad).has_value());
  CHECK_FALSE(request.parse_target("/ws?access_token=secret&x=%zz").has_value());
  CHECK(request.path == "/ws"); // what is shown of it
}

TEST_CASE("UTF-8 is judged strictly", "[http]") {
  CHECK(valid_utf8("한국어 \xF0\x9F\x98\x80"));
  CHECK_FALSE(valid_utf8("\xC0\x80"));
  CHECK_FALSE(valid_utf8("\xED\xA0\x80"));
  CHECK_FALSE(valid_utf8("\xE2\x82"));
  CHECK_FALSE(valid_utf8("\xF5\x80\x80\x80"));
}
