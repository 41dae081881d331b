// What an operator sees of a fault from outside: /health, /overview and the log, before, during and after it.
#include "tests/http/front_world.hpp"

#include <catch2/catch.hpp>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace dr::test {
namespace {

/// What is logged while it lives.
class heard_log {
public:
  heard_log() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink_));
  }
  ~heard_log() { spdlog::set_default_logger(before_); }
  heard_log(const heard_log&) = delete;
  heard_log& operator=(const heard_log&) = delete;
  int count(const std::string& piece) const { return sink_->count(piece); }

private:
  class keeping_sink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    int count(const std::string& piece) {
      const std::scoped_lock lock(mutex_);
      return static_cast<int>(std::ranges::count_if(
          lines_, [&](const std::string& line) { return line.find(piece) != std::string::npos; }));
    }

  private:
    void sink_it_(const spdlog::details::log_msg& line) override {
      lines_.emplace_back(line.payload.data(), line.payload.size());
    }
    void flush_() override {}
    std::vector<std::string> lines_;
  };
  std::shared_ptr<keeping_sink> sink_ = std::make_shared<keeping_sink>();
  std::shared_ptr<spdlog::logger> before_;
};

/// The problem of that part; null when there is none.
json problem_of(const json& health, const std::string& part) {
  for (const auto& one : health.at("problems"))
    if (one.at("part") == part) return one;
  return nullptr;
}

json problem_of(front_world& world, const std::string& part) { return problem_of(world.get("/health").body, part); }

} // namespace

TEST_CASE("an idle server notices within seconds that its database is gone, says so once, and that it is back",
          "[http][health]") {
  heard_log log;
  front_world world;
  CHECK(problem_of(world, "storage").is_null());
  world.faults().set_down(true);
  // Nobody writes and nobody reads but the server itself.
  REQUIRE(soon([&] { return world.get("/health").status == 503; }, 10s));
  const auto problem = problem_of(world, "storage");
  REQUIRE(problem.is_object());
  CHECK(problem.at("severity") == "critical");
  CHECK(problem.at("what") == "The database cannot be reached.");
  CHECK(problem.at("lastError") == "the memory store was told to fail");
  CHECK(problem.at("todo").get<std::string>().find("Postgres") != std::string::npos);
  REQUIRE(soon([&] { return log.count("storage: The database cannot be reached.") == 1; }));
  world.faults().set_down(false);
  REQUIRE(soon([&] { return world.get("/health").status == 200; }));
  CHECK(problem_of(world, "storage").is_null());
  REQUIRE(soon([&] { return log.count("The database cannot be reached.") == 2; }, 30s));
  CHECK(log.count("storage: over after ") == 1);
}

TEST_CASE("who is not the operator reads what is wrong, but nobody's own words and no advice", "[http][health]") {
  front_world world({auth_mode::token});
  world.faults().set_down(true);
  REQUIRE(soon([&] { return !problem_of(read_json(world.nobody().get("/health")).body, "storage").is_null(); }));
  const auto seen = problem_of(read_json(world.nobody().get("/health")).body, "storage");
  CHECK(seen.at("what") == "The database cannot be reached.");
  CHECK(seen.at("todo").is_null());
  CHECK(seen.at("lastError").is_null());
  CHECK_FALSE(problem_of(world, "storage").at("lastError").is_null());
}

TEST_CASE("a virtual clock is said, and draining while it lasts", "[http][health]") {
  front_world world;
  const auto before = world.get("/health").body;
  REQUIRE(problem_of(before, "process").is_object());
  CHECK(problem_of(before, "process").at("severity") == "info");
  CHECK(before.at("status") == "up");
  world.begin_draining();
  CHECK(world.get("/health").body.at("problems").size() == 2);
}

TEST_CASE("connections beyond the limit are a problem while they are refused", "[http][health]") {
  front_world world({auth_mode::off, [](settings& s) { s.http.max_connections = 2; }});
  auto first = world.admin();
  REQUIRE(first.get("/livez").status == 200); // kept open
  auto second = world.admin();
  REQUIRE(second.get("/livez").status == 200);
  CHECK(world.nobody().get("/livez").status == 503);
  const auto problem = problem_of(read_json(first.get("/health")).body, "front");
  REQUIRE(problem.is_object());
  CHECK(problem.at("doing").get<std::string>().find("of at most 2 are open") != std::string::npos);
}

TEST_CASE("a customer over whom the query crashes every time is parked, seen, and taken up again on demand",
          "[http][health][crash]") {
  front_world world;
  const int user = world.enrol("독 \"poison\"", 400);
  const int campaign = world.start_campaign();
  const auto response = std::to_string(world.response_of(campaign, user));
  REQUIRE(world.call("PUT", "/responses/" + response + "/accept").status == 200);
  world.reduce("0000000001", 390);
  world.crash_queries(true);
  REQUIRE(world.call("PUT", "/drs/" + std::to_string(campaign), {{"status", "end"}}).status == 200);
  const auto parked = [&] {
    world.clock().advance(1s); // retries wait in business time
    return world.get("/overview").body.at("checks").at("parked") == 1;
  };
  REQUIRE(soon(parked, 60s));
  const auto overview = world.get("/overview").body;
  const auto& one = overview.at("checks").at("parkedChecks").at(0);
  CHECK(one.at("responseId") == world.response_of(campaign, user));
  CHECK(one.at("drId") == campaign);
  CHECK(one.at("userName") == "독 \"poison\"");
  CHECK(one.at("reason").get<std::string>().find("crashed") != std::string::npos);
  const auto problem = problem_of(overview.at("health"), "checks");
  REQUIRE(problem.is_object());
  CHECK(problem.at("what") == "1 reduction check is parked.");
  CHECK(problem.at("todo").get<std::string>().find("POST /drs/1/retry-checks (1)") != std::string::npos);
  CHECK(world.get("/events?type=CheckParked").body.at("_embedded").at("events").size() == 1);
  CHECK(world.get("/responses/" + response).body.at("verification") == "pending");
  CHECK(world.get("/drs/1/summary").body.at("settlement") == "verifying");

  world.crash_queries(false);
  CHECK(world.call("POST", "/responses/99/retry-check").status == 404);
  CHECK(world.call("POST", "/responses/" + response + "/retry-check").status == 202);
  REQUIRE(soon([&] { return world.get("/drs/1").body.at("settlement") == "settled"; }, 60s));
  CHECK(problem_of(world, "checks").is_null());
  CHECK(world.get("/events?type=CheckRetried").body.at("_embedded").at("events").size() == 1);
  CHECK(world.get("/responses/" + response).body.at("verification") == "real");
}

} // namespace dr::test
