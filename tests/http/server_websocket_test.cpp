// WebSocket sessions: order, bounds, closing.
#include "tests/http/server_fixture.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <vector>

using namespace dr::test;
namespace http = dr::http;

namespace {

/// The sessions of one test, and how they ended.
class session_log {
public:
  void opened(const http::websocket_ptr& session) {
    const std::scoped_lock lock(mutex_);
    sessions_.push_back(session);
  }
  void closed(const http::websocket_ptr& session, std::uint16_t code) {
    const std::scoped_lock lock(mutex_);
    std::erase(sessions_, session);
    codes_.push_back(code);
  }
  http::websocket_ptr wait_session() {
    http::websocket_ptr found;
    REQUIRE(eventually([&] {
      const std::scoped_lock lock(mutex_);
      if (!sessions_.empty()) found = sessions_.front();
      return found != nullptr;
    }));
    return found;
  }
  std::uint16_t wait_code() {
    std::uint16_t code = 0;
    REQUIRE(eventually([&] {
      const std::scoped_lock lock(mutex_);
      if (!codes_.empty()) code = codes_.front();
      return code != 0;
    }));
    return code;
  }

private:
  std::mutex mutex_;
  std::vector<http::websocket_ptr> sessions_;
  std::vector<std::uint16_t> codes_;
};

http::websocket_callbacks echoing(session_log& log) {
  http::websocket_callbacks callbacks;
  callbacks.on_open = [&log](const http::websocket_ptr& session) { log.opened(session); };
  callbacks.on_message = [](const http::websocket_ptr& session, std::string_view text) {
    if (text == "throw") throw std::runtime_error("a defect");
    static const auto head = std::make_shared<const std::string>("echo:");
    session->send({head, std::string(text)});
  };
  callbacks.on_close = [&log](const http::websocket_ptr& session, std::uint16_t code) { log.closed(session, code); };
  return callbacks;
}

http::router socket_routes(session_log& log) {
  http::router routes;
  routes.add(method::get, "/hello", say("hello"));
  http::route socket;
  socket.pattern = "/ws";
  socket.upgrade = [&log](request_context& request) -> boost::asio::awaitable<http::websocket_verdict> {
    if (request.query_value("userId") == "0") co_return http::make_reply(403, "text/plain", "not you");
    co_return echoing(log);
  };
  routes.add(std::move(socket));
  return routes;
}

std::string upgrade_request() {
  return "GET /ws HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

} // namespace

TEST_CASE("a WebSocket echoes, small and large, and closes with the peer's code", "[http]") {
  session_log log;
  const running_server at(quick_options(), socket_routes(log));
  ws_client client(at.port(), "/ws?userId=7");
  CHECK(eventually([&] { return at.server.counters().websockets == 1; }));
  for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 4608U, 20000U, 65536U}) {
    const std::string text(size, 'a');
    client.send(text);
    CHECK(client.receive() == "echo:" + text);
  }
  client.send("김 \xF0\x9F\x98\x80");
  CHECK(client.receive() == "echo:김 \xF0\x9F\x98\x80");
  CHECK_FALSE(client.receive(1ms));
  client.close(1000);
  CHECK(log.wait_code() == 1000);
  CHECK(eventually([&] { return at.server.counters().websockets == 0 && at.server.counters().connections == 0; }));
}

TEST_CASE("an upgrade may be refused with an ordinary answer", "[http]") {
  session_log log;
  const running_server at(quick_options(), socket_routes(log));
  try {
    ws_client client(at.port(), "/ws?userId=0");
    FAIL("was accepted");
  } catch (const upgrade_refused& why) {
    CHECK(why.answer.status == 403);
    CHECK(why.answer.body == "not you");
  }
  CHECK_THROWS_AS(ws_client(at.port(), "/hello"), upgrade_refused);
  CHECK_THROWS_AS(ws_client(at.port(), "/nowhere"), upgrade_refused);
}

TEST_CASE("a plain GET of a WebSocket is 426, another version too", "[http]") {
  session_log log;
  const running_server at(quick_options(), socket_routes(log));
  auto client = at.client();
  const auto answer = client.get("/ws");
  CHECK(answer.status == 426);
  CHECK(answer.header("Sec-WebSocket-Version") == "13");
  CHECK(client.get("/hello").status == 200);
  raw_client old(at.port());
  auto request = upgrade_request();
  request.replace(request.find("13"), 2, "12");
  old.send(request);
  CHECK(status_of(old.read_until("\r\n\r\n")) == 426);
}

TEST_CASE("admission stands before upgrades as well", "[http]") {
  session_log log;
  http::server_hooks hooks;
  hooks.admit = [](request_context& request) -> admission_task {
    if (request.query_value("token") != "good") co_return http::make_reply(401, "text/plain", "no");
    co_return std::nullopt;
  };
  const running_server at(quick_options(), socket_routes(log), hooks);
  CHECK_THROWS_AS(ws_client(at.port(), "/ws?token=bad"), upgrade_refused);
  ws_client good(at.port(), "/ws?token=good");
  good.send("x");
  CHECK(good.receive() == "echo:x");
}

TEST_CASE("messages of several threads arrive whole, each thread's in order", "[http]") {
  session_log log;
  const running_server at(quick_options(), socket_routes(log));
  ws_client client(at.port(), "/ws");
  const auto session = log.wait_session();
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&, sender] {
      const auto head = std::make_shared<const std::string>(std::to_string(sender) + ":");
      for (int number = 0; number < 200; ++number) session->send({head, std::to_string(number)});
    });
  }
  for (auto& each : senders) each.join();
  std::map<std::string, int> next;
  for (int received = 0; received < 800; ++received) {
    const auto text = client.receive();
    REQUIRE(text);
    const auto colon = text->find(':');
    CHECK(std::stoi(text->substr(colon + 1)) == next[text->substr(0, colon)]++);
  }
}

TEST_CASE("a peer that reads too slowly is closed with 1013", "[http]") {
  session_log log;
  auto options = quick_options();
  options.websocket.max_queue_frames = 64;
  const running_server at(options, socket_routes(log));
  ws_client client(at.port(), "/ws");
  const auto session = log.wait_session();
  const auto large = std::make_shared<const std::string>(256 * 1024, 'x');
  std::size_t sent = 0;
  while (session->send({large, "tail"}) && sent < 100'000) ++sent;
  CHECK(sent < 1000);
  CHECK_FALSE(session->is_open());
  CHECK_FALSE(session->send({nullptr, "more"}));
  CHECK(client.wait_closed() == 1013);
  CHECK(log.wait_code() == 1013);
}

TEST_CASE("the queue is bounded in bytes too, and by force when the peer never reads", "[http]") {
  session_log log;
  auto options = quick_options();
  options.websocket.max_queue_bytes = 1024 * 1024;
  options.websocket.close_timeout = 100ms;
  const running_server at(options, socket_routes(log));
  raw_client client(at.port());
  client.send(upgrade_request());
  CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  const auto session = log.wait_session();
  const auto large = std::make_shared<const std::string>(128 * 1024, 'x');
  CHECK(eventually([&] { return !session->send({large, {}}); }));
  CHECK(log.wait_code() == 1013);
  CHECK(eventually([&] { return at.server.counters().connections == 0; }));
}

TEST_CASE("one message may be larger than the queue's bound in bytes", "[http]") {
  session_log log;
  auto options = quick_options();
  options.websocket.max_queue_bytes = 1000;
  const running_server at(options, socket_routes(log));
  ws_client client(at.port(), "/ws");
  CHECK(log.wait_session()->send({nullptr, std::string(100'000, 'x')}));
  CHECK(client.receive() == std::string(100'000, 'x'));
}

TEST_CASE("binary, invalid UTF-8 and too large messages are closed with their codes", "[http]") {
  session_log log;
  auto options = quick_options();
  options.websocket.max_message_bytes = 1000;
  const running_server at(options, socket_routes(log));
  ws_client binary(at.port(), "/ws");
  binary.send_binary("bytes");
  CHECK(binary.wait_closed() == 1003);
  ws_client invalid(at.port(), "/ws");
  invalid.send("\xff\xfe");
  CHECK(invalid.wait_closed() == 1007);
  ws_client large(at.port(), "/ws");
  large.send(std::string(1001, 'x'));
  CHECK(large.wait_closed() == 1009);
  ws_client fine(at.port(), "/ws");
  fine.send(std::string(1000, 'x'));
  CHECK(fine.receive() == "echo:" + std::string(1000, 'x'));
}

TEST_CASE("a defect in a callback closes that session with 1011 only", "[http]") {
  session_log log;
  const running_server at(quick_options(), socket_routes(log));
  ws_client bad(at.port(), "/ws");
  ws_client good(at.port(), "/ws");
  bad.send("throw");
  CHECK(bad.wait_closed() == 1011);
  good.send("x");
  CHECK(good.receive() == "echo:x");
}

TEST_CASE("peers are pinged, and one that answers is kept", "[http]") {
  session_log log;
  auto options = quick_options();
  options.websocket.ping_interval = 40ms;
  options.websocket.silence_timeout = 200ms;
  const running_server at(options, socket_routes(log));
  ws_client client(at.port(), "/ws");
  CHECK(eventually([&] {
    client.receive(20ms);
    return client.pings() >= 8;
  }));
  client.send("alive");
  CHECK(client.receive() == "echo:alive");
}

TEST_CASE("a silent peer is closed", "[http]") {
  session_log log;
  auto options = quick_options();
  options.websocket.ping_interval = 40ms;
  options.websocket.silence_timeout = 150ms;
  options.websocket.close_timeout = 100ms;
  const running_server at(options, socket_routes(log));
  raw_client client(at.port());
  client.send(upgrade_request());
  client.read_until("\r\n\r\n");
  const auto frames = client.read_to_end();
  CHECK(frames.starts_with(std::string("\x89\x00", 2)));                       // a ping
  CHECK(frames.find(std::string("\x88\x13\x03\xE9", 4)) != std::string::npos); // close 1001, 17 bytes of reason
  CHECK(log.wait_code() == 1001);
  CHECK(eventually([&] { return at.server.counters().connections == 0; }));
}

TEST_CASE("a peer that vanishes is reported as 1006", "[http]") {
  session_log log;
  const running_server at(quick_options(), socket_routes(log));
  raw_client client(at.port());
  client.send(upgrade_request());
  client.read_until("\r\n\r\n");
  log.wait_session();
  client.close();
  CHECK(log.wait_code() == 1006);
}

TEST_CASE("the server's own close has its code and reason, and the queue is dropped", "[http]") {
  session_log log;
  const running_server at(quick_options(), socket_routes(log));
  ws_client client(at.port(), "/ws");
  const auto session = log.wait_session();
  session->close(4001, std::string(100, 'a') + "한국어한국어한국어");
  CHECK(client.wait_closed() == 4001);
  CHECK(log.wait_code() == 4001);
  session->close(1000, "again");
  CHECK_FALSE(session->send({nullptr, "late"}));
}

TEST_CASE("sessions may be let go of on any thread, while others come and go", "[http]") {
  // What holds a session last is not its io thread, here as in the product.
  std::mutex mutex;
  std::vector<http::websocket_ptr> held;
  http::router routes;
  http::route socket;
  socket.pattern = "/ws";
  socket.upgrade = [&](request_context&) -> boost::asio::awaitable<http::websocket_verdict> {
    http::websocket_callbacks callbacks;
    callbacks.on_open = [&](const http::websocket_ptr& session) {
      const std::scoped_lock lock(mutex);
      held.push_back(session);
    };
    co_return callbacks;
  };
  routes.add(std::move(socket));
  auto options = quick_options();
  options.websocket.close_timeout = 20ms; // so that connections are looked at every five milliseconds
  running_server at(options, std::move(routes));
  std::jthread holder([&](const std::stop_token& over) {
    while (!over.stop_requested()) {
      std::vector<http::websocket_ptr> ended;
      const std::scoped_lock lock(mutex);
      for (auto& one : held)
        if (!one->is_open()) ended.push_back(std::move(one));
      std::erase(held, nullptr);
    }
  });
  constexpr int rounds = 100;
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::unique_ptr<ws_client>> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(std::make_unique<ws_client>(at.port(), "/ws"));
  }
  CHECK(eventually([&] {
    const std::scoped_lock lock(mutex);
    return held.empty() && at.server.counters().websockets == 0;
  }));
  holder = {};
  CHECK(at.server.stop(1s));
}
