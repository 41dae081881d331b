// The table of routes: which handler serves which method and path, with what bounds.
#pragma once

#include "http/server/reply.hpp"
#include "http/server/request.hpp"
#include "http/server/websocket.hpp"

#include <any>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dr::http {

/// Answers one request. Must finish by request_context::deadline (asio operations are cancelled then); must not block
/// the io thread. Exceptions become a 500 without internals.
using handler = std::function<boost::asio::awaitable<reply>(request_context&)>;

/// One row of the table.
struct route {
  method verb = method::get;
  std::string pattern;                       ///< "/users/{id}/token"; a last "{name*}" takes the rest of the path
  handler handle;                            ///< unused for WebSocket routes
  std::optional<std::size_t> max_body_bytes; ///< absent: the server's default; for streaming routes no limit
  bool streaming = false;                    ///< the handler reads the body by request_context::next_chunk
  websocket_handler upgrade;                 ///< set for WebSocket routes (verb is `get`)
  std::any tag;                              ///< the application's own: roles, for example
};

/// A set of methods as bits, bit n for method n.
using method_set = std::uint8_t;

/// "GET, HEAD, OPTIONS": HEAD where GET is, OPTIONS always.
std::string allow_header(method_set methods);

/// Finds routes by path and method. Built before the server starts, then only read, from any thread. A literal segment
/// is preferred to a "{name}" at the same place, and that to a "{rest*}".
class router {
public:
  router();
  ~router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;

  /// Adds a row. Throws std::invalid_argument when the pattern is malformed or the row is there already, or when it
  /// has no handler.
  router& add(route row);
  /// Shorthand for a plain route.
  router& add(method verb, std::string pattern, handler handle, std::any tag = {});
  /// All rows in the order added.
  const std::vector<std::unique_ptr<const route>>& routes() const noexcept { return rows_; }

  struct match {
    const route* found = nullptr; ///< null: unknown path, or known path with another method
    method_set allowed = 0;       ///< methods known for this path; 0: unknown path
  };
  /// Looks the request's segments and method up; sets its params when found. HEAD falls back to GET.
  match find(request_context& request) const;

private:
  struct node;
  std::vector<std::unique_ptr<const route>> rows_;
  std::unique_ptr<node> root_;
};

} // namespace dr::http
