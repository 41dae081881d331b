#include "bench/bare/batcher.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>

namespace dr::bench {

batcher::batcher(store_rows store, std::size_t batch_max) : store_(std::move(store)), batch_max_(batch_max) {
  thread_ = std::thread([this] {
    try {
      run();
    } catch (const std::exception& why) {
      std::cerr << "dr-bench-bare: " << why.what() << std::endl;
      std::_Exit(EXIT_FAILURE); // a limit that fails is no limit
    }
  });
  thread_.detach();
}

void batcher::push(bare_row row, reply_port reply) {
  const std::scoped_lock lock(mutex_);
  rows_.push_back(std::move(row));
  replies_.push_back(std::move(reply));
  if (rows_.size() == 1) filled_.notify_one();
}

void batcher::run() {
  for (;;) {
    std::vector<bare_row> rows;
    std::vector<reply_port> replies;
    {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, [this] { return !rows_.empty(); });
      const auto count = static_cast<std::ptrdiff_t>(std::min(rows_.size(), batch_max_));
      rows.assign(std::make_move_iterator(rows_.begin()), std::make_move_iterator(rows_.begin() + count));
      replies.assign(std::make_move_iterator(replies_.begin()), std::make_move_iterator(replies_.begin() + count));
      rows_.erase(rows_.begin(), rows_.begin() + count);
      replies_.erase(replies_.begin(), replies_.begin() + count);
    }
    store_(rows);
    reply_port::post(std::move(replies));
  }
}

} // namespace dr::bench
