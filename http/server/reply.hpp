// What a handler answers: a status, header fields, and a body that is at hand or made chunk by chunk.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dr::http {

/// Makes the next piece of a streamed body; nothing ends it. It is asked again only when the piece before was written
/// (backpressure), and no more after the client has gone. Throwing cuts the connection, so that the client sees that
/// the body is incomplete. It may refer to the request_context, which lives until the answer has been sent.
using chunk_source = std::function<boost::asio::awaitable<std::optional<std::string>>()>;

/// One answer. Content-Length or Transfer-Encoding, Date, Server and Connection are added by the server; the body is
/// left out for HEAD, 204 and 304. Exactly one of `body`, `shared_body` and `chunks` is used: `chunks` if set, else
/// `shared_body` if set, else `body`.
struct reply {
  unsigned status = 200;    ///< 200–599
  std::string content_type; ///< empty: no Content-Type
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers; ///< further fields; one with CR or LF inside is left out
  std::shared_ptr<const std::string> shared_body;           ///< for content that many answers share, without a copy
  chunk_source chunks;
  bool close = false; ///< true: the connection is closed after this answer

  /// Adds a header field and returns the reply, for chaining.
  reply& with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

/// A reply with a status, a content type and a body.
inline reply make_reply(unsigned status, std::string content_type = {}, std::string body = {}) {
  reply made;
  made.status = status;
  made.content_type = std::move(content_type);
  made.body = std::move(body);
  return made;
}

/// A reply whose body is made chunk by chunk.
inline reply make_streamed_reply(unsigned status, std::string content_type, chunk_source chunks) {
  reply made;
  made.status = status;
  made.content_type = std::move(content_type);
  made.chunks = std::move(chunks);
  return made;
}

/// The reason phrase of a status, or "Unknown".
std::string_view reason_phrase(unsigned status) noexcept;

} // namespace dr::http
