// Postgres is away for long: what waits is bounded, what is too much is refused at once, and all drains by itself.
#include "tests/system/own_postgres.hpp"
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

long resident_kb(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  return 0;
}

std::string answer_of(int response) {
  return "PUT /responses/" + std::to_string(response) +
         "/accept HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n";
}

} // namespace

TEST_CASE("with Postgres away the queue is bounded, callers beyond it are refused at once, memory stays flat, "
          "and everything drains by itself",
          "[system]") {
  constexpr int bound = 100;
  constexpr int users = bound + 20;
  own_postgres postgres;
  platform on(platform::setup{.variables = {{"DR_DATABASE_QUEUE_MAX", std::to_string(bound)},
                                            {"DR_DATABASE_REQUEST_TIMEOUT_S", "120"},
                                            {"DR_HTTP_REQUEST_TIMEOUT_S", "120"}},
                              .database_url = postgres.url()});
  for (int i = 1; i <= users; ++i) enrol(on, "site " + std::to_string(i), 100);
  const int campaign = start_campaign(on);
  for (int i = 1; i <= users; ++i) REQUIRE(on.call("PUT", "/responses/" + std::to_string(i) + "/deny").status == 200);
  auto socket = on.socket_of(users);
  REQUIRE(socket.receive());

  postgres.stop();
  std::vector<raw_client> waiting;
  for (int i = 1; i <= bound; ++i) {
    waiting.emplace_back(on.port(), "127.0.0.1", 60s);
    REQUIRE(waiting.back().send(answer_of(i)));
  }
  const auto queued = [&] { return on.get("/health").at("storage").at("queued").get<int>(); };
  eventually("the queue is full", [&] { return queued() == bound; });
  http_client pressure(on.port());
  const auto press = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const auto refused = pressure.put("/responses/" + std::to_string(bound + 1 + i % 20) + "/accept");
      REQUIRE(refused.status == 503);
      REQUIRE(refused.header("Retry-After"));
      REQUIRE(json::parse(refused.body).at("type") == "/problems/overloaded");
    }
  };
  press(2000);
  const auto before = resident_kb(on.server().pid());
  press(10'000);
  const auto after = resident_kb(on.server().pid());
  INFO(before << " kB before, " << after << " kB after ten thousand refusals");
  CHECK(after - before < 4096);
  CHECK(queued() == bound); // those who came first still wait: the others were refused at once
  CHECK_FALSE(socket.receive(0ms));
  CHECK_FALSE(socket.closed());

  postgres.start();
  for (auto& each : waiting) CHECK(each.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(on.call("PUT", "/responses/" + std::to_string(users) + "/accept").status == 200);
  CHECK(queued() == 0);
  CHECK(hear(socket, "response.changed").at("response").at("answer") == "accept");
  CHECK(on.get("/drs/" + std::to_string(campaign) + "/summary").at("accept") == bound + 1);
  CHECK(on.get("/health").at("status") == "up");
  require_events_whole(on);
}
