// One HTTP request as handlers see it: parsed, decoded and checked, with the library that read it out of sight.
#pragma once

#include "domain/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <any>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dr::http {

struct route;

/// The methods that a route can have.
enum class method : unsigned char { get, head, post, put, patch, delete_, options };

/// "GET", "DELETE" …
std::string_view to_string(method verb) noexcept;
/// The method of that exact (upper case) name, or nothing.
std::optional<method> parse_method(std::string_view name) noexcept;

/// One header field as sent, without surrounding blanks.
struct header_field {
  std::string_view name;
  std::string_view value;
};

/// One query parameter, percent-decoded ('+' is a blank), valid UTF-8.
struct query_parameter {
  std::string name;
  std::string value;
};

/// Where a streamed request body comes from.
class body_source {
public:
  virtual ~body_source() = default;
  /// The next bytes (never empty), or nothing at the end. Fails: timed_out, invalid (larger than the route allows),
  /// malformed (broken chunking, or the client has gone). After a failure or the end it keeps saying the same; the
  /// client is then told 408, 413 or 400 by the server, whatever the handler answers.
  virtual boost::asio::awaitable<result<std::optional<std::string>>> next_chunk() = 0;
};

/// One request. Views point into the connection's buffers and hold until the answer has been sent. Used on the
/// connection's executor only. Tests may fill one by hand: set `verb`, `headers`, `body` and call parse_target.
class request_context {
public:
  static constexpr std::size_t max_segments = 16; ///< deeper paths are unknown paths
  static constexpr std::size_t max_params = 8;    ///< per route pattern

  request_context() = default;
  request_context(const request_context&) = delete;
  request_context& operator=(const request_context&) = delete;

  method verb = method::get;                        ///< HEAD stays `head` though GET's handler serves it
  std::string_view target;                          ///< as sent
  std::string_view path;                            ///< the target's path as sent, without the query
  unsigned minor_version = 1;                       ///< 0 or 1 of HTTP/1.x
  std::vector<header_field> headers;                ///< in the order sent
  std::vector<query_parameter> query;               ///< in the order sent
  std::string body;                                 ///< empty for streaming routes
  std::string_view peer_address;                    ///< textual IP address
  std::uint16_t peer_port = 0;                      ///< TCP port
  bool peer_is_loopback = false;                    ///< the peer is this machine
  std::chrono::steady_clock::time_point deadline{}; ///< when the handler is cancelled; streaming moves it on
  boost::asio::any_io_executor executor;            ///< the connection's: handlers resume here
  const route* matched = nullptr;                   ///< null when no route matched
  body_source* stream = nullptr;                    ///< set for streaming routes
  std::string done_before_fault; ///< by a handler that streams: what stays done though the request fails
  std::any attached;             ///< for the application: who asks, for example

  /// Decoded path segments: "/users/7" has "users" and "7", "/" has none.
  std::span<const std::string_view> segments() const noexcept { return {segments_.data(), segment_count_}; }
  /// The decoded value of a "{name}" of the route's pattern.
  std::optional<std::string_view> param(std::string_view name) const noexcept;
  /// The first header field of that name in any case.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  /// True when there is more than one.
  bool is_repeated(std::string_view name) const noexcept;
  /// The first query parameter of that name.
  std::optional<std::string_view> query_value(std::string_view name) const noexcept;
  /// True when the target asks for a WebSocket (Connection: upgrade, Upgrade: websocket).
  bool wants_websocket() const noexcept;
  /// The next piece of the body, streamed or not (then the whole body is one piece).
  boost::asio::awaitable<result<std::optional<std::string>>> next_chunk();

  /// Splits and decodes a request target (origin form, absolute form or "*") into this object. `sent` must outlive it.
  /// Fails with `malformed`: not a URI reference, a bad percent escape, decoded text that is not UTF-8 or holds NUL.
  result<void> parse_target(std::string_view sent);
  /// Sets a path parameter; used by the router. `name` and `value` must outlive this object. False when there are
  /// too many.
  bool set_param(std::string_view name, std::string_view value) noexcept;
  /// Forgets the path parameters; used by the router.
  void clear_params() noexcept { param_count_ = 0; }
  /// The decoded text from segment `first` to the end, segments joined by '/'.
  std::string_view tail(std::size_t first) const noexcept;
  /// Makes it empty again and keeps its memory.
  void reset();

private:
  result<void> split_path(std::string_view encoded);

  std::string escaped_target_;
  std::string decoded_path_;
  std::array<std::string_view, max_segments> segments_{};
  std::size_t segment_count_ = 0;
  std::array<header_field, max_params> params_{};
  std::size_t param_count_ = 0;
  bool body_taken_ = false;
};

/// True when the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
bool valid_utf8(std::string_view text) noexcept;
/// Compares ASCII text without regard to case.
bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept;
/// True when a comma-separated header value has that token, in any case.
bool has_token(std::string_view list, std::string_view token) noexcept;

} // namespace dr::http
