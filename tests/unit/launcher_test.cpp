#include "app/launcher.hpp"
#include "tests/unit/config_support.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fcntl.h>
#include <functional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace dr;
using namespace std::chrono_literals;
using config_test::scratch_folder;

namespace {

bool holds_within(std::chrono::seconds limit, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(5ms); // between two looks at a condition with a deadline
  }
  return true;
}

/// A launcher in a process of its own, with a shell script for a server.
class launched {
public:
  explicit launched(const std::string& script, const std::string& simulator = {}) {
    launcher_options options;
    if (!simulator.empty())
      options.simulator_command = {"/bin/sh", "-c", simulator, "simulator", (folder / "").string()};
    options.simulator_environment = {"DR_SIM_ADDRESS=127.0.0.1:7", "DR_CLOCK_RATE=60"};
    options.http_address = {"127.0.0.1", 0};
    options.data_dir = folder / "";
    options.server_command = {"/bin/sh", "-c", script, "server", (folder / "pids").string()};
    options.backoff_min = 1ms;
    options.backoff_max = 2ms;
    options.stop_timeout = 300ms;
    pid_ = ::fork();
    if (pid_ == 0) {
      const int quiet = ::open("/dev/null", O_WRONLY);
      ::dup2(quiet, STDOUT_FILENO);
      ::dup2(quiet, STDERR_FILENO);
      ::_exit(run_launcher(options));
    }
  }
  ~launched() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  launched(const launched&) = delete;
  launched& operator=(const launched&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  /// The exit code, or -1 when it does not end in time.
  int ended() {
    int status = 0;
    if (!holds_within(10s, [&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) return -1;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
  }
  /// The pids that servers wrote, in the order of their starts.
  std::vector<pid_t> pids() const {
    std::ifstream in(folder / "pids");
    std::vector<pid_t> all;
    for (pid_t pid = 0; in >> pid;) all.push_back(pid);
    return all;
  }
  scratch_folder folder;

private:
  pid_t pid_ = 0;
};

// A dead process that nobody has buried yet (its new parent may be slow) is not alive.
bool alive(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return (in >> number >> name >> state) && state != "Z" && state != "X";
}

const char* const patient = "echo $$ >>\"$1\"; exec sleep 1000";
const char* const stubborn = "trap '' TERM; echo $$ >>\"$1\"; while :; do sleep 1000; done";

} // namespace

TEST_CASE("a server that dies is started again and SIGTERM stops it for good", "[launcher]") {
  launched it(patient);
  REQUIRE(holds_within(10s, [&] { return it.pids().size() == 1; }));
  ::kill(it.pids()[0], SIGKILL);
  REQUIRE(holds_within(10s, [&] { return it.pids().size() == 2; }));
  const auto second = it.pids()[1];
  CHECK(alive(second));
  it.signal(SIGTERM);
  CHECK(it.ended() == 0);
  CHECK(holds_within(5s, [&] { return !alive(second); }));
}

TEST_CASE("a server that ignores SIGTERM is killed after its time", "[launcher]") {
  launched it(stubborn);
  REQUIRE(holds_within(10s, [&] { return it.pids().size() == 1; }));
  it.signal(SIGINT);
  CHECK(it.ended() == 0);
  CHECK(holds_within(5s, [&] { return !alive(it.pids()[0]); }));
}

TEST_CASE("a refused configuration and a lost lease are not tried again", "[launcher]") {
  for (int code : {78, 75}) {
    launched it("echo $$ >>\"$1\"; exit " + std::to_string(code));
    CHECK(it.ended() == code);
    CHECK(it.pids().size() == 1);
  }
}

TEST_CASE("the listening socket is handed over as systemd does it", "[launcher]") {
  launched it("[ \"$LISTEN_PID\" = $$ ] && [ \"$LISTEN_FDS\" = 1 ] && [ \"${DR_HTTP_ADDRESS#127.0.0.1:}\" -gt 0 ] &&"
              " case $(readlink /proc/$$/fd/3) in socket:*) exit 78 ;; esac; exit 75");
  CHECK(it.ended() == 78);
}

TEST_CASE("the simulator hears what flags have changed for it, and the server does not", "[launcher]") {
  launched it("echo $$ >>\"$1\"; echo \"[$DR_CLOCK_RATE]\" >\"$1.rate\"; exec sleep 1000",
              "echo \"$DR_SIM_ADDRESS $DR_CLOCK_RATE\" >\"$1/heard\"; exec sleep 1000");
  const auto text = [&](const char* name) {
    std::ifstream in(it.folder / name);
    std::string line;
    std::getline(in, line);
    return line;
  };
  CHECK(holds_within(10s, [&] { return text("heard") == "127.0.0.1:7 60"; }));
  CHECK(holds_within(10s, [&] { return text("pids.rate") == "[]"; }));
}

TEST_CASE("no server lingers when the launcher is killed", "[launcher]") {
  launched it(patient);
  REQUIRE(holds_within(10s, [&] { return it.pids().size() == 1; }));
  const auto server = it.pids()[0];
  it.signal(SIGKILL);
  CHECK(it.ended() == -2);
  CHECK(holds_within(5s, [&] { return !alive(server); }));
}

TEST_CASE("an address in use is refused at once", "[launcher]") {
  const scratch_folder folder;
  launcher_options options;
  options.data_dir = folder / "";
  options.http_address = {"192.0.2.1", 9}; // of nobody: cannot be bound
  options.server_command = {"/bin/false"};
  CHECK(run_launcher(options) == 1);
}
