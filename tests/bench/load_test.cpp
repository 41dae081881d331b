#include "bench/load.hpp"
#include "tests/support/process.hpp"

#include <catch2/catch.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace dr::bench;
using namespace std::chrono_literals;

namespace {

constexpr int stall_ms = 400;

/// Answers one connection, request by request, and stalls once. Ends with the connection.
class stalling_server {
public:
  explicit stalling_server(int stalls_at) : thread_([this, stalls_at] { serve(stalls_at); }) {}
  ~stalling_server() { thread_.join(); }
  std::uint16_t port() const { return socket_.port(); }

private:
  void serve(int stalls_at) const {
    const int peer = ::accept(socket_.descriptor(), nullptr, nullptr);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char buffer[4096];
    for (int number = 0; ::read(peer, buffer, sizeof buffer) > 0; ++number) {
      if (number == stalls_at) ::poll(nullptr, 0, stall_ms); // the fault itself
      if (::write(peer, answer.data(), answer.size()) < 0) break;
    }
    ::close(peer);
  }
  dr::test::listening_socket socket_;
  std::thread thread_;
};

load_options load_on(std::uint16_t port, double per_s) {
  load_options load;
  load.port = port;
  load.warm_up = 0ms;
  load.time = 10s;
  load.per_s = per_s;
  load.at_most = 1000;
  load.next = [](std::int64_t, std::string& out) { out += "GET / HTTP/1.1\r\n\r\n"; };
  return load;
}

} // namespace

TEST_CASE("an open loop counts latency from when a request was due, so that a stall cannot hide", "[bench]") {
  const stalling_server server(10);
  const auto load = load_on(server.port(), 1000);
  const auto seen = run_load(load);
  CHECK(seen.ok() == 1000);
  CHECK(seen.failed() == 0);
  // The stall kept about 400 of the 1000 waiting, one after the other up to its whole length.
  CHECK(seen.latency.quantile_ms(0.80) > stall_ms / 4.0);
  CHECK(seen.latency.max_ms() >= stall_ms);
}

TEST_CASE("a closed loop asks again as soon as it has its answer, and no more than it was told", "[bench]") {
  const stalling_server server(10);
  const auto seen = run_load(load_on(server.port(), 0));
  CHECK(seen.sent == 1000);
  CHECK(seen.ok() == 1000);
  CHECK(seen.latency.quantile_ms(1) >= stall_ms);
}

TEST_CASE("a server that is not there is said so", "[bench]") {
  std::uint16_t port = 0;
  {
    const dr::test::listening_socket gone;
    port = gone.port();
  }
  CHECK_THROWS_WITH(run_load(load_on(port, 0)), Catch::Contains("cannot connect"));
}
