// A running server is replaced under load: no request fails, no answer is lost, and whoever fails leaves one that
// serves.
#include "tests/system/handover_load.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <iterator>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

constexpr auto restart_timeout = 60s;

struct outcome {
  int status = -1;
  std::string text;
};

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// `drplatform restart`, which may also be waited for later.
class restart_call {
public:
  explicit restart_call(const platform& on, std::vector<std::string> more = {})
      : output_(on.data_dir() / ("restart." + std::to_string(++count))), process_(options(on, std::move(more))) {}
  outcome wait() {
    const auto status = process_.wait(restart_timeout);
    if (!status) throw std::runtime_error("restart does not end: " + content_of(output_));
    return {*status, content_of(output_)};
  }

private:
  process::options options(const platform& on, std::vector<std::string> more) const {
    std::vector<std::string> command{platform::program("drplatform"), "restart"};
    command.insert(command.end(), more.begin(), more.end());
    return {command, on.server_environment(), output_, -1};
  }
  static inline int count = 0;
  std::filesystem::path output_;
  process process_;
};

outcome restart(const platform& on) { return restart_call(on).wait(); }

pid_t server_pid(const platform& on) {
  const auto text = content_of(on.data_dir() / "drplatform.pid");
  return text.empty() ? 0 : std::stoi(text);
}

/// The launcher's children besides `known`; 0: none.
pid_t other_child(platform& on, pid_t known) {
  const auto launcher = std::to_string(on.server().pid());
  std::ifstream in("/proc/" + launcher + "/task/" + launcher + "/children");
  for (pid_t pid = 0; in >> pid;)
    if (pid != known) return pid;
  return 0;
}

bool gone(pid_t pid) { return ::kill(pid, 0) != 0; }

platform::setup launched(environment variables = {}) {
  return {.variables = std::move(variables), .simulator = false, .launcher = true};
}

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

} // namespace

TEST_CASE("a server replaced again and again under load fails no request and loses no answer", "[system][handover]") {
  platform on(launched());
  constexpr int restarts = 4;
  handover_load load(on, {.answerers = 6, .newcomers = 2, .customers = 4});
  load.wait_for_progress();
  for (int round = 1; round <= restarts; ++round) {
    const auto before = server_pid(on);
    const auto how = restart(on);
    INFO(how.text);
    REQUIRE(how.status == 0);
    CHECK(how.text.find("The server was replaced: prepared in ") != std::string::npos);
    const auto after = server_pid(on);
    CHECK(after != before);
    CHECK(gone(before));
    CHECK(other_child(on, after) == 0);
    eventually("every customer is back", [&] { return load.returns_of_each() >= round; });
    load.wait_for_progress();
  }
  load.finish();
  CHECK(load.returns_of_each() == restarts);
  CHECK(load.longest_wait() < 10s);
  CHECK(times(on.log(), "open connections over from the server before") == restarts);
  auto variables = on.server_environment();
  process second(
      process::options{{platform::program("drplatform"), "serve"}, variables, on.data_dir() / "second.log", -1});
  CHECK(second.wait(30s) == 78); // the pid file went along, lock and all
  require_events_whole(on);
}

TEST_CASE("the pause of a handover with 64 busy connections", "[.][handover-pause]") {
  platform on(launched());
  handover_load load(on, {.answerers = 64, .newcomers = 0, .customers = 16});
  load.wait_for_progress();
  const auto usual = load.longest_wait();
  for (int round = 1; round <= 5; ++round) {
    const auto how = restart(on);
    REQUIRE(how.status == 0);
    std::printf("%s", how.text.substr(how.text.rfind("The server was")).c_str());
    load.wait_for_progress();
  }
  load.finish();
  std::printf("%ld requests, 0 failed; longest wait %.0f ms (before the first restart %.0f ms)\n", load.requests(),
              static_cast<double>(load.longest_wait().count()) / 1000, static_cast<double>(usual.count()) / 1000);
}

TEST_CASE("a successor with a bad configuration leaves the old server serving, and restart says why",
          "[system][handover]") {
  const scratch_folder folder;
  const auto file = (folder.path() / "drplatform.toml").string();
  std::ofstream(file) << "[http]\nio_threads = 2\n";
  platform on(launched({{"DR_CONFIG", file}}));
  const auto old = server_pid(on);
  lasting_connection client(on.port());
  CHECK(client.request("GET", "/readyz").status == 200);
  SECTION("one that the configuration's check refuses") {
    std::ofstream(file) << "[http]\nio_threads = 0\n";
    // The asker does not read the file: it is the new server that refuses it.
    process asking(process::options{{platform::program("drplatform"), "restart", "--data-dir", on.data_dir().string()},
                                    {{"DR_DATA_DIR", on.data_dir().string()}},
                                    on.data_dir() / "asking.log",
                                    -1});
    CHECK(asking.wait(restart_timeout) == 1);
    const auto text = content_of(on.data_dir() / "asking.log");
    INFO(text);
    CHECK(text.find("The running server goes on as before") != std::string::npos);
    CHECK(text.find("http.io_threads") != std::string::npos);
  }
  SECTION("one that the server itself refuses") {
    std::ofstream(on.data_dir() / "admin.token") << "short\n";
    const auto how = restart(on);
    INFO(how.text);
    CHECK(how.status == 1);
    CHECK(how.text.find("before it was prepared: the admin token's file does not hold a token") != std::string::npos);
  }
  CHECK(server_pid(on) == old);
  CHECK(client.request("GET", "/readyz").status == 200);
  CHECK(enrol(on, "samsung", 400) == 1);
}

TEST_CASE("a changed address needs a stop and a start, and restart says so", "[system][handover]") {
  const scratch_folder folder;
  const auto file = (folder.path() / "drplatform.toml").string();
  const auto serve_at = [&](const std::string& address) {
    std::ofstream(file) << "[http]\naddress = \"" << address << "\"\n";
  };
  serve_at("127.0.0.1:" + std::to_string(listening_socket().port()));
  platform on(launched({{"DR_CONFIG", file}, {"DR_HTTP_ADDRESS", ""}}));
  const auto old = server_pid(on);
  serve_at("127.0.0.2:" + std::to_string(on.port()));
  const auto how = restart(on);
  INFO(how.text);
  CHECK(how.status == 1);
  CHECK(how.text.find("stop and start the server to change its address") != std::string::npos);
  CHECK(server_pid(on) == old);
  CHECK(enrol(on, "samsung", 400) == 1);
  serve_at("127.0.0.1:" + std::to_string(on.port()));
  CHECK(restart(on).status == 0);
}

TEST_CASE("a launcher started by nohup outlives its terminal, another one does not", "[system]") {
  platform on(platform::setup{.simulator = false, .started = false});
  const scratch_folder folder;
  auto variables = on.server_environment();
  variables["DR_HTTP_ADDRESS"] = "127.0.0.1:0";
  for (const bool kept : {true, false}) {
    const auto log = folder.path() / (kept ? "kept.log" : "ended.log");
    std::vector<std::string> command{platform::program("drplatform"), "up", "--no-simulator"};
    if (kept) command.insert(command.begin(), "nohup");
    process up(process::options{command, variables, log, -1});
    const auto says = [&](const std::string& words) { return content_of(log).find(words) != std::string::npos; };
    eventually(
        "it is ready", [&] { return says("DR Platform is ready"); }, restart_timeout);
    up.signal(SIGHUP);
    if (kept) {
      up.signal(SIGUSR2); // is still heard
      eventually(
          "it goes on", [&] { return says("The server was replaced"); }, restart_timeout);
      up.signal(SIGTERM);
    }
    CHECK(up.wait(restart_timeout) == 0);
  }
}

TEST_CASE("a program that is missing changes nothing, and its new build takes over", "[system][handover]") {
  const scratch_folder folder;
  const auto program = folder.path() / "drplatform";
  std::filesystem::copy_file(platform::program("drplatform"), program);
  auto with = launched();
  with.server_program = program.string();
  platform on(std::move(with));
  const auto old = server_pid(on);
  std::filesystem::remove(program);
  on.server().signal(SIGUSR2);
  eventually("the launcher says why", [&] {
    const auto log = on.log();
    return log.find("The running server goes on as before") != std::string::npos &&
           log.find("cannot run " + program.string() + ": No such file") != std::string::npos;
  });
  CHECK(server_pid(on) == old);
  CHECK(enrol(on, "samsung", 400) == 1);
  std::filesystem::copy_file(platform::program("drplatform"), program); // as a build does: another file at the path
  on.server().signal(SIGUSR2);
  eventually("the new build serves", [&] { return on.log().find("The server was replaced: ") != std::string::npos; });
  CHECK(gone(old));
  CHECK(server_pid(on) != old);
  CHECK(enrol(on, "lg", 300) > 1);
}

TEST_CASE("a stopped old server is fenced after its time, and the new one serves", "[system][handover]") {
  platform on(launched({{"DR_HTTP_DRAIN_TIMEOUT_S", "0.5"}}));
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  CHECK(accept(on, campaign, user) == 200);
  const auto old = server_pid(on);
  freeze(old);
  const auto how = restart(on);
  INFO(how.text);
  CHECK(how.status == 0);
  CHECK(how.text.find("did not let go within 0.50 s and was killed") != std::string::npos);
  CHECK(gone(old));
  CHECK(server_pid(on) != old);
  CHECK(response_of(on, campaign, user).at("answer") == "accept");
  CHECK(enrol(on, "lg", 300) > user);
  require_events_whole(on);
}

TEST_CASE("kill -9 of the new server while it takes over ends in a serving one", "[system][handover]") {
  platform on(launched());
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  CHECK(accept(on, campaign, user) == 200);
  const auto old = server_pid(on);
  freeze(old); // the middle lasts until it goes on
  restart_call call(on);
  eventually("the new server waits for the old one",
             [&] { return on.log().find("the old one hands over") != std::string::npos; });
  const auto second = restart(on);
  CHECK(second.status == 1);
  CHECK(second.text.find("a restart is under way already") != std::string::npos);
  const auto successor = other_child(on, old);
  REQUIRE(successor != 0);
  ::kill(successor, SIGKILL);
  eventually("the launcher knows", [&] { return on.log().find("starting it again in") != std::string::npos; });
  ::kill(old, SIGCONT);
  const auto how = call.wait();
  INFO(how.text);
  CHECK(how.status == 1);
  CHECK(how.text.find("was ended by signal 9 while it took over, and was started again") != std::string::npos);
  CHECK(gone(old));
  CHECK(response_of(on, campaign, user).at("answer") == "accept");
  CHECK(enrol(on, "lg", 300) > user);
  CHECK(restart(on).status == 0);
}

TEST_CASE("a configuration that is found wrong when the server crashed is waited for", "[system]") {
  const scratch_folder files;
  const auto holidays = files.path() / "holidays.txt";
  std::ofstream(holidays) << "2026-01-01\n";
  platform on(launched({{"DR_HOLIDAYS_FILE", holidays.string()}}));
  std::filesystem::remove(holidays);
  ::kill(server_pid(on), SIGKILL);
  eventually("it was tried again", [&] { return times(on.log(), "starting it again in") >= 2; });
  CHECK(on.server().running());
  std::ofstream(holidays) << "2026-01-01\n";
  on.wait_ready();
  CHECK(enrol(on, "samsung", 400) > 0);
}

TEST_CASE("kill -9 of the new server at any moment ends in a serving one", "[system][handover]") {
  platform on(launched());
  for (int round = 1; round <= 4; ++round) {
    const auto old = server_pid(on);
    restart_call call(on);
    pid_t successor = 0;
    eventually("there is a successor", [&] { return (successor = other_child(on, old)) != 0; });
    ::kill(successor, SIGKILL);
    const auto how = call.wait();
    INFO(how.text);
    CHECK(how.status == 1);
    CHECK(enrol(on, "site " + std::to_string(round), 100) > 0);
  }
  CHECK(restart(on).status == 0);
  require_events_whole(on);
}

TEST_CASE("restart without a running server says so by its exit status", "[system][handover]") {
  platform none(platform::setup{.simulator = false, .started = false});
  const auto how = restart(none);
  CHECK(how.status == 69);
  CHECK(how.text.find("nothing that `drplatform up` or script/server started runs on") != std::string::npos);
  const auto quiet = restart_call(none, {"--if-running"}).wait();
  CHECK(quiet.status == 69);
  CHECK(quiet.text.empty());
}
