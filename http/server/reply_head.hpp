// Status line and header fields of an answer, composed into memory that is reused.
#pragma once

#include "http/server/reply.hpp"

#include <string>
#include <string_view>

namespace dr::http {

/// What the connection decides about an answer.
struct reply_framing {
  bool keep = false;        ///< the connection stays open
  bool chunked = false;     ///< body in chunked coding
  bool until_close = false; ///< body of unknown length that the close ends (HTTP/1.0)
  unsigned minor_version = 1;
};

/// Statuses whose answers never have a body.
constexpr bool has_no_body(unsigned status) noexcept { return status < 200 || status == 204 || status == 304; }

/// Size in bytes of a body that is at hand.
inline std::size_t body_size(const reply& answer) noexcept {
  return answer.shared_body ? answer.shared_body->size() : answer.body.size();
}

/// Replaces `out` by the head. `common` is "Server: …\r\nDate: …\r\n".
void compose_head(const reply& answer, const reply_framing& framing, std::string_view common, std::string& out);

} // namespace dr::http
