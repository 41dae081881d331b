// Many customers on the WebSocket of a server, in one thread of their own.
#pragma once

#include "bench/load.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dr::bench {

/// Connected customers. The server must run without access control (they name themselves), or be the bare one.
class customers {
public:
  using steady = std::chrono::steady_clock;

  /// Connects users `first` … `first + count − 1` and waits until each has its first message (the snapshot), unless
  /// `greeted` is false. Throws std::runtime_error when that takes longer than a minute for each thousand.
  customers(std::uint16_t port, std::int64_t first, int count, bool greeted = true);
  ~customers();
  customers(const customers&) = delete;
  customers& operator=(const customers&) = delete;

  int count() const noexcept { return count_; }

  /// Forgets what was received, and counts messages that begin with `mark` from now on; "" counts all.
  void listen_for(const std::string& mark);
  /// How many came since.
  int received() const noexcept;
  struct receipts {
    steady::time_point first{};
    steady::time_point last{};
    std::int64_t bytes = 0; ///< of the last one
  };
  /// Waits until `expected` have come. Throws std::runtime_error when they do not in time.
  receipts wait_for(int expected, std::chrono::milliseconds at_most = std::chrono::minutes(2));

  /// Each of the first `using_count` customers answers, waits to be told, and answers again (closed loop). `next` makes
  /// its message number n. Counts what was answered in the counted time.
  load_result answer(int using_count, std::chrono::milliseconds warm_up, std::chrono::milliseconds time,
                     std::function<std::string(std::int64_t user, std::int64_t n)> next);

  struct impl;

private:
  std::unique_ptr<impl> impl_;
  int count_;
};

} // namespace dr::bench
