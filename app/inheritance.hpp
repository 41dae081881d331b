// Connections change hands between an old server and its successor, over a channel that the launcher gave to both.
#pragma once

#include "app/channel.hpp"

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace dr {

/// The old server's side. Copies share one channel, which ends with the last of them. Thread-safe.
class estate {
public:
  explicit estate(channel to) : to_(std::make_shared<const channel>(std::move(to))) {}
  /// Gives a connection to the successor, which then owns it; one that it does not take is closed.
  void give(int descriptor, std::string unread) const;
  /// Tells the successor that this server writes no more.
  void release() const;

private:
  std::shared_ptr<const channel> to_;
};

/// The successor's side: a thread that takes what comes, for as long as the old server lives.
class inheritance {
public:
  using taker = std::function<void(int descriptor, std::string unread)>;
  /// `take` is called on the thread and owns the descriptor.
  inheritance(channel from, taker take);
  inheritance(const inheritance&) = delete;
  inheritance& operator=(const inheritance&) = delete;
  /// Ends the thread; the old server closes by itself what it has left.
  ~inheritance();
  /// True when the old server writes no more, or is gone; false when it has not said so in time.
  bool wait_released(std::chrono::milliseconds at_most) const;

private:
  void run();

  channel from_;
  taker take_;
  std::promise<void> release_;
  std::future<void> released_ = release_.get_future();
  std::thread thread_;
};

} // namespace dr
