// The http front: a permanent actor under the front's supervisor that owns the HTTP server. It starts listening in its
// init and stops with the tree; a restarted one listens on the same socket again. What survives a crash: the listening
// socket. Connections do not.
#pragma once

#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "domain/clock.hpp"
#include "domain/error.hpp"

#include <caf/actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace dr::http {

class server;
struct front_context;

/// The program's hand on the front, whichever incarnation runs. Thread-safe.
class front_control {
public:
  front_control();
  ~front_control();
  front_control(const front_control&) = delete;
  front_control& operator=(const front_control&) = delete;

  /// From now on /readyz says 503 and keep-alive connections end after their next answer; requests are still served.
  void begin_draining();
  bool draining() const;
  /// Hands everything over to a successor, see server::hand_over(); /readyz says 503 to what is still served. Blocks.
  bool hand_over(std::function<void(int descriptor, std::string unread)> give, std::chrono::milliseconds patience);
  /// Goes on with a connection of a predecessor, as soon as the front listens; owns the descriptor.
  void adopt(int descriptor, std::string unread);
  /// The port listened on; 0 while nobody listens.
  std::uint16_t port() const;

  // ---- for the front itself ----
  void attach(std::shared_ptr<server> running, std::shared_ptr<front_context> app);
  void detach(const server* stopped);

private:
  mutable std::mutex mutex_;
  std::shared_ptr<server> server_;
  std::shared_ptr<front_context> app_;
  std::function<void(int, std::string)> give_;
  std::vector<std::pair<int, std::string>> adopted_; ///< while nobody listens yet
  bool draining_ = false;
};

struct front_options {
  std::shared_ptr<const settings> config;
  actors::services services;
  std::shared_ptr<const clock> time;
  std::string version;
  std::string admin_token; ///< of load_or_make_admin_token(); unused when access control is off
  int listen_fd = -1; ///< a listening socket (kept open; the front works on a duplicate); -1: the configured address
  std::shared_ptr<front_control> control = std::make_shared<front_control>();
};

/// Starts the front. Throws std::runtime_error when it cannot listen (its supervisor decides).
caf::actor start_front(caf::actor_system& system, const front_options& options);

} // namespace dr::http
