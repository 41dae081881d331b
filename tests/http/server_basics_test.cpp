// What every HTTP client relies on: methods, headers, order, persistence.
#include "tests/http/server_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include <atomic>

using namespace dr::test;
namespace http = dr::http;

namespace {

reply_task late(request_context& request) {
  boost::asio::steady_timer timer(request.executor, 30ms);
  co_await timer.async_wait(boost::asio::use_awaitable);
  co_return http::make_reply(200, "text/plain", "late");
}

reply_task broken(request_context&) {
  throw std::runtime_error("SELECT secret FROM internals");
  co_return reply{};
}

http::router basic_routes() {
  http::router routes;
  routes.add(method::get, "/hello", say("hello"));
  routes.add(method::get, "/late", &late);
  routes.add(method::get, "/broken", &broken);
  routes.add(method::post, "/echo", echo());
  routes.add(method::put, "/echo", echo());
  routes.add(method::get, "/users/{id}", [](request_context& request) -> reply_task {
    co_return http::make_reply(200, "text/plain",
                               std::string(*request.param("id")) + " " + std::string(request.peer_address));
  });
  routes.add(method::get, "/nothing", [](request_context&) -> reply_task { co_return http::make_reply(204, "", "x"); });
  routes.add(method::get, "/inject", [](request_context&) -> reply_task {
    reply answer = http::make_reply(200, "text/plain", "x");
    answer.with("X-Good", "yes").with("X-Bad", "a\r\nX-Injected: b");
    co_return answer;
  });
  routes.add(method::get, "/shared", [](request_context&) -> reply_task {
    static const auto text = std::make_shared<const std::string>("shared text");
    reply answer = http::make_reply(200, "text/plain");
    answer.shared_body = text;
    co_return answer;
  });
  return routes;
}

const std::string host = "Host: test\r\n";

} // namespace

TEST_CASE("a GET is answered with Date, Server, type and length, and the connection stays", "[http]") {
  const running_server at(quick_options(), basic_routes());
  auto client = at.client();
  const auto answer = client.get("/hello");
  CHECK(answer.status == 200);
  CHECK(answer.body == "hello");
  CHECK(answer.header("Content-Type") == "text/plain");
  CHECK(answer.header("content-length") == "5");
  CHECK(answer.header("Server") == "drplatform");
  REQUIRE(answer.header("Date"));
  CHECK(answer.header("Date")->ends_with(" GMT"));
  CHECK_FALSE(answer.header("Connection"));
  CHECK(client.get("/users/a%20b").body == "a b 127.0.0.1");
  CHECK(client.get("/shared").body == "shared text");
  CHECK(at.server.counters().connections == 1);
}

TEST_CASE("the Date header shows the time the application gives", "[http]") {
  http::server_hooks hooks;
  hooks.wall_seconds = [] { return std::time_t{784111777}; };
  const running_server at(quick_options(), basic_routes(), hooks);
  CHECK(at.client().get("/hello").header("Date") == "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_CASE("HEAD has GET's header and no body", "[http]") {
  const running_server at(quick_options(), basic_routes());
  raw_client raw(at.port());
  raw.send("HEAD /hello HTTP/1.1\r\n" + host + "\r\nGET /hello HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n");
  const auto all = raw.read_to_end();
  CHECK(count_of(all, "Content-Length: 5\r\n") == 2);
  CHECK(count_of(all, "hello") == 1);
}

TEST_CASE("statuses without a body have none", "[http]") {
  const running_server at(quick_options(), basic_routes());
  raw_client raw(at.port());
  raw.send("GET /nothing HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n");
  const auto all = raw.read_to_end();
  CHECK(status_of(all) == 204);
  CHECK(count_of(all, "Content-Length") == 0);
  CHECK(all.ends_with("\r\n\r\n"));
}

TEST_CASE("unknown paths are 404, other methods 405 with Allow, OPTIONS is answered", "[http]") {
  const running_server at(quick_options(), basic_routes());
  auto client = at.client();
  CHECK(client.get("/nowhere").status == 404);
  const auto refused = client.del("/echo");
  CHECK(refused.status == 405);
  CHECK(refused.header("Allow") == "POST, PUT, OPTIONS");
  const auto options = client.request("OPTIONS", "/hello");
  CHECK(options.status == 204);
  CHECK(options.header("Allow") == "GET, HEAD, OPTIONS");
  CHECK(client.request("OPTIONS", "/nowhere").status == 404);
  CHECK(client.post("/nowhere", "a body nobody wants").status == 404);
  const std::string large(100'000, 'x'); // nobody reads it
  CHECK(at.client().post("/nowhere", large).status == 404);
  CHECK(at.client().request("DELETE", "/echo", large).header("Allow") == "POST, PUT, OPTIONS");
  CHECK(client.request("BREW", "/hello").status == 501);
  CHECK(client.get("/hello").status == 200);
}

TEST_CASE("pipelined requests are answered in order, slow ones too", "[http]") {
  const running_server at(quick_options(), basic_routes());
  raw_client raw(at.port());
  std::string all;
  for (int round = 0; round < 100; ++round) {
    all += "GET /late HTTP/1.1\r\n" + host + "\r\n";
    if (round == 0) all += "\r\n"; // an empty line between requests is borne
    all += "POST /echo HTTP/1.1\r\n" + host + "Content-Length: 6\r\n\r\nnumber";
    if (round == 9) break;
  }
  for (int round = 0; round < 200; ++round) all += "GET /hello HTTP/1.1\r\n" + host + "\r\n";
  all += "GET /users/last HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n";
  raw.send(all);
  const auto answers = raw.read_to_end();
  CHECK(count_of(answers, "HTTP/1.1 200 OK") == 221);
  CHECK(answers.find("late") < answers.find("number"));
  CHECK(answers.rfind("number") < answers.find("hello"));
  CHECK(answers.ends_with("last 127.0.0.1"));
}

TEST_CASE("HTTP/1.0 closes unless it asks to be kept", "[http]") {
  const running_server at(quick_options(), basic_routes());
  raw_client closing(at.port());
  closing.send("GET /hello HTTP/1.0\r\n\r\n");
  CHECK(closing.read_to_end().ends_with("hello"));
  raw_client kept(at.port());
  kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(count_of(kept.read_until("hello"), "Connection: keep-alive\r\n") == 1);
  kept.send("GET /hello HTTP/1.0\r\n\r\n");
  CHECK(status_of(kept.read_to_end()) == 200);
}

TEST_CASE("a request in single bytes is understood", "[http]") {
  const running_server at(quick_options(), basic_routes());
  raw_client raw(at.port());
  const std::string all = "POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" +
                          "3\r\nabc\r\n10;name=value\r\n0123456789abcdef\r\n0\r\nX-Trailer: t\r\n\r\n";
  for (const char c : all) raw.send({&c, 1});
  CHECK(status_of(raw.read_until("abc0123456789abcdef")) == 200);
  raw.send("GET /hello HTTP/1.1\r\n" + host + "\r\n");
  CHECK(status_of(raw.read_until("hello")) == 200);
}

TEST_CASE("a body method without a length has an empty body", "[http]") {
  const running_server at(quick_options(), basic_routes());
  raw_client raw(at.port());
  raw.send("POST /echo HTTP/1.1\r\n" + host + "\r\n");
  CHECK(count_of(raw.read_until("\r\n\r\n"), "Content-Length: 0\r\n") == 1);
}

TEST_CASE("Expect: 100-continue invites a body that will be read, and no other", "[http]") {
  auto options = quick_options();
  options.max_body_bytes = 100;
  const running_server at(options, basic_routes());
  raw_client raw(at.port());
  raw.send("POST /echo HTTP/1.1\r\n" + host + "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  CHECK(raw.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  raw.send("body");
  CHECK(status_of(raw.read_until("body")) == 200);
  raw.send("POST /echo HTTP/1.1\r\n" + host + "Content-Length: 400\r\nExpect: 100-continue\r\n\r\n");
  CHECK(status_of(raw.read_to_end()) == 413);
  raw_client other(at.port());
  other.send("POST /echo HTTP/1.1\r\n" + host + "Content-Length: 4\r\nExpect: miracles\r\n\r\n");
  CHECK(status_of(other.read_to_end()) == 417);
}

TEST_CASE("an exception in a handler is a 500 without internals and harms nobody", "[http]") {
  const running_server at(quick_options(), basic_routes());
  auto client = at.client();
  const auto answer = client.get("/broken");
  CHECK(answer.status == 500);
  CHECK(answer.body.find("SELECT") == std::string::npos);
  CHECK(client.get("/hello").status == 200);
  CHECK(at.server.counters().connections == 1);
}

TEST_CASE("a header value cannot start a header of its own", "[http]") {
  const running_server at(quick_options(), basic_routes());
  const auto answer = at.client().get("/inject");
  CHECK(answer.header("X-Good") == "yes");
  CHECK_FALSE(answer.header("X-Injected"));
}

TEST_CASE("the hooks see every readable request; one may answer itself, one adds to every answer", "[http]") {
  http::server_hooks hooks;
  std::atomic<int> observed{0};
  hooks.admit = [](request_context& request) -> admission_task {
    if (request.header("Authorization") != "Bearer good") co_return http::make_reply(401, "text/plain", "who are you");
    co_return std::nullopt;
  };
  hooks.complete = [](const request_context& request, http::reply& answer) {
    answer.with("X-Route", request.matched ? request.matched->pattern : "none");
  };
  hooks.render_error = [](unsigned status, std::string_view detail, const request_context* request) {
    return http::make_reply(status, "application/problem+json",
                            std::string(detail) + (request ? std::string(request->path) : "?"));
  };
  hooks.observe = [&observed](const request_context&, unsigned, std::chrono::nanoseconds) { ++observed; };
  const running_server at(quick_options(), basic_routes(), hooks);
  auto client = at.client();
  const auto stranger = client.get("/hello");
  CHECK(stranger.status == 401);
  CHECK(stranger.header("X-Route") == "/hello");
  client.always_send({{"Authorization", "Bearer good"}});
  CHECK(client.get("/hello").header("X-Route") == "/hello");
  const auto unknown = client.get("/nowhere?x=1");
  CHECK(unknown.header("X-Route") == "none");
  CHECK(unknown.header("Content-Type") == "application/problem+json");
  CHECK(unknown.body.ends_with("/nowhere"));
  const auto unreadable = client.get("/a%zz");
  CHECK(unreadable.header("Content-Type") == "application/problem+json");
  CHECK_FALSE(unreadable.header("X-Route"));
  CHECK(eventually([&] { return observed == 4; }));
  CHECK(at.server.counters().requests == 4);
}

TEST_CASE("requests that are not sound HTTP are refused and the connection closed", "[http]") {
  const running_server at(quick_options(), basic_routes());
  const auto refused = [&](const std::string& request) {
    raw_client raw(at.port());
    raw.send(request);
    return status_of(raw.read_to_end());
  };
  CHECK(refused("rubbish\r\n\r\n") == 400);
  CHECK(refused("GET /hello HTTP/2.0\r\n\r\n") == 505);
  CHECK(refused("GET /hello HTTP/1.1\r\nHost test\r\n\r\n") == 400);
  CHECK(refused("GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n") == 400);
  CHECK(refused("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n") == 400);
  CHECK(refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n") == 400);
  CHECK(refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd") == 400);
  CHECK(refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
        400);
  CHECK(refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n") == 501);
  CHECK(refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") == 400);
  for (const std::string coding : {"gzip", "identity", "chunked, gzip"}) { // what follows is a body, not a request
    raw_client raw(at.port());
    raw.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: " + coding +
             "\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto all = raw.read_to_end();
    CHECK(status_of(all) == 501);
    CHECK(count_of(all, "HTTP/1.1 ") == 1);
  }
  CHECK(refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(40000, 'x')) ==
        400);
  CHECK(refused("GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") == 400);
  CHECK(refused("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") == 204);
  CHECK(eventually([&] { return at.server.counters().connections == 0; }));
}

TEST_CASE("a target that cannot be decoded is a 400 and the connection stays", "[http]") {
  const running_server at(quick_options(), basic_routes());
  auto client = at.client();
  CHECK(client.get("/users/%ff").status == 400);
  CHECK(client.get("/users/%zz").status == 400);
  CHECK(client.get("/hello").status == 200);
  CHECK(at.server.counters().connections == 1);
}
