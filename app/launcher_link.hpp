// The server's line to the launcher that started it. A server that was started otherwise has a line on which nobody
// listens: all that is said is lost, and no order comes.
#pragma once

#include "app/channel.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dr {

/// hand_over: give all connections to the successor at the end of `peer`. take_over: become the server, with the
/// connections that come from `peer` (closed when there is no old server). Both within `patience`.
struct launcher_order {
  enum class kind : std::uint8_t { hand_over, take_over };
  kind what = kind::hand_over;
  std::chrono::milliseconds patience{0};
  channel peer;
};

/// The words of both sides.
namespace launcher_words {
inline constexpr std::string_view prepared = "prepared"; ///< the server could take over at once
inline constexpr std::string_view note = "note ";        ///< … why it cannot yet
inline constexpr std::string_view refused = "refused ";  ///< … why it will not start
inline constexpr std::string_view released = "released"; ///< it writes no more
inline constexpr std::string_view serving = "serving";   ///< it has the lease and begins to answer
inline constexpr std::string_view hand_over = "hand-over ";
inline constexpr std::string_view take_over = "take-over ";
} // namespace launcher_words

/// The variables by which a launcher tells its child the descriptor of its end, and that it is a successor.
inline constexpr const char* link_variable = "DR_LAUNCHER_LINK";
inline constexpr const char* standby_variable = "DR_LAUNCHER_STANDBY";

class launcher_link {
public:
  /// Takes what the launcher handed to this process; a second call gives a link without a launcher.
  static launcher_link inherited();

  /// This process shall prepare, and wait for the order to take over.
  bool standby() const noexcept { return standby_; }
  int descriptor() const noexcept { return line_.descriptor(); }
  void say(std::string_view word, std::string_view text = {}) const;
  /// What the launcher wants; nothing when that was not an order. A line that has ended is closed.
  std::optional<launcher_order> take_order();

private:
  channel line_;
  bool standby_ = false;
};

} // namespace dr
