// Beginning and end: sockets handed over, requests drained, force as the last resort.
#include "http/answer_desk.hpp"
#include "tests/http/server_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <atomic>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace dr::test;
namespace http = dr::http;
namespace asio = boost::asio;

namespace {

struct gate {
  std::atomic<bool> entered{false};
  std::atomic<bool> open{false};
};

reply_task wait_at(request_context& request, gate& door) {
  door.entered = true;
  asio::steady_timer timer(request.executor);
  while (!door.open) {
    timer.expires_after(5ms);
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_return http::make_reply(200, "text/plain", "done");
}

http::router gate_routes(gate& door) {
  http::router routes;
  routes.add(method::get, "/hello", say("hello"));
  routes.add(method::post, "/gate", [&door](request_context& request) { return wait_at(request, door); });
  routes.add(method::get, "/gate", [&door](request_context& request) { return wait_at(request, door); });
  http::route socket;
  socket.pattern = "/ws";
  socket.upgrade = [](request_context&) -> asio::awaitable<http::websocket_verdict> {
    co_return http::websocket_callbacks{};
  };
  routes.add(std::move(socket));
  return routes;
}

/// A listening socket as a parent process would own it.
struct parent_socket {
  parent_socket() : descriptor(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(descriptor, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0);
    REQUIRE(::listen(descriptor, 64) == 0);
  }
  parent_socket(const parent_socket&) = delete;
  ~parent_socket() { ::close(descriptor); }
  int descriptor;
};

const std::string host = "Host: test\r\n";

} // namespace

TEST_CASE("stop lets a request in flight finish, closes idle connections and answers nobody else", "[http]") {
  gate door;
  running_server at(quick_options(), gate_routes(door));
  const auto port = at.port();
  raw_client idle(port);
  idle.send("GET /hello HTTP/1.1\r\n" + host + "\r\n");
  idle.read_until("hello");
  raw_client busy(port);
  busy.send("GET /gate HTTP/1.1\r\n" + host + "\r\n");
  REQUIRE(eventually([&] { return door.entered.load(); }));
  std::atomic<bool> result{false};
  std::thread stopper([&] { result = at.server.stop(10s); });
  CHECK(idle.read_to_end().empty());
  CHECK(at.server.draining());
  CHECK_THROWS_AS(raw_client(port), client_error);
  door.open = true;
  const auto answer = busy.read_to_end();
  CHECK(status_of(answer) == 200);
  CHECK(count_of(answer, "Connection: close\r\n") == 1);
  CHECK(answer.ends_with("done"));
  stopper.join();
  CHECK(result);
  CHECK(at.server.stop(0ms));
  CHECK(at.server.counters().connections == 0);
}

TEST_CASE("stop ends what does not finish within the grace", "[http]") {
  gate door;
  running_server at(quick_options(), gate_routes(door));
  raw_client busy(at.port());
  busy.send("GET /gate HTTP/1.1\r\n" + host + "\r\n");
  REQUIRE(eventually([&] { return door.entered.load(); }));
  CHECK_FALSE(at.server.stop(50ms));
  CHECK(busy.read_to_end().empty());
  CHECK(at.server.counters().connections == 0);
}

TEST_CASE("stop closes WebSockets with 1012", "[http]") {
  gate door;
  running_server at(quick_options(), gate_routes(door));
  ws_client client(at.port(), "/ws");
  REQUIRE(eventually([&] { return at.server.counters().websockets == 1; }));
  std::atomic<bool> result{false};
  std::thread stopper([&] { result = at.server.stop(10s); });
  CHECK(client.wait_closed() == 1012);
  stopper.join();
  CHECK(result);
}

TEST_CASE("what a server held is let go with it, whatever was still to come when it stopped", "[http]") {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  http::route socket;
  socket.pattern = "/ws";
  socket.upgrade = [held](request_context& request) -> asio::awaitable<http::websocket_verdict> {
    auto& context = static_cast<asio::io_context&>(asio::query(request.executor, asio::execution::context));
    http::websocket_callbacks callbacks;
    // More than the peer's buffers take. When the peer goes, either this write or the pending read hears of it first;
    // the other one's completion stands behind on_close, which lasts until the thread is told to stop.
    callbacks.on_open = [](const http::websocket_ptr& session) {
      session->send({nullptr, std::string(8'000'000, 'x')});
    };
    callbacks.on_close = [&context](const http::websocket_ptr&, std::uint16_t) {
      eventually([&] { return context.stopped(); });
    };
    co_return callbacks;
  };
  http::router routes;
  routes.add(std::move(socket));
  auto at = std::make_unique<running_server>(quick_options(), std::move(routes));
  held.reset();
  raw_client first(at->port()); // on the thread that closes the listening socket
  REQUIRE(eventually([&] { return at->server.counters().connections == 1; }));
  auto client = raw_client::narrow(at->port());
  client.send("GET /ws HTTP/1.1\r\n" + host +
              "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  client.read_until("xxx");
  first.close();
  client.close();
  REQUIRE(eventually([&] { return at->server.counters().connections == 0; }));
  at.reset();
  CHECK(watched.expired());
}

TEST_CASE("a server that ends lets go of who waits for an actor, whether or not it answers later", "[http]") {
  struct sleeper final : http::waiting_request {
    void complete(dr::result<caf::message>) override { completed = true; }
    void abandon() noexcept override { held = nullptr; }
    bool completed = false;
    http::websocket_ptr held;
  };
  const auto request = std::make_shared<sleeper>(); // as an actor has it that takes its time
  std::shared_ptr<http::answer_desk> desk;
  std::atomic<bool> waits{false};
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  http::route socket;
  socket.pattern = "/ws";
  socket.upgrade = [&, held](request_context& asked) -> asio::awaitable<http::websocket_verdict> {
    desk = http::answer_desk::of(asio::query(asked.executor, asio::execution::context));
    http::websocket_callbacks callbacks;
    callbacks.on_open = [&](const http::websocket_ptr& session) {
      request->held = session;
      desk->expect(*request, 1h);
      waits = true;
    };
    co_return callbacks;
  };
  http::router routes;
  routes.add(std::move(socket));
  http::server_hooks hooks;
  hooks.io_ended = [](asio::execution_context& ended) { http::answer_desk::of(ended)->close(); };
  auto at = std::make_unique<running_server>(quick_options(), std::move(routes), std::move(hooks));
  held.reset();
  ws_client client(at->port(), "/ws");
  REQUIRE(eventually([&] { return waits.load(); }));
  at.reset();
  CHECK(watched.expired());
  desk->deliver(request, caf::message{});
  CHECK_FALSE(request->completed);
}

TEST_CASE("while it drains the server answers, and closes after each answer", "[http]") {
  gate door;
  running_server at(quick_options(), gate_routes(door));
  at.server.begin_drain();
  const auto answer = at.client().get("/hello");
  CHECK(answer.status == 200);
  CHECK(answer.header("Connection") == "close");
  CHECK_THROWS_AS(ws_client(at.port(), "/ws"), upgrade_refused);
}

TEST_CASE("a server on an inherited socket loses no connection attempt over a restart", "[http]") {
  const parent_socket parent;
  gate door;
  auto options = quick_options();
  options.listen_fd = ::dup(parent.descriptor);
  std::uint16_t port = 0;
  {
    running_server first(options, gate_routes(door));
    port = first.port();
    CHECK(first.client().get("/hello").status == 200);
    CHECK(first.server.stop(5s));
  }
  raw_client between(port); // nobody serves; the parent's socket still takes it
  between.send("GET /hello HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n");
  options.listen_fd = ::dup(parent.descriptor);
  running_server second(options, gate_routes(door));
  CHECK(second.port() == port);
  CHECK(between.read_to_end().ends_with("hello"));
}

TEST_CASE("connections are handed over between two requests, and their clients notice nothing", "[http]") {
  gate door;
  running_server old(quick_options(), gate_routes(door));
  running_server successor(quick_options(), gate_routes(door));
  raw_client idle(old.port());
  idle.send("GET /hello HTTP/1.1\r\n" + host + "\r\n");
  idle.read_until("hello");
  raw_client fresh(old.port()); // connected, nothing sent yet
  raw_client halfway(old.port());
  halfway.send("GET /hello HTTP/1.1\r\nHost: te");
  raw_client busy(old.port()); // pipelines: its second request has been read by the old server
  busy.send("POST /gate HTTP/1.1\r\n" + host + "\r\nGET /hello HTTP/1.1\r\n" + host + "\r\n");
  REQUIRE(eventually([&] { return door.entered.load() && old.server.counters().connections == 4; }));
  std::atomic<int> given{0};
  std::atomic<bool> settled{false};
  std::thread giver([&] {
    settled = old.server.hand_over(
        [&](int descriptor, std::string unread) {
          ++given;
          successor.server.adopt(descriptor, std::move(unread));
        },
        10s);
  });
  REQUIRE(eventually([&] { return given == 3; }));
  CHECK(old.server.draining());
  CHECK_FALSE(settled); // a write is under way
  CHECK_THROWS_AS(raw_client(old.port()), client_error);
  door.open = true;
  giver.join();
  CHECK(settled);
  const auto first = busy.read_until("done");
  CHECK(count_of(first, "Connection: close") == 0);
  CHECK(status_of(busy.read_until("hello")) == 200);
  CHECK(eventually([&] { return old.server.counters().connections == 0; }));
  CHECK(eventually([&] { return old.server.counters().requests == 2; }));
  halfway.send("st\r\n\r\n");
  halfway.read_until("hello");
  for (auto* client : {&idle, &fresh, &halfway, &busy}) {
    client->send("GET /hello HTTP/1.1\r\n" + host + "\r\n");
    CHECK(status_of(client->read_until("hello")) == 200);
  }
  CHECK(old.server.stop(0ms));
  CHECK(eventually([&] { return successor.server.counters().requests == 6; }));
}

TEST_CASE("a handover waits for writes within its patience, and not for reads", "[http]") {
  gate door;
  running_server old(quick_options(), gate_routes(door));
  raw_client busy(old.port());
  SECTION("a read is answered afterwards") {
    busy.send("GET /gate HTTP/1.1\r\n" + host + "\r\n");
    REQUIRE(eventually([&] { return door.entered.load(); }));
    CHECK(old.server.hand_over([](int descriptor, std::string) { ::close(descriptor); }, 10s));
    door.open = true;
    CHECK(status_of(busy.read_to_end()) == 200);
  }
  SECTION("a write that takes longer is not waited for") {
    busy.send("POST /gate HTTP/1.1\r\n" + host + "\r\n");
    REQUIRE(eventually([&] { return door.entered.load(); }));
    CHECK_FALSE(old.server.hand_over([](int descriptor, std::string) { ::close(descriptor); }, 20ms));
    door.open = true;
    CHECK(status_of(busy.read_to_end()) == 200);
  }
}

TEST_CASE("a handover closes WebSockets with 1012, also one that is just being opened", "[http]") {
  gate door;
  running_server old(quick_options(), gate_routes(door));
  ws_client open(old.port(), "/ws");
  REQUIRE(eventually([&] { return old.server.counters().websockets == 1; }));
  raw_client late(old.port()); // its upgrade arrives when it has been handed over: that is the successor's
  REQUIRE(eventually([&] { return old.server.counters().connections == 2; }));
  std::atomic<int> given{0};
  const auto give = [&](int descriptor, std::string) {
    ++given;
    ::close(descriptor);
  };
  CHECK(old.server.hand_over(give, 10s));
  CHECK(open.wait_closed() == 1012);
  CHECK(late.read_to_end().empty());
  CHECK(given == 1);
}

TEST_CASE("an idle connection gets an answer that closes while the server stops", "[http]") {
  gate door;
  auto options = quick_options();
  options.stop_idle_grace = 10s;
  running_server at(options, gate_routes(door));
  raw_client idle(at.port());
  idle.send("GET /hello HTTP/1.1\r\n" + host + "\r\n");
  idle.read_until("hello");
  std::thread stopper([&] { at.server.stop(20s); });
  REQUIRE(eventually([&] { return at.server.draining(); }));
  idle.send("GET /hello HTTP/1.1\r\n" + host + "\r\n");
  const auto last = idle.read_to_end();
  CHECK(count_of(last, "Connection: close\r\n") == 1);
  CHECK(last.ends_with("hello"));
  stopper.join();
}

TEST_CASE("a start that cannot succeed says why", "[http]") {
  gate door;
  running_server first(quick_options(), gate_routes(door));
  auto options = quick_options();
  options.port = first.port();
  http::server taken(options, gate_routes(door));
  const auto in_use = taken.start();
  REQUIRE_FALSE(in_use.has_value());
  CHECK(in_use.error().detail.find(std::to_string(first.port())) != std::string::npos);
  options.address = "nonsense";
  http::server wrong(options, gate_routes(door));
  CHECK_FALSE(wrong.start().has_value());
  options.listen_fd = ::socket(AF_INET, SOCK_STREAM, 0);
  http::server deaf(options, gate_routes(door));
  CHECK_FALSE(deaf.start().has_value());
  ::close(options.listen_fd);
}

TEST_CASE("a restarted server takes its port again at once", "[http]") {
  gate door;
  auto options = quick_options();
  for (int round = 0; round < 3; ++round) {
    running_server at(options, gate_routes(door));
    options.port = at.port();
    CHECK(at.client().get("/hello").status == 200);
    CHECK(at.server.stop(5s));
  }
}

TEST_CASE("many clients at once are all answered", "[http]") {
  gate door;
  running_server at(quick_options(), gate_routes(door));
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int each = 0; each < 8; ++each) {
    clients.emplace_back([&] {
      auto client = at.client();
      for (int request = 0; request < 200; ++request) good += client.get("/hello").body == "hello" ? 1 : 0;
    });
  }
  for (auto& each : clients) each.join();
  CHECK(good == 1600);
  CHECK(eventually([&] { return at.server.counters().requests == 1600; })); // counted behind its answer
}
