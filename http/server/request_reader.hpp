// Reads one request out of raw bytes: Beast's parser, writing into memory that the connection keeps and reuses.
#pragma once

#include "http/server/options.hpp"
#include "http/server/request.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace dr::http {

/// Why a request cannot be served: the status and what to tell the client.
struct fault {
  unsigned status = 0; ///< 0: none
  std::string_view detail;
  explicit operator bool() const noexcept { return status != 0; }
};

/// Memory that outlives one request and is reused by the next on the same connection.
struct request_memory {
  struct span {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  std::string text;         ///< method, target and header fields, one after the other
  std::vector<span> fields; ///< where they are in `text`
  void clear() {
    text.clear();
    fields.clear();
  }
};

/// One request. Deriving from basic_parser instead of using Beast's message types spares an allocation per field.
class request_reader : public boost::beast::http::basic_parser<true> {
public:
  request_reader(const server_options& options, request_memory& memory);

  /// Fills verb, target, version and headers; call it once the header is done. A fault means it cannot be served.
  fault describe(request_context& request) const;
  /// What a failed put() means.
  fault explain(const boost::system::error_code& why) const;
  /// What has been consumed of a header that is not done yet, as HTTP again.
  std::string head_so_far() const;
  /// Sets the most bytes the body may have.
  void limit_body(std::size_t most) noexcept { body_limit_ = most; }
  /// True when the announced length is over the limit already.
  bool announces_too_much() const { return content_length().value_or(0) > body_limit_; }
  /// True when a length was announced that is within the limit.
  bool announces_little() const { return content_length().value_or(body_limit_ + 1) <= body_limit_; }
  /// The body so far; streaming takes it away piece by piece.
  std::string& body() noexcept { return body_; }
  /// Can it be told where the next request begins? Not behind a transfer coding that we do not speak.
  bool end_is_known() const { return is_done() && !coded_; }
  /// The client waits for "100 Continue".
  bool expects_continue() const noexcept { return expects_continue_; }

private:
  using string_view = boost::beast::string_view;
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;
  using error_code = boost::system::error_code;

  void on_request_impl(verb, string_view method, string_view target, int version, error_code& ec) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(field name, string_view text, string_view value, error_code& ec) override;
  void on_header_impl(error_code&) override { header_done_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override;
  std::size_t on_body_impl(string_view piece, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code& ec) override;
  void on_finish_impl(error_code&) override {}
  fault check_framing() const;

  const server_options& options_;
  request_memory& memory_;
  std::string body_;
  std::size_t body_limit_ = std::numeric_limits<std::size_t>::max();
  std::uint64_t body_size_ = 0;
  std::size_t header_size_ = 0;
  std::uint32_t method_size_ = 0;
  std::uint32_t target_size_ = 0;
  unsigned hosts_ = 0;
  int version_ = 11;
  bool line_done_ = false;
  bool header_done_ = false;
  bool expects_continue_ = false;
  bool expects_other_ = false;
  bool coded_ = false; // some transfer coding but plain chunked
};

} // namespace dr::http
