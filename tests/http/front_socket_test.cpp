// The WebSockets of customers and console.
#include "http/live_sink.hpp"
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace dr;
using namespace dr::test;

json next(ws_client& socket) {
  const auto text = socket.receive();
  REQUIRE(text);
  return json::parse(*text);
}

/// The next message of that type; others are passed over.
json next_of(ws_client& socket, const std::string& type) {
  for (int i = 0; i < 200; ++i) {
    auto got = next(socket);
    if (got["type"] == type) return got;
  }
  FAIL("no message of type " << type);
  return {};
}

ws_client customer(front_world& world, int user) {
  return ws_client(world.port(), "/ws?userId=" + std::to_string(user));
}

unsigned refusal(front_world& world, const std::string& target, header_list headers = {}) {
  try {
    ws_client socket(world.port(), target, std::move(headers));
    return 101;
  } catch (const upgrade_refused& why) {
    return why.answer.status;
  }
}

TEST_CASE("a customer gets its snapshot, then alerts, answers and points", "[http][front][ws]") {
  front_world world;
  world.enrol("한국 😀", 400, 10);
  world.reduce("0000000001", 400);
  auto socket = customer(world, 1);
  const auto snapshot = next(socket);
  CHECK(snapshot["type"] == "snapshot");
  CHECK(snapshot["user"]["name"] == "한국 😀");
  CHECK(snapshot["campaigns"] == json::array());

  world.start_campaign();
  const auto alert = next_of(socket, "campaign.started");
  CHECK(alert["campaign"]["status"] == "running");
  CHECK(alert["response"]["userId"] == 1);
  CHECK(alert["response"]["expectedPoints"] == 400);
  const int response = alert["response"]["id"];
  socket.send(json{{"type", "received"}, {"responseId", response}}.dump());
  REQUIRE(soon([&] { return !world.get("/responses/1").body["deliveredAt"].is_null(); }));
  socket.send(json{{"type", "answer"}, {"responseId", response}, {"answer", "accept"}, {"ref", "a1"}}.dump());
  const auto answered = next_of(socket, "answered");
  CHECK(answered["ref"] == "a1");
  CHECK(answered["response"]["answer"] == "accept");
  CHECK(world.get("/responses/1").body["answer"] == "accept");

  world.clock().advance(1h);
  world.call("POST", "/drs/1/end");
  CHECK(next_of(socket, "campaign.ended")["campaign"]["status"] == "end");
  bool checked = false;
  bool paid = false;
  while (!checked || !paid) {
    const auto got = next(socket);
    checked = checked || got["type"] == "reduction.checked";
    paid = paid || got["type"] == "point.changed";
  }
  CHECK(world.get("/users/1").body["point"] == 510); // the window is widened to the quarter hours it touches
}

TEST_CASE("who reconnects is whole again by the snapshot", "[http][front][ws]") {
  front_world world;
  world.enrol("a");
  world.start_campaign();
  world.call("POST", "/drs", {{"name", "later"}, {"type", "reliable"}, {"startsAt", "2026-07-02T05:00:00Z"}});
  world.call("PUT", "/responses/1/accept");
  auto socket = customer(world, 1);
  const auto snapshot = next(socket);
  REQUIRE(snapshot["campaigns"].size() == 2);
  CHECK(snapshot["campaigns"][0]["response"]["answer"] == "accept");
  CHECK(snapshot["campaigns"][1]["campaign"]["status"] == "scheduled");
}

TEST_CASE("announcements, changes and cancellations are told", "[http][front][ws]") {
  front_world world;
  world.enrol("a");
  auto socket = customer(world, 1);
  next(socket);
  world.call("POST", "/drs", {{"name", "later"}, {"type", "reliable"}, {"startsAt", "2026-07-02T05:00:00Z"}});
  CHECK(next_of(socket, "campaign.announced")["response"]["answer"] == "ignore");
  world.call("PATCH", "/drs/1", {{"name", "much later"}});
  CHECK(next_of(socket, "campaign.changed")["campaign"]["name"] == "much later");
  world.call("PUT", "/responses/1/deny");
  CHECK(next_of(socket, "response.changed")["response"]["answer"] == "deny");
  world.call("POST", "/drs/1/cancel", {{"reason", "x"}});
  CHECK(next_of(socket, "campaign.canceled")["campaign"]["cancelReason"] == "x");
}

TEST_CASE("the alert of a start shows what was answered and received before it", "[http][front][ws]") {
  front_world world;
  world.enrol("a");
  auto socket = customer(world, 1);
  next(socket);
  const auto soon_after = format_rfc3339(world.clock().now() + 1h);
  world.call("POST", "/drs", {{"name", "later"}, {"type", "reliable"}, {"startsAt", soon_after}});
  CHECK(next_of(socket, "campaign.announced")["response"]["answeredAt"].is_null());
  socket.send(R"({"type":"received","responseId":1})");
  CHECK(world.call("PUT", "/responses/1/accept").status == 200);
  REQUIRE(soon([&] { return !world.get("/responses/1").body["deliveredAt"].is_null(); }));
  const auto stored = world.get("/responses/1").body;
  world.clock().advance(1h);
  const auto shown = next_of(socket, "campaign.started")["response"];
  for (const char* name : {"answer", "answeredAt", "deliveredAt", "expectedPoints", "version"})
    CHECK(shown[name] == stored[name]);
}

TEST_CASE("wrong messages are answered with a problem and the socket stays", "[http][front][ws]") {
  front_world world;
  world.enrol("a");
  world.enrol("b");
  world.start_campaign();
  auto socket = customer(world, 1);
  next(socket);
  for (const std::string text :
       {"rubbish", "[]", "{}", R"({"type":"dance","responseId":1})", R"({"type":"answer","responseId":1})",
        R"({"type":"answer","responseId":"1","answer":"accept"})",
        R"({"type":"answer","responseId":1,"answer":"accept","x":1})"}) {
    socket.send(text);
    const auto error = next_of(socket, "error");
    CHECK(error["problem"]["status"] == 400);
  }
  socket.send(R"({"type":"answer","responseId":2,"answer":"accept","ref":"theirs"})");
  const auto foreign = next_of(socket, "error");
  CHECK(foreign["ref"] == "theirs");
  CHECK(foreign["problem"]["status"] == 404);
  CHECK(world.get("/responses/2").body["answer"] == "ignore");
  world.clock().advance(1h);
  world.call("POST", "/drs/1/end");
  socket.send(R"({"type":"answer","responseId":1,"answer":"accept","ref":7})");
  const auto late = next_of(socket, "error");
  CHECK(late["ref"] == 7);
  CHECK(late["problem"]["type"] == "/problems/answer-frozen");
}

TEST_CASE("a socket is refused without a user or a right", "[http][front][ws]") {
  front_world open_world;
  open_world.enrol("a");
  CHECK(refusal(open_world, "/ws") == 400);
  CHECK(refusal(open_world, "/ws?userId=x") == 400);
  CHECK(refusal(open_world, "/ws?userId=9") == 404);
  CHECK(refusal(open_world, "/ws?userId=1&bogus=1") == 400);
  CHECK(refusal(open_world, "/ws?userId=1", {{"Origin", "https://evil.example"}}) == 403);
  CHECK(read_json(open_world.nobody().get("/ws?userId=1")).status == 426);

  front_world world({auth_mode::token, {}});
  world.enrol("a");
  const auto token = world.token_of(1);
  CHECK(refusal(world, "/ws") == 401);
  CHECK(refusal(world, "/ws?access_token=wrong") == 401);
  CHECK(refusal(world, "/ws?userId=1&access_token=" + token) == 400);
  CHECK(refusal(world, "/ws?access_token=" + world.admin_token()) == 403);
  CHECK(refusal(world, "/ws/admin?access_token=" + token) == 403);
  CHECK(refusal(world, "/ws?access_token=" + token) == 101);
  CHECK(refusal(world, "/ws", {{"Authorization", "Bearer " + token}}) == 101);
  CHECK(refusal(world, "/ws/admin?access_token=" + world.admin_token()) == 101);
}

TEST_CASE("the socket of a revoked token is closed", "[http][front][ws]") {
  front_world world({auth_mode::token, {}});
  world.enrol("a");
  ws_client socket(world.port(), "/ws?access_token=" + world.token_of(1));
  next(socket);
  CHECK(world.call("DELETE", "/users/1/token").status == 204);
  CHECK(socket.wait_closed() == 1008);
}

TEST_CASE("a revocation that ended in doubt closes the socket when it is repeated", "[http][front][ws]") {
  front_world world({auth_mode::token, {}});
  world.enrol("a");
  const auto token = world.token_of(1);
  const header_list key{{"Idempotency-Key", "out"}};
  CHECK(world.call("DELETE", "/users/1/token", nullptr, key).status == 204);
  // As if that had not been heard of: a socket whose token is no longer good.
  world.call("POST", "/users/1/token");
  ws_client socket(world.port(), "/ws?access_token=" + world.token_of(1));
  next(socket);
  CHECK(world.call("DELETE", "/users/1/token", nullptr, key).header("Idempotency-Replayed") == "true");
  CHECK(socket.wait_closed() == 1008);
}

TEST_CASE("the console gets the overview, then events in order and summaries", "[http][front][ws]") {
  front_world world;
  world.enrol("a");
  ws_client console(world.port(), "/ws/admin");
  const auto snapshot = next(console);
  CHECK(snapshot["type"] == "snapshot");
  CHECK(snapshot["users"]["enrolled"] == 1);
  CHECK(snapshot["health"]["status"] == "up");
  world.start_campaign();
  world.call("PUT", "/responses/1/accept");
  std::int64_t last = 0;
  bool accepted = false;
  bool counted = false;
  while (!accepted || !counted) {
    const auto got = next(console);
    if (got["type"] == "summary") counted = counted || got["summary"]["accept"] == 1;
    if (got["type"] != "event") continue;
    CHECK(got["event"]["seq"] > last);
    last = got["event"]["seq"];
    accepted = accepted || got["event"]["type"] == "AcceptChosen";
  }
  console.send("hello");
  CHECK(next_of(console, "error")["problem"]["status"] == 400);
}

TEST_CASE("a sink holds messages back until the snapshot is out, and drops events that are not newer", "[http][ws]") {
  struct recording_session final : http::websocket_session {
    bool send(http::websocket_frame frame) override {
      got.push_back(frame.tail);
      return true;
    }
    void close(std::uint16_t, std::string) override { closed = true; }
    bool is_open() const noexcept override { return !closed; }
    std::uint64_t id() const noexcept override { return 1; }
    std::vector<std::string> got;
    bool closed = false;
  };
  auto socket = std::make_shared<recording_session>();
  http::live_sink sink(socket, 5);
  sink.push({nullptr, "older", 6});
  sink.push({nullptr, "known", 7});
  sink.push({nullptr, "summary"});
  sink.push({nullptr, "newer", 8});
  CHECK(socket->got.empty());
  sink.go_live("snapshot", 7);
  sink.push({nullptr, "late and known", 5}); // the log is told page by page, to all consoles alike
  sink.push({nullptr, "next", 9});
  CHECK(socket->got == std::vector<std::string>{"snapshot", "summary", "newer", "next"});
  CHECK_FALSE(socket->closed);
}

TEST_CASE("connected customers are counted", "[http][front][ws]") {
  front_world world;
  world.enrol("a");
  {
    auto socket = customer(world, 1);
    next(socket);
    CHECK(world.get("/overview").body["users"]["connected"] == 1);
  }
  CHECK(soon([&] { return world.get("/overview").body["users"]["connected"] == 0; }));
}

} // namespace

TEST_CASE("a customer's sockets are bounded: a further one replaces the oldest", "[http][front][ws]") {
  front_world world({.tune = [](settings& s) { s.ws.max_per_customer = 2; }});
  const auto user = world.enrol("a");
  const auto other = world.enrol("b");
  ws_client another(world.port(), "/ws?userId=" + std::to_string(other));
  std::vector<std::unique_ptr<ws_client>> sockets;
  for (int i = 0; i < 3; ++i) {
    sockets.push_back(std::make_unique<ws_client>(world.port(), "/ws?userId=" + std::to_string(user)));
    REQUIRE(sockets.back()->receive()); // the snapshot
  }
  CHECK(sockets[0]->wait_closed() == 1008);
  REQUIRE(another.receive());
  world.start_campaign();
  for (auto* socket : {sockets[1].get(), sockets[2].get(), &another})
    CHECK(json::parse(socket->receive().value_or("{}")).value("type", "") == "campaign.started");
}

TEST_CASE("a customer that sends too fast is told so, and hears its alerts all the same", "[http][front][ws]") {
  front_world world({auth_mode::off, [](settings& s) {
                       s.http.customer_rate = 1;
                       s.http.customer_burst = 5;
                     }});
  world.enrol("a");
  auto socket = customer(world, 1);
  next(socket);
  world.start_campaign();
  next_of(socket, "campaign.started");
  for (int i = 0; i < 30; ++i)
    socket.send(json{{"type", "answer"}, {"responseId", 1}, {"answer", i % 2 ? "deny" : "accept"}, {"ref", i}}.dump());
  const auto refused = next_of(socket, "error");
  CHECK(refused["problem"]["status"] == 429);
  CHECK(refused["ref"] == 5);
  socket.send("{");
  for (auto got = refused; got["ref"] != nullptr;) { // what cannot be read counts too
    got = next_of(socket, "error");
    CHECK(got["problem"]["status"] == 429);
  }
  world.call("POST", "/drs/1/end");
  CHECK(next_of(socket, "campaign.ended")["campaign"]["status"] == "end");
}

TEST_CASE("without access control a token is passed over by both sockets", "[http][front][ws]") {
  front_world world;
  world.enrol("a");
  CHECK(refusal(world, "/ws?userId=1&access_token=drc_x") == 101);
  CHECK(refusal(world, "/ws/admin?access_token=drc_x") == 101);
}
