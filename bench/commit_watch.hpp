// Sees from outside when a new campaign is committed.
#pragma once

#include "bench/stage.hpp"

#include <atomic>
#include <chrono>
#include <thread>

namespace dr::bench {

/// Looks every millisecond, in a session and a thread of its own, for a campaign newer than those of now.
class commit_watch {
public:
  using steady = std::chrono::steady_clock;

  explicit commit_watch(const database& data) : sql_(data.open()), newest_(sql_.number(query)) {
    thread_ = std::thread([this] {
      while (!stop_ && sql_.number(query) <= newest_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      seen_ = steady::now();
    });
  }
  ~commit_watch() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  commit_watch(const commit_watch&) = delete;
  commit_watch& operator=(const commit_watch&) = delete;

  /// When it was seen. Once.
  steady::time_point wait() {
    thread_.join();
    return seen_;
  }

private:
  static constexpr const char* query = "SELECT coalesce(max(id), 0) FROM campaign";
  sql_session sql_;
  std::int64_t newest_;
  std::atomic<bool> stop_{false};
  steady::time_point seen_{};
  std::thread thread_;
};

} // namespace dr::bench
