#include "app/launcher.hpp"

#include "app/launcher_child.hpp"
#include "app/launcher_console.hpp"
#include "app/listening.hpp"
#include "app/restart.hpp"
#include "app/succession.hpp"
#include "config/data_dir.hpp"
#include "config/flags.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dr {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using steady = launcher_child::clock;

constexpr milliseconds probe_every{150};
constexpr milliseconds probe_at_handover{10}; // somebody waits for the new server
constexpr milliseconds progress_every{5'000};
constexpr milliseconds simulator_stop_timeout{5'000};
constexpr milliseconds longest_sleep{1'000};
constexpr milliseconds asker_patience{500};

class launcher {
public:
  launcher(const launcher_options& options, int listener, unique_descriptor requests);
  int run();

private:
  void wait(milliseconds at_most);
  void take_signals();
  void take_request();
  void reap();
  void bury(launcher_child& child, int status);
  bool simulator_answers();
  void look_whether_ready();
  launcher_child& server() { return children_.back(); }
  launcher_child make_server(const std::string& program) const;
  void look_again();
  void stop(launcher_child& child, milliseconds at_most);
  milliseconds sleep_time() const;

  const launcher_options& options_;
  endpoint address_;
  std::vector<launcher_child> children_; ///< in the order of starting; the server is the last
  int listener_;
  unique_descriptor requests_; ///< of `drplatform restart`
  unique_descriptor signals_;
  std::optional<succession> succession_;
  bool stopping_ = false;
  bool ready_ = false;
  bool was_ready_ = false;
  bool may_have_served_ = false; ///< one that was killed
  int exit_code_ = 0;
  steady::time_point waiting_since_ = steady::now();
  steady::time_point next_probe_{};
  steady::time_point next_progress_{};
};

launcher::launcher(const launcher_options& options, int listener, unique_descriptor requests)
    : options_(options), address_(options.http_address), listener_(listener), requests_(std::move(requests)) {
  address_.port = port_of(listener);
  const launcher_child::restart_policy policy{options.backoff_min, options.backoff_max, options.healthy};
  if (!options.simulator_command.empty())
    children_.emplace_back("simulator", options.simulator_command, policy, std::nullopt, options.simulator_environment);
  children_.push_back(make_server(options.server_command.front()));
  succession_.emplace(
      options.handover, server(), [this](const std::string& program) { return make_server(program); },
      [this] { look_again(); });
  sigset_t awaited;
  sigemptyset(&awaited);
  const bool outlives_terminal = std::signal(SIGHUP, SIG_DFL) == SIG_IGN; // it was started by nohup
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR2}) {
    std::signal(number, SIG_DFL); // a background job of a shell begins with SIGINT ignored
    sigaddset(&awaited, number);
  }
  if (outlives_terminal) {
    std::signal(SIGHUP, SIG_IGN);
    sigdelset(&awaited, SIGHUP);
  }
  std::signal(SIGPIPE, SIG_IGN);
  sigprocmask(SIG_BLOCK, &awaited, nullptr);
  signals_ = unique_descriptor{::signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK)};
}

launcher_child launcher::make_server(const std::string& program) const {
  auto command = options_.server_command;
  command.front() = program;
  std::vector<std::string> environment;
  if (options_.http_address.port == 0) environment.push_back("DR_HTTP_ADDRESS=" + address_.text());
  const launcher_child::restart_policy policy{options_.backoff_min, options_.backoff_max, options_.healthy};
  return {"server", std::move(command), policy, listener_, std::move(environment)};
}

int launcher::run() {
  std::fprintf(stderr, "Starting the server on %s …\n", url_of(address_).c_str());
  next_progress_ = waiting_since_ + progress_every;
  while (!stopping_) {
    for (auto& child : children_)
      if (&child != &server() || succession_->server_may_start()) child.start_if_due(steady::now());
    wait(sleep_time());
    take_request();
    succession_->look_at_deadlines();
    if (!stopping_ && !ready_) look_whether_ready();
  }
  std::fprintf(stderr, "Stopping …\n");
  succession_->cancel([this](launcher_child& child) { stop(child, options_.stop_timeout); });
  for (auto child = children_.rbegin(); child != children_.rend(); ++child)
    stop(*child, child->name() == "server" ? options_.stop_timeout : simulator_stop_timeout);
  return exit_code_;
}

milliseconds launcher::sleep_time() const {
  const auto now = steady::now();
  auto until = now + longest_sleep;
  for (const auto& child : children_)
    if (auto due = child.due(); due && succession_->server_may_start()) until = std::min(until, *due);
  if (auto due = succession_->due()) until = std::min(until, *due);
  if (!ready_) until = std::min(until, next_probe_);
  return std::max(std::chrono::ceil<milliseconds>(until - now), 1ms);
}

/// Until something happens, and then deals with what the processes have done and said.
void launcher::wait(milliseconds at_most) {
  std::array<pollfd, 5> watched{{{signals_.get(), POLLIN, 0},
                                 {requests_.get(), POLLIN, 0},
                                 {server().line().descriptor(), POLLIN, 0},
                                 {succession_->successor_line(), POLLIN, 0},
                                 {succession_->leaving_line(), POLLIN, 0}}};
  ::poll(watched.data(), watched.size(), static_cast<int>(at_most.count()));
  take_signals();
  succession_->hear();
  reap();
}

void launcher::take_signals() {
  signalfd_siginfo one{};
  while (::read(signals_.get(), &one, sizeof one) == static_cast<ssize_t>(sizeof one)) {
    if (one.ssi_signo == SIGUSR2)
      succession_->begin(options_.server_command.front(), {});
    else if (one.ssi_signo != SIGCHLD)
      stopping_ = true;
  }
}

/// One who asks says at once what it wants.
void launcher::take_request() {
  auto asker = accept_from(requests_);
  channel::message wish;
  if (!asker || asker->receive(wish, asker_patience) != channel::outcome::message) return;
  if (wish.text.starts_with(restart_words::restart))
    succession_->begin(wish.text.substr(restart_words::restart.size()), std::move(*asker));
}

void launcher::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (succession_->bury(pid, status)) continue;
    for (auto& child : children_)
      if (child.pid() == pid) bury(child, status);
  }
}

void launcher::bury(launcher_child& child, int status) {
  const bool was_server = &child == &server();
  if (was_server) succession_->hear_server(); // its last words
  child.signal(SIGKILL);                      // what it left behind in its group
  const auto delay = child.died(steady::now());
  if (was_server) {
    ready_ = false;
    waiting_since_ = steady::now();
    next_progress_ = waiting_since_ + progress_every;
  }
  if (stopping_) return;
  const auto how = how_it_ended(status);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  // A configuration that was good once may be mended: meanwhile the launcher keeps the listening socket. A server that
  // was killed may have been ready before we saw it.
  if (was_server && WIFSIGNALED(status)) may_have_served_ = true;
  const bool refused = code == exit_configuration_refused && !was_ready_ && !may_have_served_;
  const bool final = (refused || code == exit_lease_lost) && !succession_->under_way();
  if (was_server && final) {
    std::fprintf(stderr, "The server %s: %s. It is not started again.\n", how.c_str(),
                 code == exit_lease_lost ? "another server writes to its database now"
                                         : "its configuration is refused");
    exit_code_ = code;
    stopping_ = true;
    return;
  }
  if (was_server) succession_->server_ended(how);
  std::fprintf(stderr, "The %s %s; starting it again in %lld ms.\n", child.name().c_str(), how.c_str(),
               static_cast<long long>(delay.count()));
}

/// The present server is another one now.
void launcher::look_again() {
  ready_ = false;
  waiting_since_ = steady::now();
  next_probe_ = waiting_since_;
  next_progress_ = waiting_since_ + progress_every;
}

/// Ours, that is: another program may have its address, and then ours does not run for long.
bool launcher::simulator_answers() {
  if (children_.size() == 1) return true;
  reap();
  return children_.front().running() && probe(url_of(options_.simulator_address) + "/_sim/stats") == 200;
}

void launcher::look_whether_ready() {
  const auto now = steady::now();
  if (now < next_probe_) return;
  const auto status = children_.back().running() ? probe(url_of(address_) + "/readyz") : 0;
  next_probe_ = steady::now() + (succession_->under_way() ? probe_at_handover : probe_every);
  if (status == 200 && simulator_answers()) {
    ready_ = true;
    if (!std::exchange(was_ready_, true))
      print_banner(options_, address_);
    else if (!succession_->under_way())
      std::fprintf(stderr, "The server is ready again.\n");
    succession_->server_ready();
  } else if (now >= next_progress_) {
    next_progress_ = now + progress_every;
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - waiting_since_).count();
    std::fprintf(stderr, "… %s after %lld s\n",
                 status == 200   ? "waiting for the simulator"
                 : status == 503 ? "the server answers, but is not ready"
                                 : "the server does not answer yet",
                 static_cast<long long>(waited));
  }
}

void launcher::stop(launcher_child& child, milliseconds at_most) {
  child.signal(SIGTERM);
  const auto deadline = steady::now() + at_most;
  while (child.running() && steady::now() < deadline) {
    wait(100ms);
  }
  if (!child.running()) return;
  std::fprintf(stderr, "The %s does not stop in time; it is killed.\n", child.name().c_str());
  child.signal(SIGKILL);
  while (child.running()) wait(100ms);
}

// Whoever started us by DR_LAUNCHER_PARENT may be killed: then we stop as by SIGTERM.
bool follow_parent() {
  const char* parent = std::getenv("DR_LAUNCHER_PARENT");
  if (!parent) return true;
  const auto expected = std::strtol(parent, nullptr, 10);
  ::unsetenv("DR_LAUNCHER_PARENT");
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  return ::getppid() == expected;
}

} // namespace

int run_launcher(const launcher_options& options) {
  if (!follow_parent()) return 0;
  auto alone = pid_file::acquire(options.data_dir / "launcher.pid");
  auto requests = alone ? listen_in(options.data_dir) : result<unique_descriptor>(alone.error());
  if (!requests) {
    std::fprintf(stderr, "drplatform: %s\n", requests.error().detail.c_str());
    return requests.error().code == errc::internal ? 1 : exit_configuration_refused; // a full disk may have room later
  }
  const int listener = listen_on(options.http_address);
  if (listener < 0) {
    std::fprintf(stderr, "Cannot listen on %s: %s. Choose another address by DR_HTTP_ADDRESS.\n",
                 options.http_address.text().c_str(), std::strerror(errno));
    return 1;
  }
  const int code = launcher{options, listener, std::move(*requests)}.run();
  ::close(listener);
  std::error_code ignored;
  std::filesystem::remove(options.data_dir / launcher_socket, ignored);
  return code;
}

std::string own_executable() {
  std::error_code ec;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", ec);
  return ec ? std::string("/proc/self/exe") : path.string();
}

} // namespace dr
