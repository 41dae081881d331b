// Child processes for system tests: real programs, real signals, their output kept in a file.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

namespace dr::test {

using environment = std::map<std::string, std::string>;

/// The value of a variable that script/test sets; throws with a hint when it is not there.
std::string required_variable(const char* name);
/// The path of a program that was built with these tests.
std::string program_under_test(const std::string& name);

/// A running program. Killed when the object goes away.
class process {
public:
  struct options {
    std::vector<std::string> command;      ///< program and arguments
    environment variables;                 ///< on top of PATH and HOME only
    std::filesystem::path output;          ///< stdout and stderr are appended here
    int listen_fd = -1;                    ///< handed on as systemd does: LISTEN_FDS=1, descriptor 3
    std::optional<rlimit> open_files = {}; ///< RLIMIT_NOFILE; nothing: as ours
  };
  explicit process(const options& start);
  ~process();
  process(process&& other) noexcept;
  process& operator=(process&& other) noexcept;

  void signal(int number) const;
  /// freeze() below; does nothing when it is known to have ended.
  void freeze() const;
  bool running();
  /// The exit status (128 + n for signal n), or nothing when it still runs at the deadline.
  std::optional<int> wait(std::chrono::milliseconds at_most);
  /// SIGKILL, and the end of it.
  void kill();
  pid_t pid() const noexcept { return pid_; }

private:
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// SIGSTOP; returns when every thread has stopped. Until the first of them takes the signal the others go on, and on a
/// busy machine that may be long enough for a request.
void freeze(pid_t pid);

/// Runs a command to its end; throws when it fails or takes longer than the deadline. Returns what it printed.
std::string run(const std::vector<std::string>& command, const environment& variables = {},
                std::chrono::milliseconds at_most = std::chrono::seconds(60));

/// Polls until the condition holds; throws a runtime_error naming `what` when it does not by the deadline.
template <class Condition>
void eventually(const std::string& what, Condition met, std::chrono::milliseconds at_most = std::chrono::seconds(30));

/// A folder that is removed at the end, with all that is in it. Reachable for other users (a Postgres run by its own
/// user).
class scratch_folder {
public:
  scratch_folder();
  ~scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_;
};

/// A listening TCP socket on a free loopback port, kept open over restarts of what it is handed to.
class listening_socket {
public:
  listening_socket();
  ~listening_socket();
  listening_socket(const listening_socket&) = delete;
  listening_socket& operator=(const listening_socket&) = delete;
  int descriptor() const noexcept { return fd_; }
  unsigned short port() const noexcept { return port_; }

private:
  int fd_ = -1;
  unsigned short port_ = 0;
};

/// The pause between two looks of eventually().
void pause_between_looks();
[[noreturn]] void give_up(const std::string& what);

template <class Condition> void eventually(const std::string& what, Condition met, std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!met()) {
    if (std::chrono::steady_clock::now() > deadline) give_up(what);
    pause_between_looks();
  }
}

} // namespace dr::test
