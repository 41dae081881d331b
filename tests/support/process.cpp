#include "tests/support/process.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace dr::test {
namespace {

constexpr int inherited_descriptor = 3; ///< where systemd's protocol puts the first socket

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_lines(const environment& variables) {
  std::vector<std::string> lines;
  for (const char* name : {"PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) lines.push_back(std::string(name) + "=" + value);
  for (const auto& [name, value] : variables) lines.push_back(name + "=" + value);
  return lines;
}

/// The child's side of fork: never returns.
[[noreturn]] void become(const process::options& start) {
  ::setpgid(0, 0);
  const int out = ::open(start.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  auto lines = environment_lines(start.variables);
  if (start.listen_fd >= 0) {
    ::dup2(start.listen_fd, inherited_descriptor);
    if (start.listen_fd == inherited_descriptor) ::fcntl(start.listen_fd, F_SETFD, 0);
    lines.emplace_back("LISTEN_FDS=1");
    lines.push_back("LISTEN_PID=" + std::to_string(::getpid()));
  }
  ::closefrom(start.listen_fd >= 0 ? inherited_descriptor + 1 : inherited_descriptor);
  if (start.open_files) ::setrlimit(RLIMIT_NOFILE, &*start.open_files);
  auto command = start.command;
  auto argv = pointers(command);
  auto envp = pointers(lines);
  ::execvpe(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

} // namespace

std::string required_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') throw std::runtime_error(std::string(name) + " is not set; run script/test");
  return value;
}

std::string program_under_test(const std::string& name) { return required_variable("DR_BIN_DIR") + "/" + name; }

process::process(const options& start) {
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) become(start);
}

process::~process() { kill(); }

process::process(process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(std::exchange(other.status_, std::nullopt)) {}

process& process::operator=(process&& other) noexcept {
  if (this == &other) return *this;
  kill();
  pid_ = std::exchange(other.pid_, -1);
  status_ = std::exchange(other.status_, std::nullopt);
  return *this;
}

void process::signal(int number) const {
  if (pid_ > 0 && !status_) ::kill(pid_, number);
}

void process::freeze() const {
  if (pid_ > 0 && !status_) test::freeze(pid_);
}

void freeze(pid_t pid) {
  if (pid <= 0) throw std::invalid_argument("there is no process to freeze"); // to kill() these mean whole groups
  ::kill(pid, SIGSTOP);
  const auto stopped_or_dead = [](const std::filesystem::directory_entry& thread) {
    std::ifstream in(thread.path() / "stat");
    std::string text;
    std::getline(in, text, '\0'); // all of it; nothing when the thread ends meanwhile
    const auto after_name = text.rfind(") ");
    return after_name == std::string::npos ||
           std::string_view("TZX").find(text[after_name + 2]) != std::string_view::npos;
  };
  eventually("process " + std::to_string(pid) + " is stopped", [&] {
    std::error_code gone;
    const std::filesystem::directory_iterator threads("/proc/" + std::to_string(pid) + "/task", gone);
    return std::all_of(begin(threads), end(threads), stopped_or_dead);
  });
}

bool process::running() { return pid_ > 0 && !wait(std::chrono::milliseconds(0)); }

std::optional<int> process::wait(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!status_ && pid_ > 0) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) status_ = exit_code(status);
    if (status_ || std::chrono::steady_clock::now() >= deadline) break;
    pause_between_looks();
  }
  return status_;
}

void process::kill() {
  if (pid_ <= 0 || status_) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  status_ = exit_code(status);
}

std::string run(const std::vector<std::string>& command, const environment& variables,
                std::chrono::milliseconds at_most) {
  const scratch_folder folder;
  const process::options start{.command = command, .variables = variables, .output = folder.path() / "output"};
  process child(start);
  const auto status = child.wait(at_most);
  std::ifstream in(start.output);
  std::string printed((std::istreambuf_iterator<char>(in)), {});
  if (status != 0) throw std::runtime_error(command.front() + " failed: " + printed);
  return printed;
}

scratch_folder::scratch_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "dr-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no scratch folder");
  path_ = pattern;
  std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

listening_socket::listening_socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof where;
  auto* address = reinterpret_cast<sockaddr*>(&where);
  if (fd_ < 0 || ::bind(fd_, address, length) != 0 || ::listen(fd_, 1024) != 0 ||
      ::getsockname(fd_, address, &length) != 0)
    throw std::runtime_error("no listening socket");
  port_ = ntohs(where.sin_port);
}

listening_socket::~listening_socket() { ::close(fd_); }

void pause_between_looks() { ::poll(nullptr, 0, 5); }

void give_up(const std::string& what) { throw std::runtime_error("waited in vain until " + what); }

} // namespace dr::test
