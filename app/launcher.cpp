#include "app/launcher.hpp"

#include "app/launcher_child.hpp"
#include "config/flags.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dr {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using steady = launcher_child::clock;

constexpr int backlog = 4096; // connection attempts kept while a server restarts
constexpr milliseconds probe_every{150};
constexpr long probe_timeout_ms = 500;
constexpr milliseconds progress_every{5'000};
constexpr milliseconds simulator_stop_timeout{5'000};
constexpr milliseconds longest_sleep{1'000};
constexpr int listen_descriptor = 3;

int listen_on(const endpoint& at) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (auto* v4 = reinterpret_cast<sockaddr_in*>(&storage); inet_pton(AF_INET, at.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(at.port);
    size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    inet_pton(AF_INET6, at.host.c_str(), &v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(at.port);
    size = sizeof *v6;
  }
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&storage), size) == 0 && ::listen(fd, backlog) == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  return ntohs(storage.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&storage)->sin_port
                                            : reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port);
}

// A wildcard address is reached through the loopback one.
std::string url_of(endpoint at) {
  if (at.host == "0.0.0.0") at.host = "127.0.0.1";
  if (at.host == "::") at.host = "::1";
  return "http://" + at.text();
}

std::size_t forget(char*, std::size_t size, std::size_t count, void*) { return size * count; }

/// The status of a GET; 0 when nobody answers in time.
long probe(const std::string& url) {
  CURL* request = curl_easy_init();
  if (!request) return 0;
  long status = 0;
  curl_easy_setopt(request, CURLOPT_URL, url.c_str());
  curl_easy_setopt(request, CURLOPT_TIMEOUT_MS, probe_timeout_ms);
  curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(request, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, forget);
  if (curl_easy_perform(request) == CURLE_OK) curl_easy_getinfo(request, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_cleanup(request);
  return status;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return std::string("was ended by signal ") + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

class launcher {
public:
  launcher(const launcher_options& options, int listener);
  int run();

private:
  void wait_for_signal(milliseconds at_most);
  void reap();
  void bury(launcher_child& child, int status);
  void look_whether_ready();
  void print_banner() const;
  void stop(launcher_child& child, milliseconds at_most);
  milliseconds sleep_time() const;

  const launcher_options& options_;
  endpoint address_;
  std::vector<launcher_child> children_; ///< in the order of starting; the server is the last
  sigset_t awaited_;
  bool stopping_ = false;
  bool ready_ = false;
  bool was_ready_ = false;
  bool simulator_ready_ = false;
  int exit_code_ = 0;
  steady::time_point waiting_since_ = steady::now();
  steady::time_point next_probe_{};
  steady::time_point next_progress_{};
};

launcher::launcher(const launcher_options& options, int listener) : options_(options), address_(options.http_address) {
  address_.port = port_of(listener);
  const launcher_child::restart_policy policy{options.backoff_min, options.backoff_max, options.healthy};
  if (!options.simulator_command.empty()) children_.emplace_back("simulator", options.simulator_command, policy);
  simulator_ready_ = children_.empty();
  std::vector<std::string> environment;
  if (options.http_address.port == 0) environment.push_back("DR_HTTP_ADDRESS=" + address_.text());
  children_.emplace_back("server", options.server_command, policy, listener, std::move(environment));
  sigemptyset(&awaited_);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
    std::signal(number, SIG_DFL); // a background job of a shell begins with SIGINT ignored
    sigaddset(&awaited_, number);
  }
  std::signal(SIGPIPE, SIG_IGN);
  sigprocmask(SIG_BLOCK, &awaited_, nullptr);
}

int launcher::run() {
  std::fprintf(stderr, "Starting the server on %s …\n", url_of(address_).c_str());
  next_progress_ = waiting_since_ + progress_every;
  while (!stopping_) {
    for (auto& child : children_) child.start_if_due(steady::now());
    wait_for_signal(sleep_time());
    reap();
    if (!stopping_ && !ready_) look_whether_ready();
  }
  std::fprintf(stderr, "Stopping …\n");
  for (auto child = children_.rbegin(); child != children_.rend(); ++child)
    stop(*child, child->name() == "server" ? options_.stop_timeout : simulator_stop_timeout);
  return exit_code_;
}

milliseconds launcher::sleep_time() const {
  const auto now = steady::now();
  auto until = now + longest_sleep;
  for (const auto& child : children_)
    if (auto due = child.due()) until = std::min(until, *due);
  if (!ready_) until = std::min(until, next_probe_);
  return std::max(std::chrono::ceil<milliseconds>(until - now), 1ms);
}

void launcher::wait_for_signal(milliseconds at_most) {
  const timespec limit{at_most.count() / 1000, (at_most.count() % 1000) * 1'000'000};
  const int number = sigtimedwait(&awaited_, nullptr, &limit);
  if (number == SIGINT || number == SIGTERM || number == SIGHUP) stopping_ = true;
}

void launcher::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
    for (auto& child : children_)
      if (child.pid() == pid) bury(child, status);
}

void launcher::bury(launcher_child& child, int status) {
  const bool server = child.name() == "server";
  child.signal(SIGKILL); // what it left behind in its group
  const auto delay = child.died(steady::now());
  if (server) {
    ready_ = false;
    waiting_since_ = steady::now();
    next_progress_ = waiting_since_ + progress_every;
  }
  if (stopping_) return;
  const auto how = how_it_ended(status);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  if (server && (code == exit_configuration_refused || code == exit_lease_lost)) {
    std::fprintf(stderr, "The server %s: %s. It is not started again.\n", how.c_str(),
                 code == exit_lease_lost ? "another server writes to its database now"
                                         : "its configuration is refused");
    exit_code_ = code;
    stopping_ = true;
    return;
  }
  std::fprintf(stderr, "The %s %s; starting it again in %lld ms.\n", child.name().c_str(), how.c_str(),
               static_cast<long long>(delay.count()));
}

void launcher::look_whether_ready() {
  const auto now = steady::now();
  if (now < next_probe_) return;
  if (!simulator_ready_) simulator_ready_ = probe(url_of(options_.simulator_address) + "/_sim/stats") != 0;
  const auto status = children_.back().running() ? probe(url_of(address_) + "/readyz") : 0;
  next_probe_ = steady::now() + probe_every;
  if (status == 200 && simulator_ready_) {
    ready_ = true;
    if (was_ready_)
      std::fprintf(stderr, "The server is ready again.\n");
    else
      print_banner();
    was_ready_ = true;
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

void launcher::print_banner() const {
  const auto base = url_of(address_);
  const auto token = options_.data_dir / "admin.token";
  const auto who = options_.auth_off ? std::string() : " -H \"Authorization: Bearer $(cat '" + token.string() + "')\"";
  std::printf("\nDR Platform is ready at %s\n", base.c_str());
  if (options_.auth_off)
    std::printf("  authentication  off: whoever reaches the address is the admin\n");
  else
    std::printf("  admin token     %s\n", token.c_str());
  std::printf("  data folder     %s\n", options_.data_dir.c_str());
  if (!options_.simulator_command.empty())
    std::printf("  KEPCO simulator %s\n", url_of(options_.simulator_address).c_str());
  std::printf("\nTry next:\n");
  std::printf("  curl -s %s/health\n", base.c_str());
  std::printf("  curl -s %s/users%s -H 'Content-Type: application/json' \\\n"
              "       -d '{\"name\":\"samsung\",\"point\":1000,\"capacity\":400}'\n",
              base.c_str(), who.c_str());
  std::printf("  curl -s %s/drs/startdr%s -H 'Content-Type: application/json' \\\n"
              "       -d '{\"name\":\"dr for test\",\"type\":\"reliable\"}'\n",
              base.c_str(), who.c_str());
  std::printf("  curl -s %s/overview%s\n", base.c_str(), who.c_str());
  std::printf("  script/demo     (in a second terminal: simulated customers play one campaign)\n");
  std::printf("\nCtrl-C stops everything.\n\n");
  std::fflush(stdout);
}

void launcher::stop(launcher_child& child, milliseconds at_most) {
  child.signal(SIGTERM);
  const auto deadline = steady::now() + at_most;
  while (child.running() && steady::now() < deadline) {
    wait_for_signal(100ms);
    reap();
  }
  if (!child.running()) return;
  std::fprintf(stderr, "The %s does not stop in time; it is killed.\n", child.name().c_str());
  child.signal(SIGKILL);
  while (child.running()) {
    wait_for_signal(100ms);
    reap();
  }
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
  const int listener = listen_on(options.http_address);
  if (listener < 0) {
    std::fprintf(stderr, "Cannot listen on %s: %s. Choose another address by DR_HTTP_ADDRESS.\n",
                 options.http_address.text().c_str(), std::strerror(errno));
    return 1;
  }
  const int code = launcher{options, listener}.run();
  ::close(listener);
  return code;
}

std::optional<int> inherited_listener() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  const bool ours = pid && count && std::strtol(pid, nullptr, 10) == ::getpid() && std::strtol(count, nullptr, 10) >= 1;
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  if (!ours) return {};
  const int flags = ::fcntl(listen_descriptor, F_GETFL);
  if (flags < 0) return {};
  ::fcntl(listen_descriptor, F_SETFL, flags | O_NONBLOCK);
  ::fcntl(listen_descriptor, F_SETFD, FD_CLOEXEC);
  return listen_descriptor;
}

std::string own_executable() {
  std::error_code ec;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", ec);
  return ec ? std::string("/proc/self/exe") : path.string();
}

} // namespace dr
