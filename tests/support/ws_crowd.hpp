// Thousands of WebSocket clients on one thread, all of which connect at once and again as soon as they are cut off.
// Link with dr_test_http_client.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace dr::test {

/// Each member keeps connecting until it is in, reads all it is told, and comes back when the connection ends, however
/// it ends. Nobody waits for anybody. Thread-safe.
class ws_crowd {
public:
  /// One member per target ("/ws?userId=7"), of a server on this machine's loopback address.
  ws_crowd(std::uint16_t port, std::vector<std::string> targets);
  ~ws_crowd();
  ws_crowd(const ws_crowd&) = delete;
  ws_crowd& operator=(const ws_crowd&) = delete;

  /// Members that are connected and of whom this holds; it is given all that one was told on its present connection.
  std::size_t count(const std::function<bool(const std::string& said)>& holds) const;
  /// Connections made by all members so far.
  std::size_t connections() const noexcept;
  /// Upgrades that were answered otherwise (503 …) so far; tried again after a pause.
  std::size_t refused() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace dr::test
