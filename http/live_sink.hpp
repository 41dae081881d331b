// One socket as the push hub sees it. Only the hub holds it for long: when the hub crashes, or drops it, the socket
// closes and its client reconnects into a snapshot.
#pragma once

#include "actors/messages.hpp"
#include "http/server/websocket.hpp"

#include <mutex>
#include <string>
#include <vector>

namespace dr::http {

/// Thread-safe. Holds live messages back until the snapshot has gone out, and drops events that are not newer than it.
class live_sink final : public actors::push_sink {
public:
  live_sink(websocket_ptr socket, std::size_t max_held) : socket_(std::move(socket)), max_held_(max_held) {}
  ~live_sink() override { socket_->close(close_code::service_restart, "reconnect for a new snapshot"); }
  live_sink(const live_sink&) = delete;
  live_sink& operator=(const live_sink&) = delete;

  void push(const actors::push_frame& frame) override {
    const std::scoped_lock lock(mutex_);
    if (live_) {
      send(frame);
    } else if (held_.size() < max_held_) {
      held_.push_back(frame);
    } else {
      held_.clear();
      socket_->close(close_code::try_again_later, "too much happened before the snapshot was ready");
    }
  }
  /// Sends the snapshot, which knows of all events up to `last_event`, and what was held; from now on messages go
  /// straight out.
  void go_live(std::string snapshot, std::int64_t last_event = 0) {
    const std::scoped_lock lock(mutex_);
    last_event_ = last_event;
    socket_->send({nullptr, std::move(snapshot)});
    for (const auto& frame : held_) send(frame);
    held_.clear();
    live_ = true;
  }

private:
  void send(const actors::push_frame& frame) {
    if (frame.event_seq == 0 || frame.event_seq > last_event_) socket_->send({frame.head, frame.tail});
  }

  std::mutex mutex_;
  const websocket_ptr socket_;
  const std::size_t max_held_;
  bool live_ = false;
  std::int64_t last_event_ = 0;
  std::vector<actors::push_frame> held_;
};

} // namespace dr::http
