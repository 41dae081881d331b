// Every bound of the server, from outside.
#include "tests/http/server_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <vector>

using namespace dr::test;
namespace http = dr::http;

namespace {

std::atomic<bool> stuck_was_cancelled{false};

reply_task stuck(request_context& request) {
  boost::asio::steady_timer timer(request.executor, 1h);
  try {
    co_await timer.async_wait(boost::asio::use_awaitable);
  } catch (const boost::system::system_error&) {
    stuck_was_cancelled = true;
    throw;
  }
  co_return http::make_reply(200);
}

http::router limit_routes() {
  http::router routes;
  routes.add(method::get, "/hello", say("hello"));
  routes.add(method::get, "/stuck", &stuck);
  routes.add(method::post, "/echo", echo());
  http::route large;
  large.verb = method::post;
  large.pattern = "/large";
  large.handle = [](request_context& request) -> reply_task {
    co_return http::make_reply(200, "text/plain", std::to_string(request.body.size()));
  };
  large.max_body_bytes = 4 * 1024 * 1024;
  routes.add(std::move(large));
  routes.add(method::get, "/huge", [](request_context&) -> reply_task {
    co_return http::make_reply(200, "text/plain", std::string(64 * 1024 * 1024, 'x'));
  });
  return routes;
}

const std::string host = "Host: test\r\n";

} // namespace

TEST_CASE("a body over the limit is 413, announced or chunked; a route may take more", "[http]") {
  const running_server at(quick_options(), limit_routes());
  auto client = at.client();
  CHECK(client.post("/echo", std::string(1024 * 1024, 'x')).status == 200);
  CHECK(client.post("/echo", std::string(1024 * 1024 + 1, 'x')).status == 413);
  CHECK(client.post("/echo", std::string(10 * 1024 * 1024, 'x')).status == 413);
  CHECK(client.post("/large", std::string(4 * 1024 * 1024, 'x')).body == "4194304");
  raw_client raw(at.port());
  raw.send("POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int sent = 0; sent < 17; ++sent) raw.send(chunk);
  const auto answer = raw.read_to_end();
  CHECK(status_of(answer) == 413);
  CHECK(count_of(answer, "Connection: close\r\n") == 1);
}

TEST_CASE("who is not admitted is told so before the body is read", "[http]") {
  http::server_hooks hooks;
  hooks.admit = [](request_context& request) -> admission_task {
    if (request.header("Authorization") != "Bearer good") co_return http::make_reply(401, "text/plain", "who are you");
    co_return std::nullopt;
  };
  auto options = quick_options();
  options.body_timeout = 300ms;
  const running_server at(options, limit_routes(), hooks);
  const auto told = [&at](const std::string& fields) { // the body never comes
    raw_client raw(at.port());
    raw.send("POST /large HTTP/1.1\r\n" + host + fields + "\r\n");
    return raw.read_until("who are you");
  };
  for (const std::string fields : {"Content-Length: 3000000\r\n", "Content-Length: 300000000000\r\n",
                                   "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\nExpect: 100-continue\r\n"}) {
    CAPTURE(fields);
    const auto answer = told(fields);
    CHECK(status_of(answer) == 401);
    CHECK(count_of(answer, "Connection: close\r\n") == 1);
  }
  raw_client silent(at.port()); // the little that it announced never comes
  silent.send("POST /large HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\n");
  CHECK(status_of(silent.read_to_end()) == 401);
  raw_client small(at.port());
  small.send("POST /large HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello");
  CHECK(status_of(small.read_until("who are you")) == 401);
  small.send("POST /large HTTP/1.1\r\n" + host +
             "Authorization: Bearer good\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
  CHECK(status_of(small.read_to_end()) == 200);
}

TEST_CASE("a target over the limit is 414, header fields over it 431", "[http]") {
  const running_server at(quick_options(), limit_routes());
  auto client = at.client();
  CHECK(client.get("/" + std::string(8190, 'x')).status == 404);
  CHECK(client.get("/" + std::string(8192, 'x')).status == 414);
  CHECK(client.get("/" + std::string(100'000, 'x')).status == 414);
  CHECK(client.get("/hello", {{"X-Long", std::string(8000, 'x')}}).status == 200);
  CHECK(client.get("/hello", {{"X-Long", std::string(8200, 'x')}}).status == 431);
  CHECK(client.get("/hello", {{"X-Long", std::string(60'000, 'x')}}).status == 431);
  header_list many;
  for (int at_field = 0; at_field < 1000; ++at_field) many.emplace_back("X-Many", "value");
  CHECK(client.get("/hello", many).status == 431);
  CHECK(client.get("/hello").status == 200);
}

TEST_CASE("a client that is slow with its header gets 408 and is closed", "[http]") {
  auto options = quick_options();
  options.header_timeout = 100ms;
  const running_server at(options, limit_routes());
  raw_client raw(at.port());
  raw.send("GET /hello HTTP/1.1\r\nHo");
  CHECK(status_of(raw.read_to_end()) == 408);
  raw_client silent(at.port());
  CHECK(silent.read_to_end().empty());
  CHECK(eventually([&] { return at.server.counters().connections == 0; }));
}

TEST_CASE("a client that drips its header is not given more time", "[http]") {
  auto options = quick_options();
  options.header_timeout = 100ms;
  const running_server at(options, limit_routes());
  raw_client raw(at.port());
  raw.send("GET /hello HTTP/1.1\r\nX-Drip: ");
  CHECK(eventually(
      [&] {
        raw.send("x");
        return at.server.counters().connections == 0;
      },
      5s));
}

TEST_CASE("a client that is slow with its body gets 408 and is closed", "[http]") {
  auto options = quick_options();
  options.body_timeout = 100ms;
  const running_server at(options, limit_routes());
  raw_client raw(at.port());
  raw.send("POST /echo HTTP/1.1\r\n" + host + "Content-Length: 10\r\n\r\nabc");
  CHECK(status_of(raw.read_to_end()) == 408);
}

TEST_CASE("an idle connection is closed without a word", "[http]") {
  auto options = quick_options();
  options.idle_timeout = 100ms;
  const running_server at(options, limit_routes());
  raw_client raw(at.port());
  raw.send("GET /hello HTTP/1.1\r\n" + host + "\r\n");
  raw.read_until("hello");
  CHECK(raw.read_to_end().empty());
}

TEST_CASE("a handler that takes too long is cancelled with 503 and the connection stays", "[http]") {
  auto options = quick_options();
  options.handler_timeout = 100ms;
  const running_server at(options, limit_routes());
  auto client = at.client();
  stuck_was_cancelled = false;
  const auto answer = client.get("/stuck");
  CHECK(answer.status == 503);
  CHECK(answer.header("Retry-After") == "5");
  CHECK(stuck_was_cancelled);
  CHECK(client.get("/hello").status == 200);
  CHECK(client.get("/stuck").status == 503);
  CHECK(at.server.counters().connections == 1);
}

TEST_CASE("a client that does not read its answer is closed", "[http]") {
  auto options = quick_options();
  options.write_timeout = 100ms;
  const running_server at(options, limit_routes());
  raw_client raw(at.port());
  raw.send("GET /huge HTTP/1.1\r\n" + host + "\r\n");
  REQUIRE(eventually([&] { return at.server.counters().requests == 1; }));
  CHECK(eventually([&] { return at.server.counters().connections == 0; }));
}

TEST_CASE("a client that reads slowly but steadily gets its whole answer", "[http]") {
  auto options = quick_options();
  options.write_timeout = 1s;
  const running_server at(options, limit_routes());
  CHECK(at.client().get("/huge").body.size() == 64U * 1024 * 1024);
}

TEST_CASE("a client that leaves in mid-request harms nobody", "[http]") {
  const running_server at(quick_options(), limit_routes());
  for (const auto& part : {"GET /hel", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"}) {
    raw_client raw(at.port());
    raw.send(part);
    raw.close();
  }
  CHECK(eventually([&] { return at.server.counters().connections == 0; }));
  CHECK(at.client().get("/hello").status == 200);
}

TEST_CASE("connections over the limit are answered 503 with Retry-After and closed", "[http]") {
  auto options = quick_options();
  options.max_connections = 2;
  const running_server at(options, limit_routes());
  CHECK(at.server.max_connections() == 2);
  auto first = at.client();
  auto second = std::make_unique<http_client>(at.port());
  CHECK(first.get("/hello").status == 200);
  CHECK(second->get("/hello").status == 200);
  const auto refused = at.client().get("/hello");
  CHECK(refused.status == 503);
  CHECK(refused.header("Retry-After") == "5");
  CHECK(refused.header("Connection") == "close");
  CHECK(at.server.counters().refused == 1);
  CHECK(first.get("/hello").status == 200);
  second.reset();
  CHECK(eventually([&] { return at.client().get("/hello").status == 200; }));
}

TEST_CASE("without a limit of its own the server derives one from the descriptors", "[http]") {
  const running_server at(quick_options(), limit_routes());
  CHECK(at.server.max_connections() >= 16);
}

TEST_CASE("no limit takes the descriptors that everything else needs", "[http]") {
  auto options = quick_options();
  options.max_connections = 1'000'000'000;
  const running_server at(options, limit_routes());
  const running_server usual(quick_options(), limit_routes());
  CHECK(at.server.max_connections() >= usual.server.max_connections());
  CHECK(at.server.max_connections() < options.max_connections);
}

TEST_CASE("a sweep that fails is not the last one", "[http]") {
  auto options = quick_options();
  options.header_timeout = 100ms;
  std::atomic<int> to_fail = 0;
  http::server_hooks hooks;
  hooks.wall_seconds = [&to_fail]() -> std::time_t {
    if (to_fail > 0 && to_fail-- > 0) throw std::runtime_error("a defect");
    return 0;
  };
  const running_server at(options, limit_routes(), hooks);
  to_fail = 4;
  REQUIRE(eventually([&] { return to_fail <= 0; }));
  raw_client raw(at.port());
  raw.send("GET /hello HTTP/1.1\r\nHo");
  CHECK(status_of(raw.read_to_end()) == 408);
}

TEST_CASE("one client with a long pipeline does not keep the thread for itself", "[http]") {
  auto options = quick_options();
  options.io_threads = 1;
  const running_server at(options, limit_routes());
  raw_client greedy(at.port());
  auto other = at.client();
  CHECK(other.get("/hello").status == 200);
  std::string all;
  for (int request = 0; request < 2000; ++request) all += "GET /hello HTTP/1.1\r\n" + host + "\r\n";
  greedy.send(all);
  CHECK(other.get("/hello").status == 200);
  std::size_t answered = 0;
  while (answered < 2000) answered += count_of(greedy.read_until("hello"), "HTTP/1.1 200");
  CHECK(answered == 2000);
}
