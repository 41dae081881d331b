// The bounds of one HTTP server: every size, count and time it allows. Nothing here is about demand response.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dr::http {

/// Bounds of every WebSocket connection. Times are real time.
struct websocket_options {
  std::size_t max_message_bytes = 64 * 1024;         ///< longer incoming messages close with 1009
  std::size_t max_queue_frames = 1024;               ///< outgoing; one more closes with 1013
  std::size_t max_queue_bytes = 1024 * 1024;         ///< outgoing; more closes with 1013
  std::chrono::milliseconds ping_interval{20'000};   ///< between our pings
  std::chrono::milliseconds silence_timeout{60'000}; ///< a peer silent for longer is closed
  std::chrono::milliseconds close_timeout{5'000};    ///< for the closing handshake, then the socket is closed
};

/// Everything a server must be told before it starts. All times are real time and at least 1 ms.
struct server_options {
  std::string address = "127.0.0.1";      ///< IPv4 or IPv6 literal; ignored when `listen_fd` is given
  std::uint16_t port = 8080;              ///< 0 takes any free port, see server::port()
  int listen_fd = -1;                     ///< an already listening TCP socket to adopt (and close); -1: make our own
  unsigned io_threads = 0;                ///< 0: one per processor
  std::string server_name = "drplatform"; ///< value of the Server header
  /// Further fields of every answer but the one that opens a WebSocket: names and values without CR and LF.
  std::vector<std::pair<std::string, std::string>> answer_fields;

  std::size_t max_target_bytes = 8 * 1024;  ///< request target; longer: 414
  std::size_t max_header_bytes = 8 * 1024;  ///< all header fields together; more: 431
  std::size_t max_body_bytes = 1024 * 1024; ///< of routes that set no limit of their own; more: 413
  std::size_t max_connections =
      0; ///< WebSockets included; 0, and at most: RLIMIT_NOFILE less the reserved, of few a third
  std::size_t reserved_descriptors = 256; ///< kept for everything that is not a connection of ours
  std::chrono::seconds retry_after{5};    ///< Retry-After of the server's own 503 answers

  std::chrono::milliseconds header_timeout{10'000};  ///< from the first byte to the end of the header; then 408
  std::chrono::milliseconds body_timeout{30'000};    ///< a whole buffered body, or one chunk of a streamed; then 408
  std::chrono::milliseconds idle_timeout{75'000};    ///< between two requests; then the connection is closed
  std::chrono::milliseconds write_timeout{30'000};   ///< an answer, or one chunk of it, without progress; then closed
  std::chrono::milliseconds handler_timeout{30'000}; ///< a handler, or one step of a streaming one; then 503
  std::chrono::milliseconds linger_timeout{2'000};   ///< how long unread input is drained before a close
  std::chrono::milliseconds stop_idle_grace{1'000};  ///< at a stop, for the next request of an idle connection

  websocket_options websocket;
};

} // namespace dr::http
