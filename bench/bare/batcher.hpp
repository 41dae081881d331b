// Hands rows to the database: whatever has queued during the last commit goes into the next one.
#pragma once

#include "bench/bare/loop.hpp"
#include "bench/bare/rows.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace dr::bench {

/// Thread-safe. Lives as long as the process.
class batcher {
public:
  batcher(store_rows store, std::size_t batch_max);
  /// Answers once the row is durable.
  void push(bare_row row, reply_port reply);

private:
  void run();

  store_rows store_;
  std::size_t batch_max_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<bare_row> rows_;
  std::vector<reply_port> replies_;
  std::thread thread_;
};

} // namespace dr::bench
