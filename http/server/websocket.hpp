// WebSocket connections as the application sees them. Text messages only; no compression.
#pragma once

#include "http/server/reply.hpp"
#include "http/server/request.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace dr::http {

/// One outgoing text message: `head` (shared by many sockets, serialised once; may be null) followed by `tail` (this
/// socket's own), written by one gathered write without a copy. Together they must be valid UTF-8.
struct websocket_frame {
  std::shared_ptr<const std::string> head;
  std::string tail;
  std::size_t size() const noexcept { return (head ? head->size() : 0) + tail.size(); }
};

/// Close codes of RFC 6455 that the server uses.
namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t unknown_data = 1003;
inline constexpr std::uint16_t none = 1005;     ///< the peer closed without a code; never sent
inline constexpr std::uint16_t abnormal = 1006; ///< the connection was lost; never sent
inline constexpr std::uint16_t bad_payload = 1007;
inline constexpr std::uint16_t policy_error = 1008;
inline constexpr std::uint16_t too_big = 1009;
inline constexpr std::uint16_t internal_error = 1011;
inline constexpr std::uint16_t service_restart = 1012;
inline constexpr std::uint16_t try_again_later = 1013;
} // namespace close_code

/// One open WebSocket. All functions are thread-safe and never block. Let go of it in on_close: held longer, also
/// beyond the server's end, it is harmless but keeps the stopped server's memory.
class websocket_session {
public:
  virtual ~websocket_session() = default;
  /// Queues one message. False when the session is closing, or when its queue is full: then what is queued is dropped
  /// and it is closed with 1013.
  virtual bool send(websocket_frame frame) = 0;
  /// Drops what is queued and closes with a code and a reason of at most 123 bytes. Repeating it does nothing.
  virtual void close(std::uint16_t code, std::string reason) = 0;
  /// False once it is closing.
  virtual bool is_open() const noexcept = 0;
  /// Unique within the process.
  virtual std::uint64_t id() const noexcept = 0;
};

using websocket_ptr = std::shared_ptr<websocket_session>;

/// What the application does with an accepted WebSocket. Called on the connection's io thread: must not block. An
/// exception closes the session with 1011.
struct websocket_callbacks {
  /// The handshake is done; called once, before all others. The session may be kept and used from any thread.
  std::function<void(const websocket_ptr&)> on_open;
  /// A whole text message, valid UTF-8.
  std::function<void(const websocket_ptr&, std::string_view text)> on_message;
  /// It is over, with the peer's code, ours, or 1006; called once if on_open was called, and nothing is called after.
  std::function<void(const websocket_ptr&, std::uint16_t code)> on_close;
};

/// Decides about an upgrade before it happens: callbacks accept it, a reply refuses it.
using websocket_verdict = std::variant<reply, websocket_callbacks>;
using websocket_handler = std::function<boost::asio::awaitable<websocket_verdict>(request_context&)>;

} // namespace dr::http
