// Which WebSockets are open for which customer, so that they can be closed when its token goes.
#pragma once

#include "domain/ids.hpp"
#include "http/server/websocket.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace dr::http {

/// Thread-safe.
class socket_directory {
public:
  /// Returns the customer's oldest one, which is to be closed, when there are more than `most`.
  websocket_ptr add(user_id user, const websocket_ptr& socket, std::size_t most) {
    const std::scoped_lock lock(mutex_);
    auto& list = open_[user];
    std::erase_if(list, [](const auto& weak) { return weak.expired(); });
    list.push_back(socket);
    if (list.size() <= most) return nullptr;
    auto oldest = list.front().lock();
    list.erase(list.begin());
    return oldest;
  }
  void remove(user_id user, const websocket_ptr& socket) {
    const std::scoped_lock lock(mutex_);
    const auto at = open_.find(user);
    if (at == open_.end()) return;
    std::erase_if(at->second, [&](const auto& weak) { return weak.expired() || weak.lock() == socket; });
    if (at->second.empty()) open_.erase(at);
  }
  /// Closes all sockets of a customer.
  void close(user_id user, const std::string& reason) {
    std::vector<std::weak_ptr<websocket_session>> list;
    {
      const std::scoped_lock lock(mutex_);
      if (const auto at = open_.find(user); at != open_.end()) list = at->second;
    }
    for (const auto& weak : list)
      if (const auto socket = weak.lock()) socket->close(close_code::policy_error, reason);
  }

private:
  std::mutex mutex_;
  std::unordered_map<user_id, std::vector<std::weak_ptr<websocket_session>>> open_;
};

} // namespace dr::http
