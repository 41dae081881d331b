// One child process of the launcher: started in a group of its own, started again with backoff, stopped within a time.
#pragma once

#include "app/channel.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace dr {

class launcher_child {
public:
  using clock = std::chrono::steady_clock;
  struct restart_policy {
    std::chrono::milliseconds backoff_min;
    std::chrono::milliseconds backoff_max;
    std::chrono::milliseconds healthy;
  };

  /// `listener` is handed over as descriptor 3, and with it a line to us (launcher_link) as descriptor 4; `environment`
  /// ("NAME=value") comes on top of ours.
  launcher_child(std::string name, std::vector<std::string> command, restart_policy policy,
                 std::optional<int> listener = {}, std::vector<std::string> environment = {});

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; } ///< 0: not running
  bool running() const { return pid_ != 0; }

  /// Our end of the line to it; closed when it has none.
  const channel& line() const { return line_; }
  void hang_up() { line_ = {}; }

  /// Starts it at once, as a successor that waits for the order to take over. Later starts are ordinary ones.
  void start_as_successor(clock::time_point now);
  /// Starts it when its time has come.
  void start_if_due(clock::time_point now);
  /// Records its death and plans the next start; the real delay until then.
  std::chrono::milliseconds died(clock::time_point now);
  /// When to look again; nothing while it runs.
  std::optional<clock::time_point> due() const;
  /// To the whole group; nothing when it does not run.
  void signal(int number) const;

private:
  void start(bool as_successor);
  [[noreturn]] void become(pid_t launcher, const channel& link, bool as_successor) const;

  std::string name_;
  std::vector<std::string> command_;
  restart_policy policy_;
  std::optional<int> listener_;
  std::vector<std::string> environment_;
  channel line_;
  pid_t pid_ = 0;
  clock::time_point started_{};
  clock::time_point next_start_{};
  std::chrono::milliseconds delay_{0};
};

} // namespace dr
