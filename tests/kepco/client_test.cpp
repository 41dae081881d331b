#include "kepco/http_client.hpp"
#include "simulator/simulator.hpp"
#include "tests/kepco/support.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <functional>
#include <set>
#include <sstream>
#include <thread>

using namespace dr;
using namespace dr::test;
using namespace std::chrono_literals;

namespace {

const std::string one = "0000000001";
const std::string key = "S3cr3t/Key+of=Ours&x";
const auto when = test::day("2026-07-01");

/// A simulator in this process, at two o'clock in the afternoon in Korea, and one client of it.
struct bench {
  hand_clock time{start_of(when) + 14h};
  sim::simulator kepco;
  kepco_client client;

  explicit bench(const sim::simulator_options& options = {}, std::chrono::milliseconds timeout = 10s)
      : kepco(options, time), client(options_for(started(kepco), timeout)) {}

  static std::string started(sim::simulator& simulator) {
    REQUIRE(simulator.start().has_value());
    return simulator.base_url();
  }
  static kepco_options options_for(const std::string& url, std::chrono::milliseconds timeout = 10s) {
    return {url, key, timeout, 4 * 1024 * 1024};
  }
  meter_result<day_profile> ask(const std::string& cust_no = one) { return client.day(cust_no, when); }
  void set(const std::function<void(sim::faults&)>& change) {
    sim::faults wanted;
    change(wanted);
    kepco.dice().set(wanted);
  }
  /// All faults off: the next answer is a good one.
  void recovers() {
    kepco.dice().set({});
    auto got = ask();
    REQUIRE(got.has_value());
    CHECK(*got == kepco.meters().day(one, when, time.now(), std::nullopt).value());
  }
};

bool holds_key(const std::string& text) {
  return text.find("S3cr3t") != std::string::npos || text.find("Key+of") != std::string::npos;
}

/// Serves one fixed answer to every connection until destroyed.
class raw_server {
public:
  explicit raw_server(std::string answer) : answer_(std::move(answer)), thread_([this] { serve(); }) {}
  ~raw_server() {
    stop_ = true;
    boost::system::error_code ignored;
    boost::asio::ip::tcp::socket wake(io_);
    wake.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

private:
  void serve() {
    while (!stop_) {
      boost::system::error_code failed;
      boost::asio::ip::tcp::socket peer(io_);
      acceptor_.accept(peer, failed);
      if (failed || stop_) continue;
      std::array<char, 4096> request{};
      peer.read_some(boost::asio::buffer(request), failed);
      boost::asio::write(peer, boost::asio::buffer(answer_), failed);
      peer.shutdown(boost::asio::ip::tcp::socket::shutdown_both, failed);
    }
  }
  std::string answer_;
  std::atomic<bool> stop_{false};
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

meter_error error_from(const std::string& answer) {
  raw_server server(answer);
  kepco_client client(bench::options_for(server.url(), 5s));
  auto got = client.day(one, when);
  REQUIRE_FALSE(got.has_value());
  CHECK_FALSE(holds_key(got.error().detail));
  return got.error();
}

std::string http_answer(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace

TEST_CASE("the client reads a day as the simulator has it", "[kepco][client]") {
  bench b;
  b.recovers();
  auto two_meters = b.ask("0000000007");
  REQUIRE(two_meters.has_value());
  CHECK(*two_meters == b.kepco.meters().day("0000000007", when, b.time.now(), std::nullopt).value());
  auto quarter = b.client.quarter(one, when, 20);
  REQUIRE(quarter.has_value());
  CHECK(*quarter == b.ask()->wh[20]);
  CHECK(b.client.quarter(one, when, 95).value() == day_profile::missing);
  REQUIRE(b.kepco.meters().change_sites({{one, 500'000, std::nullopt}}).has_value());
  auto customers = b.client.customers();
  REQUIRE(customers.has_value());
  CHECK(customers->at(0).cust_no == one);
  auto all = b.client.all_customers(when);
  REQUIRE(all.has_value());
  CHECK(all->at(0).profile == b.ask().value());
}

TEST_CASE("no data and no consent are told apart over the wire", "[kepco][client]") {
  bench b;
  CHECK(b.client.day(one, when + std::chrono::days{1}).error().code == meter_errc::no_data);
  REQUIRE(b.kepco.meters().change_sites({{one, std::nullopt, when}}).has_value());
  CHECK(b.client.day(one, when - std::chrono::days{1}).error().code == meter_errc::no_consent);
  CHECK(b.client.day(one, when).has_value());
}

TEST_CASE("a wrong key or customer number is refused", "[kepco][client]") {
  sim::simulator_options options;
  options.service_key = "another";
  bench b(options);
  CHECK(b.ask().error().code == meter_errc::refused);
  bench open;
  CHECK(open.ask("12").error().code == meter_errc::refused);
  CHECK(open.ask("12345&custNo=67890").error().code == meter_errc::refused);
}

TEST_CASE("KEPCO down is unavailable, and over when it is back", "[kepco][client]") {
  bench b;
  b.set([](auto& f) { f.down = true; });
  for (int i = 0; i < 3; ++i) CHECK(b.ask().error().code == meter_errc::unavailable);
  b.recovers();
}

TEST_CASE("nobody listening is unavailable, and over when somebody does", "[kepco][client]") {
  hand_clock time{start_of(when) + 14h};
  sim::simulator_options options;
  auto first = std::make_unique<sim::simulator>(options, time);
  REQUIRE(first->start().has_value());
  kepco_client client(bench::options_for(first->base_url(), 5s));
  REQUIRE(client.day(one, when).has_value());
  options.port = first->port();
  first.reset();
  CHECK(client.day(one, when).error().code == meter_errc::unavailable);
  sim::simulator second(options, time);
  REQUIRE(second.start().has_value());
  CHECK(client.day(one, when).has_value());
}

TEST_CASE("errors are unavailable, whether by status or inside an HTTP 200", "[kepco][client]") {
  bench b;
  b.set([](auto& f) { f.error_rate = 1; });
  std::set<std::string> kinds;
  for (int i = 0; i < 20; ++i) {
    auto got = b.ask();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == meter_errc::unavailable);
    kinds.insert(got.error().detail);
  }
  CHECK(kinds.size() == 2);
  b.recovers();
}

TEST_CASE("a hanging call ends with its timeout, and the next one is good again", "[kepco][client]") {
  bench b({}, 300ms);
  b.set([](auto& f) { f.hang_rate = 1; });
  CHECK(b.ask().error().code == meter_errc::timed_out);
  b.recovers();
}

TEST_CASE("latency below the timeout is waited for, above it is timed out", "[kepco][client]") {
  bench b({}, 2s);
  b.set([](auto& f) { f.latency = 200ms; });
  CHECK(b.ask().has_value());
  b.set([](auto& f) { f.latency = 60s; });
  CHECK(b.ask().error().code == meter_errc::timed_out);
  b.recovers();
}

TEST_CASE("truncated answers are garbage, with and without a lost connection", "[kepco][client]") {
  bench b;
  b.set([](auto& f) { f.truncate_rate = 1; });
  std::set<std::string> kinds;
  for (int i = 0; i < 20; ++i) {
    auto got = b.ask();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == meter_errc::garbage);
    kinds.insert(got.error().detail);
  }
  CHECK(kinds.size() == 2);
  b.recovers();
}

TEST_CASE("every kind of garbage is seen as garbage", "[kepco][client]") {
  bench b;
  b.set([](auto& f) { f.garbage_rate = 1; });
  std::set<std::string> kinds;
  for (int i = 0; i < 60; ++i) {
    auto got = b.ask();
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().code == meter_errc::garbage);
    kinds.insert(got.error().detail);
  }
  CHECK(kinds.size() >= 5);
  b.recovers();
}

TEST_CASE("missing values stay missing and are filled by asking again", "[kepco][client]") {
  bench b;
  auto truth = b.ask().value();
  b.set([](auto& f) { f.missing_rate = 0.5; });
  auto gathered = b.ask().value();
  CHECK(gathered != truth);
  for (int tries = 0; tries < 100 && gathered != truth; ++tries) {
    auto more = b.ask().value();
    for (std::size_t i = 0; i < 96; ++i) {
      if (more.wh[i] == day_profile::missing) continue;
      CHECK(more.wh[i] == truth.wh[i]);
      gathered.wh[i] = more.wh[i];
    }
  }
  CHECK(gathered == truth);
  b.set([](auto& f) { f.missing_rate = 1; });
  CHECK(b.ask().value() == day_profile{});
  b.recovers();
}

TEST_CASE("a lag holds values back until the clock has passed it", "[kepco][client]") {
  bench b;
  auto truth = b.ask().value();
  REQUIRE(truth.wh[56] != day_profile::missing); // the running quarter hour
  b.set([](auto& f) { f.lag = 60min; });
  auto late = b.ask().value();
  CHECK(late.wh[51] == truth.wh[51]);
  CHECK(late.wh[52] == day_profile::missing);
  b.time.set(b.time.now() + 75min);
  CHECK(b.ask()->wh[56] == truth.wh[56]);
  b.recovers();
}

TEST_CASE("a random mixture of faults is survived and ends in good answers", "[kepco][client]") {
  bench b({}, 200ms);
  b.set([](auto& f) {
    f.error_rate = 0.3;
    f.garbage_rate = 0.3;
    f.truncate_rate = 0.3;
    f.hang_rate = 0.05;
  });
  int good = 0;
  for (int i = 0; i < 100; ++i) {
    auto got = b.ask();
    if (got)
      ++good;
    else
      CHECK_FALSE(holds_key(got.error().detail));
  }
  CHECK(good > 0);
  CHECK(good < 60);
  b.recovers();
}

TEST_CASE("statuses and broken protocols mean what they should", "[kepco][client]") {
  CHECK(error_from(http_answer("502 Bad Gateway", "<html>")).code == meter_errc::unavailable);
  CHECK(error_from(http_answer("429 Too Many Requests", "")).code == meter_errc::unavailable);
  CHECK(error_from(http_answer("404 Not Found", "")).code == meter_errc::refused);
  CHECK(error_from(http_answer("204 No Content", "")).code == meter_errc::garbage);
  CHECK(error_from("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n").code ==
        meter_errc::garbage);
  CHECK(error_from("SSH-2.0-OpenSSH_9.2\r\n").code == meter_errc::garbage);
  CHECK(error_from("").code == meter_errc::unavailable);
  CHECK(error_from("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"dayLp").code == meter_errc::garbage);
}

TEST_CASE("an endless answer is cut off at the limit", "[kepco][client]") {
  raw_server server(http_answer("200 OK", std::string(300'000, ' ')));
  auto options = bench::options_for(server.url(), 5s);
  options.max_answer_bytes = 100'000;
  kepco_client client(options);
  auto got = client.day(one, when);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().code == meter_errc::garbage);
  CHECK(got.error().detail.find("too long") != std::string::npos);
}

TEST_CASE("the key is in no error detail and in no log line, even when KEPCO quotes it", "[kepco][client]") {
  std::ostringstream log;
  auto before = spdlog::default_logger();
  auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log));
  logger->set_level(spdlog::level::trace);
  spdlog::set_default_logger(logger);
  auto quoting = R"({"dayLpDataInfoList":[{"errMsg":"no such key S3cr3t/Key+of=Ours&x or )"
                 R"(S3cr3t%2FKey%2Bof%3DOurs%26x"},{"returnCode":"openapi-3001"}]})";
  auto error = error_from(http_answer("200 OK", quoting));
  CHECK(error.code == meter_errc::refused);
  CHECK(error.detail.find("***") != std::string::npos);
  error_from("");
  kepco_client nowhere({"https://127.0.0.1:1/OpenAPI", key, 1s, 1000});
  CHECK_FALSE(holds_key(nowhere.day(one, when).error().detail));
  spdlog::set_default_logger(before);
  CHECK_FALSE(log.str().empty());
  CHECK_FALSE(holds_key(log.str()));
}

TEST_CASE("a TLS port that is none is unavailable", "[kepco][client]") {
  bench b;
  kepco_client client({"https://127.0.0.1:" + std::to_string(b.kepco.port()) + "/OpenAPI", key, 2s, 1000});
  CHECK(client.day(one, when).error().code == meter_errc::unavailable);
}

TEST_CASE("what is not configured says so without a call", "[kepco][client]") {
  auto code = [](const char* url, const char* service_key) {
    return kepco_client({url, service_key, 1s, 1000}).day(one, when).error().code;
  };
  CHECK(code("", "key") == meter_errc::not_configured);
  CHECK(code("ftp://127.0.0.1/", "key") == meter_errc::not_configured);
  CHECK(code("file:///etc/passwd", "key") == meter_errc::not_configured);
  CHECK(code("https://kepco.invalid/OpenAPI", "") == meter_errc::not_configured);
}

TEST_CASE("a simulator on this machine needs no key", "[kepco][client]") {
  bench b;
  kepco_client client({b.kepco.base_url() + "/", "", 5s, 100'000});
  CHECK(client.day(one, when).has_value());
}

TEST_CASE("sources of one factory work side by side", "[kepco][client]") {
  bench b;
  b.set([](auto& f) { f.latency = 20ms; });
  auto factory = make_kepco_source_factory(bench::options_for(b.kepco.base_url()));
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      auto source = factory();
      for (int n = 0; n < 10; ++n)
        if (source->day(one, when)) ++good;
    });
  for (auto& t : threads) t.join();
  CHECK(good == 80);
}
