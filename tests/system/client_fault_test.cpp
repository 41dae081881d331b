// Clients vanish, do not read, drip, repeat themselves and talk all at once. They harm nobody else.
#include "tests/support/tcp_gate.hpp"
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <future>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

const std::string upgrade = "GET /ws?userId=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
                            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

std::string long_name() {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "긴";
  return name;
}

/// Enrols many users with long names in one import.
void import_users(platform& on, int count) {
  std::string csv = "name,capacity,custNo\n";
  for (int i = 1; i <= count; ++i) csv += long_name() + ",100,\n";
  http_client client(on.port());
  const auto answer = client.post("/users/import", csv, {{"Content-Type", "text/csv"}});
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  REQUIRE(json::parse(answer.body).at("created") == count);
}

json_answer keyed(platform& on, const std::string& method, const std::string& path, const std::string& key,
                  const json& body = nullptr) {
  return on.call(method, path, body, {{"Idempotency-Key", key}});
}

/// The same call from several threads at once.
std::vector<json_answer> all_at_once(int threads, const std::function<json_answer()>& call) {
  std::vector<std::future<json_answer>> under_way;
  for (int i = 0; i < threads; ++i) under_way.push_back(std::async(std::launch::async, call));
  std::vector<json_answer> answers;
  for (auto& each : under_way) answers.push_back(each.get());
  return answers;
}

} // namespace

TEST_CASE("a customer behind a line that went dead is let go, and whole again on the next one", "[system]") {
  platform on(platform::setup{.variables = {{"DR_WS_PING_S", "0.2"}, {"DR_WS_SILENT_S", "0.6"}}});
  const int user = enrol(on, "samsung", 400);
  tcp_gate line("127.0.0.1", on.port());
  ws_client socket(static_cast<std::uint16_t>(line.port()), "/ws?userId=1");
  REQUIRE(socket.receive());
  const auto connected = [&] { return on.get("/overview").at("users").at("connected").get<int>(); };
  CHECK(connected() == 1);
  line.freeze(); // no end, no reset: only silence
  eventually("the silent customer is let go", [&] { return connected() == 0; });
  const int campaign = start_campaign(on);
  auto again = on.socket_of(user);
  const auto snapshot = again.receive();
  REQUIRE(snapshot);
  CHECK(json::parse(*snapshot).at("campaigns").at(0).at("campaign").at("id") == campaign);
  line.thaw();
  CHECK(socket.wait_closed());
}

TEST_CASE("a customer who does not read is closed with 1013, and the one beside it hears everything", "[system]") {
  platform on(platform::setup{.variables = {{"DR_WS_QUEUE_MAX", "8"}}});
  enrol(on, long_name(), 400);
  auto good = on.socket_of(1);
  auto slow = raw_client::narrow(on.port());
  REQUIRE(slow.send(upgrade));
  CHECK(slow.read_until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  start_campaign(on);
  REQUIRE(good.receive()); // the snapshot
  CHECK(json::parse(*good.receive()).at("type") == "campaign.started");
  http_client customer(on.port());
  constexpr int changes = 600; // about a kilobyte each
  for (int i = 0; i < changes; ++i) {
    REQUIRE(customer.put(i % 2 ? "/responses/1/deny" : "/responses/1/accept").status == 200);
    const auto heard = good.receive();
    REQUIRE(heard);
    CHECK(json::parse(*heard).at("type") == "response.changed");
  }
  const auto last_words = slow.read_to_end();
  CHECK(last_words.size() < changes * 1000U);
  CHECK(last_words.find("\x03\xf5reading too slowly") != std::string::npos); // 1013
  CHECK_FALSE(good.closed());
}

TEST_CASE("readers that stop in the middle of a long list are given up and hold nobody up", "[system]") {
  platform on(platform::setup{.variables = {{"DR_HTTP_WRITE_TIMEOUT_S", "0.5"}, {"DR_DATABASE_READERS", "1"}}});
  import_users(on, 1000);
  const int campaign = start_campaign(on);
  eventually("everybody is dispatched", [&] { return on.get("/drs/1/summary").at("dispatched").get<int>() == 1000; });
  const auto path = GENERATE(std::string("/users?size=1000"), std::string("/drs/1/statement.csv"));
  INFO(path);
  std::vector<raw_client> slow;
  for (int i = 0; i < 10; ++i) {
    slow.push_back(raw_client::narrow(on.port()));
    REQUIRE(slow.back().send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
    CHECK(slow.back().read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  }
  CHECK(on.call("PUT", "/responses/1/accept").status == 200);
  CHECK(on.call("GET", "/users/1000").status == 200);
  for (auto& each : slow) eventually("the server has given the reader up", [&] { return !each.send("\r\n"); });
  CHECK(on.get("/drs/" + std::to_string(campaign) + "/summary").at("accept") == 1);
}

TEST_CASE("clients that drip their header or body are answered 408 while others are served", "[system]") {
  platform on(platform::setup{.variables = {{"DR_HTTP_HEADER_TIMEOUT_S", "0.5"}, {"DR_HTTP_BODY_TIMEOUT_S", "0.5"}}});
  const std::string starts[] = {"POST /users HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
                                "POST /users HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                                "Content-Length: 1000\r\n\r\n{\"name\":",
                                "POST /users/import HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
                                "Content-Length: 1000\r\n\r\nname,capacity\nlg,"};
  std::vector<raw_client> slow;
  for (int i = 0; i < 30; ++i) {
    slow.emplace_back(on.port());
    REQUIRE(slow.back().send(starts[i % 3]));
  }
  CHECK(enrol(on, "samsung", 400) == 1);
  for (auto& each : slow) {
    each.send("x"); // a drip buys no time
    CHECK(each.read_to_end().starts_with("HTTP/1.1 408"));
  }
  CHECK(on.get("/users").at("page").at("totalElements") == 1);
  CHECK(enrol(on, "lg", 300) > 1);
}

TEST_CASE("the same key from many connections at once has one effect and one answer", "[system]") {
  platform on;
  enrol(on, "samsung", 400, 1000);
  const auto withdrawn = all_at_once(8, [&] {
    return keyed(on, "POST", "/users/1/withdraw", "w1", {{"amount", 100}});
  });
  for (const auto& each : withdrawn) {
    CHECK(each.status == 201);
    CHECK(each.body == withdrawn[0].body);
  }
  const auto started = all_at_once(8, [&] {
    return keyed(on, "POST", "/drs/startdr", "s1", {{"name", "한 번만"}, {"type", "reliable"}});
  });
  for (const auto& each : started) {
    CHECK(each.status == 200);
    CHECK(each.body.at("id") == started[0].body.at("id"));
  }
  const auto enrolled = all_at_once(8, [&] {
    return keyed(on, "POST", "/users", "u1", {{"name", "lg"}, {"capacity", 300}});
  });
  for (const auto& each : enrolled) CHECK(each.body.at("id") == enrolled[0].body.at("id"));
  CHECK(keyed(on, "POST", "/users/1/withdraw", "w1", {{"amount", 101}}).status == 422);
  CHECK(on.get("/users/1").at("point") == 900);
  CHECK(on.get("/drs").at("page").at("totalElements") == 1);
  CHECK(on.get("/users").at("page").at("totalElements") == 2);
  require_books_balance(on);
  require_events_whole(on);
}

TEST_CASE("answers repeated late and out of order do not undo the last one that was acknowledged", "[system]") {
  platform on;
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  const auto first = keyed(on, "PUT", "/responses/1/accept", "a1");
  CHECK(first.status == 200);
  CHECK(keyed(on, "PUT", "/responses/1/deny", "d1").status == 200);
  for (int i = 0; i < 3; ++i) { // retries of what was answered long ago, and in the wrong order
    CHECK(keyed(on, "PUT", "/responses/1/accept", "a1").body == first.body);
    CHECK(keyed(on, "PUT", "/responses/1/deny", "d1").status == 200);
    CHECK(keyed(on, "PUT", "/responses/1/accept", "a1").body == first.body);
  }
  CHECK(response_of(on, campaign, user).at("answer") == "deny");
  CHECK(on.get("/drs/1/summary").at("deny") == 1);
  CHECK(keyed(on, "PUT", "/responses/1/accept", "a2").status == 200);
  end_campaign(on, campaign);
  CHECK(keyed(on, "PUT", "/responses/1/deny", "d1").status == 200); // the answer of then
  CHECK(keyed(on, "PUT", "/responses/1/deny", "d2").status == 409);
  CHECK(response_of(on, campaign, user).at("answer") == "accept");
}

TEST_CASE("accept and deny of one response from many connections end at the last event, and everybody heard it",
          "[system]") {
  platform on;
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  auto socket = on.socket_of(user);
  REQUIRE(socket.receive());
  std::vector<std::thread> customers;
  std::atomic<int> acknowledged{0};
  for (int i = 0; i < 4; ++i)
    customers.emplace_back([&on, &acknowledged, i] {
      http_client over(on.port());
      for (int n = 0; n < 25; ++n)
        if (over.put(i % 2 ? "/responses/1/deny" : "/responses/1/accept").status == 200) ++acknowledged;
    });
  for (auto& each : customers) each.join();
  CHECK(acknowledged == 100);
  const auto answer = response_of(on, campaign, user).at("answer").get<std::string>();
  const auto events = on.get("/events?userId=1&size=1000").at("_embedded").at("events");
  std::string last_event;
  int changes = 0;
  for (const auto& event : events)
    if (event.at("type") == "AcceptChosen" || event.at("type") == "DenyChosen") {
      CHECK(event.at("type") != last_event); // each one changed something
      last_event = event.at("type");
      ++changes;
    }
  CHECK(last_event == (answer == "accept" ? "AcceptChosen" : "DenyChosen"));
  std::string last_heard;
  for (int heard = 0; heard < changes; ++heard)
    last_heard = hear(socket, "response.changed").at("response").at("answer").get<std::string>();
  CHECK(last_heard == answer);
  CHECK(on.get("/drs/1/summary").at(answer) == 1);
}

TEST_CASE("whoever stops reading the log stops nothing else", "[system]") {
  platform parts(platform::setup{.variables = {{"DR_LOG_LEVEL", "debug"}}, .started = false});
  const auto log = parts.data_dir() / "a pipe that nobody reads";
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  const int pipe = ::open(log.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(pipe >= 0);
  const int holds = ::fcntl(pipe, F_SETPIPE_SZ, 4096); // of lines, before a writer waits
  REQUIRE(holds > 0);
  const listening_socket http;
  process server(process::options{
      {program_under_test("drplatform"), "serve"}, parts.server_environment(), log, http.descriptor()});
  http_client client(http.port());
  eventually("the server is ready", [&] { return client.get("/readyz").status == 200; });
  int answered = 0;
  for (int lines = 0; lines < holds; lines += 40) // each request leaves a line that is longer
    answered += client.get("/livez").status == 200 ? 1 : 0;
  CHECK(answered == (holds + 39) / 40);
  CHECK(client.post("/users", R"({"name":"a","capacity":1})").status == 201);
  server.signal(SIGTERM);
  CHECK(server.wait(20s) == 0);
  ::close(pipe);
}
