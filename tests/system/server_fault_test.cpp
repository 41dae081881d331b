// The server process sleeps while another takes its place, runs out of descriptors, and gives its memory back.
#include "tests/system/database_tools.hpp"
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

std::string request(const std::string& method, const std::string& path, const std::string& body = {}) {
  return method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string proc_file(pid_t pid, const std::string& name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::int64_t resident_bytes(pid_t pid) {
  const auto sizes = proc_file(pid, "statm");
  return std::stoll(sizes.substr(sizes.find(' '))) * ::sysconf(_SC_PAGESIZE);
}

} // namespace

TEST_CASE("a server that slept while another took over wakes up fenced, acknowledges nothing and leaves", "[system]") {
  platform sleeper;
  const int samsung = enrol(sleeper, "samsung", 400);
  const int lg = enrol(sleeper, "lg", 300);
  const int campaign = start_campaign(sleeper);
  auto socket = sleeper.socket_of(samsung);
  REQUIRE(socket.receive());
  sleeper.server().freeze();
  std::vector<raw_client> waiting; // the kernel takes them in meanwhile
  for (const auto& text :
       {request("PUT", "/responses/1/accept"), request("POST", "/users", R"({"name":"late","capacity":100})"),
        request("POST", "/drs/startdr", R"({"name":"late","type":"reliable"})")}) {
    waiting.emplace_back(sleeper.port());
    REQUIRE(waiting.back().send(text));
  }
  platform successor(platform::setup{.database_url = sleeper.database_url()});
  CHECK(accept(successor, campaign, lg) == 200);
  const auto events = successor.get("/events?size=1000").dump();

  sleeper.server().signal(SIGCONT);
  for (auto& each : waiting) {
    const auto answer = each.read_to_end();
    INFO(answer);
    CHECK((answer.empty() || answer.starts_with("HTTP/1.1 503 ")));
  }
  CHECK(sleeper.server().wait(30s) == 75);
  CHECK(socket.wait_closed());

  CHECK(successor.get("/events?size=1000").dump() == events);
  CHECK(response_of(successor, campaign, samsung).at("answer") == "ignore");
  CHECK(successor.get("/users").at("page").at("totalElements") == 2);
  auto again = successor.socket_of(samsung);
  const auto snapshot = again.receive();
  REQUIRE(snapshot);
  CHECK(json::parse(*snapshot).at("campaigns").size() == 1);
  CHECK(accept(successor, campaign, samsung) == 200);
  require_events_whole(successor);
}

TEST_CASE("at the limit of descriptors new connections are refused politely, the others and storage go on",
          "[system]") {
  platform on(platform::setup{.open_files = rlimit{96, 96}, .simulator = false});
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  std::vector<http_client> in;
  std::optional<http_answer> refusal;
  while (!refusal && in.size() < 96) {
    http_client next(on.port());
    auto answer = next.get("/livez");
    if (answer.status == 200)
      in.push_back(std::move(next));
    else
      refusal = std::move(answer);
  }
  REQUIRE(refusal);
  CHECK(refusal->status == 503);
  CHECK(refusal->header("Retry-After"));
  CHECK(json::parse(refusal->body).at("status") == 503);
  CHECK(in.size() >= 16);

  std::vector<raw_client> crowd; // more than there are descriptors; they want nothing and stay
  for (int i = 0; i < 200; ++i) crowd.emplace_back(on.port());
  sql(on.database_url(),
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
      "pid <> pg_backend_pid()");
  eventually("answers are taken on a connection that is in",
             [&] { return in.front().put("/responses/1/accept").status == 200; });
  CHECK(in.back().get("/users/" + std::to_string(user)).status == 200);
  CHECK(on.log().find("Too many open files") == std::string::npos);

  crowd.clear();
  in.clear();
  eventually("new connections are taken again", [&] { return on.call("GET", "/livez").status == 200; });
  CHECK(response_of(on, campaign, user).at("answer") == "accept");
}

TEST_CASE("a server that cannot listen takes nothing from the one that runs", "[system]") {
  platform on(platform::setup{.simulator = false});
  const int user = enrol(on, "samsung", 400);
  start_campaign(on);
  const scratch_folder folder;
  auto variables = on.server_environment();
  variables["DR_DATA_DIR"] = (folder.path() / "var").string();
  variables["DR_HTTP_ADDRESS"] = "127.0.0.1:" + std::to_string(on.port());
  const auto log = folder.path() / "stray.log";
  process stray(process::options{{platform::program("drplatform"), "serve"}, variables, log, -1});
  CHECK(stray.wait(20s) == 1);
  std::ifstream in(log);
  const std::string said{std::istreambuf_iterator<char>(in), {}};
  INFO(said);
  CHECK(said.find("cannot listen on 127.0.0.1:" + std::to_string(on.port())) != std::string::npos);
  CHECK(on.call("PUT", "/responses/1/accept").status == 200);
  CHECK(on.get("/users/" + std::to_string(user)).at("name") == "samsung");
  CHECK(on.server().running());
}

TEST_CASE("the server takes as many descriptors as the hard limit allows", "[system]") {
  constexpr std::size_t soft = 96;
  platform on(platform::setup{.open_files = rlimit{soft, 1024}, .simulator = false});
  std::vector<http_client> in;
  for (std::size_t i = 0; i < 2 * soft; ++i) {
    in.emplace_back(on.port());
    REQUIRE(in.back().get("/livez").status == 200);
  }
}

TEST_CASE("memory that a campaign took is given back while the server idles", "[system]") {
  constexpr int users = 20'000;
  platform on(platform::setup{.simulator = false});
  const auto pid = on.server().pid();
  if (proc_file(pid, "maps").find("jemalloc") == std::string::npos) {
    REQUIRE(proc_file(pid, "maps").find("san.so") != std::string::npos); // the sanitizers' allocator keeps memory back
    return;
  }
  sql(on.database_url(), "INSERT INTO users (id, capacity_w, points, created_at, version, enrolled, name) "
                         "SELECT n, 1000, 0, now(), 1, true, '고객 ' || n FROM generate_series(1, " +
                             std::to_string(users) + ") n");
  const auto alive = [&](int count) {
    return on.get("/health").dump().find("\"responses\":" + std::to_string(count)) != std::string::npos;
  };
  const auto before = resident_bytes(pid);
  const int campaign = start_campaign(on);
  eventually("every response is alive", [&] { return alive(users); });
  const auto taken = resident_bytes(pid) - before;
  CHECK(taken > users * 1'000LL);
  CHECK(on.call("POST", "/drs/" + std::to_string(campaign) + "/cancel", {{"reason", "test"}}).status == 200);
  eventually("all are gone", [&] { return alive(0); });
  eventually("most of it is given back", [&] { return resident_bytes(pid) - before < taken / 2; });
}
