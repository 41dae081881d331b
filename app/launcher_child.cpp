#include "app/launcher_child.hpp"

#include "app/launcher_link.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>

namespace dr {

namespace {

constexpr int listener_descriptor = 3; // systemd's protocol
constexpr int link_descriptor = 4;
constexpr int out_of_the_way = 10;
constexpr int exit_cannot_run = 127;

void set_listener_variables() {
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
}

// What the launcher set up for itself must not reach the child: blocked and ignored signals.
void reset_signals() {
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR2}) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

} // namespace

launcher_child::launcher_child(std::string name, std::vector<std::string> command, restart_policy policy,
                               std::optional<int> listener, std::vector<std::string> environment)
    : name_(std::move(name)), command_(std::move(command)), policy_(policy), listener_(listener),
      environment_(std::move(environment)) {}

void launcher_child::start_if_due(clock::time_point now) {
  if (running() || now < next_start_) return;
  started_ = now;
  start(false);
}

void launcher_child::start_as_successor(clock::time_point now) {
  started_ = now;
  start(true);
}

void launcher_child::start(bool as_successor) {
  const auto launcher = ::getpid();
  std::pair<channel, channel> line;
  if (listener_)
    if (auto made = channel::make_pair()) line = std::move(*made);
  const auto pid = ::fork();
  if (pid == 0) become(launcher, line.second, as_successor);
  line_ = std::move(line.first);
  if (pid < 0) {
    std::fprintf(stderr, "The %s cannot be started: %s\n", name_.c_str(), std::strerror(errno));
    died(clock::now());
    return;
  }
  ::setpgid(pid, pid); // here and in the child: whoever comes first
  pid_ = pid;
}

void launcher_child::become(pid_t launcher, const channel& link, bool as_successor) const {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != launcher) ::_exit(0); // it died before we asked to be told
  if (listener_) {
    const int listener = ::fcntl(*listener_, F_DUPFD_CLOEXEC, out_of_the_way);
    const int line = ::fcntl(link.descriptor(), F_DUPFD_CLOEXEC, out_of_the_way);
    ::dup2(listener, listener_descriptor);
    set_listener_variables();
    if (::dup2(line, link_descriptor) >= 0) ::setenv(link_variable, std::to_string(link_descriptor).c_str(), 1);
    if (as_successor) ::setenv(standby_variable, "1", 1);
  }
  for (const auto& entry : environment_) {
    const auto equals = entry.find('=');
    ::setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
  reset_signals();
  std::vector<char*> arguments;
  for (const auto& argument : command_) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const std::string why = "cannot run " + command_.front() + ": " + std::strerror(errno);
  link.send(std::string(launcher_words::refused) + why);
  std::fprintf(stderr, "The %s cannot be started: %s\n", name_.c_str(), why.c_str());
  ::_exit(exit_cannot_run);
}

std::chrono::milliseconds launcher_child::died(clock::time_point now) {
  pid_ = 0;
  line_ = {};
  if (now - started_ >= policy_.healthy) delay_ = std::chrono::milliseconds{0};
  delay_ = delay_.count() == 0 ? policy_.backoff_min : std::min(delay_ * 2, policy_.backoff_max);
  next_start_ = now + delay_;
  return delay_;
}

std::optional<launcher_child::clock::time_point> launcher_child::due() const {
  if (running()) return {};
  return next_start_;
}

void launcher_child::signal(int number) const {
  if (running()) ::kill(-pid_, number);
}

} // namespace dr
