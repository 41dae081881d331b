// What ends or changes the server's run: signals, the loss of the lease, and the launcher's orders.
#pragma once

#include "app/launcher_link.hpp"

#include <chrono>
#include <cstdint>
#include <variant>

namespace dr {

/// stop: SIGTERM or SIGINT. lease_lost: another server writes now.
enum class server_event : std::uint8_t { none, stop, lease_lost };

/// Makes one before any other thread: the signals are blocked in all of them and taken here.
class server_orders {
public:
  server_orders();
  /// The next event or order; `none` when there was none in time.
  std::variant<server_event, launcher_order> wait(std::chrono::milliseconds at_most);
  /// … or, without a limit, when there is one.
  std::variant<server_event, launcher_order> wait();
  /// Makes wait() give lease_lost; from any thread.
  static void tell_lease_lost();

  launcher_link link;

private:
  unique_descriptor signals_;
};

} // namespace dr
