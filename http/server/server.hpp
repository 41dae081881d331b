// A bounded HTTP/1.1 and WebSocket server on Boost.Beast: sockets, limits, timeouts and orderly stop; the application
// brings a router and hooks. One io_context per thread, and a connection lives on one thread for life: no strand and no
// lock is needed per connection, and a handler's continuation never moves to another processor.
#pragma once

#include "domain/error.hpp"
#include "domain/time.hpp"
#include "http/server/options.hpp"
#include "http/server/reply.hpp"
#include "http/server/request.hpp"
#include "http/server/router.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dr::http {

/// What the application adds to every request. All are called on io threads, several at once, and must not block.
struct server_hooks {
  /// Renders any error answer of the server itself (400, 404, 405, 408, 413, 414, 417, 426, 431, 500, 501, 503, 505).
  /// The request is null, or partly filled, when it could not be read. Default: plain text.
  std::function<reply(unsigned status, std::string_view detail, const request_context* request)> render_error;
  /// Decides about every request whose header could be read, before its body is, also about those without a route
  /// (`request.matched` is null then): a reply is the answer, and no handler is called. Of the body at most a small one
  /// is read then, to keep the connection.
  std::function<boost::asio::awaitable<std::optional<reply>>(request_context& request)> admit;
  /// Adds to every answer to a request whose header could be read, just before it is written; not to that which opens a
  /// WebSocket. Must not throw.
  std::function<void(const request_context& request, reply& answer)> complete;
  /// Told after every answer. Must not throw.
  std::function<void(const request_context& request, unsigned status, std::chrono::nanoseconds took)> observe;
  /// Seconds since the epoch for the Date header; default: the system's time.
  std::function<std::time_t()> wall_seconds;
  /// Told once for each io thread's context, after its last completion: what waits for something in it must let go now,
  /// or what it holds is never freed. Called by the thread that stops the server. Must not throw.
  std::function<void(boost::asio::execution_context&)> io_ended;
};

/// Counts since start, or now.
struct server_counters {
  std::size_t connections = 0; ///< open now, WebSockets included
  std::size_t websockets = 0;  ///< open now
  std::uint64_t requests = 0;  ///< answered since start
  std::uint64_t refused = 0;   ///< connections answered 503 since start, for the connection limit
  /// Since when connections are refused or cannot be accepted; nothing once that is half a minute ago.
  std::optional<time_point> refusing_since;
};

/// Takes a connection that is between two requests: its descriptor, which it then owns, and what was read from it and
/// not yet served. Called on io threads, several at once; must not throw.
using connection_giver = std::function<void(int descriptor, std::string unread)>;

/// Owns the listening socket, the io threads and every connection. Must outlive whatever its handlers wait for.
class server {
public:
  server(server_options options, router routes, server_hooks hooks = {});
  /// Stops without grace.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Binds (or adopts) the socket and starts the threads; call it once. Fails: invalid (address, descriptor, in use).
  result<void> start();
  /// From now on keep-alive connections are closed after their next answer; new ones are still accepted.
  void begin_drain() noexcept;
  /// Stops accepting at once, closes WebSockets (1012), and gives every connection away as soon as it is between two
  /// requests: another process goes on with it, and its client notices nothing. Blocks until no request that may change
  /// something is under way, for at most `patience`; not to be called from an io thread. True when that was reached.
  /// Requests that only read may still be answered afterwards; stop() ends it all. Call it once.
  bool hand_over(connection_giver give, std::chrono::milliseconds patience);
  /// Goes on with a connection that another server gave away; owns the descriptor. Thread-safe, between start() and
  /// stop().
  void adopt(int descriptor, std::string unread);
  /// Stops accepting, closes WebSockets (1012) and idle connections (after `stop_idle_grace`, in which a request still
  /// gets an answer that closes), lets requests in flight finish for at most `grace`, then closes what is left. Blocks;
  /// not to be called from an io thread. True when nothing had to be forced. Repeating it returns the first result.
  bool stop(std::chrono::milliseconds grace);
  /// True once begin_drain, hand_over or stop was called.
  bool draining() const noexcept;
  /// The port listened on; 0 before start.
  std::uint16_t port() const noexcept;
  /// The most connections accepted at once.
  std::size_t max_connections() const noexcept;
  server_counters counters() const noexcept;
  const router& routes() const noexcept;
  /// Where work of the application's own can run; it ends when the server stops. Only between start and stop.
  boost::asio::any_io_executor executor() const;

private:
  struct impl;
  std::shared_ptr<impl> impl_; ///< also held by WebSocket sessions that the application keeps beyond our end
};

} // namespace dr::http
