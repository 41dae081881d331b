#include "http/server/request_reader.hpp"

#include <algorithm>

namespace dr::http {

namespace bhttp = boost::beast::http;

namespace {
constexpr std::size_t request_line_slack = 64; // method, version and blanks
constexpr std::size_t first_reserve = 64 * 1024;
} // namespace

request_reader::request_reader(const server_options& options, request_memory& memory)
    : options_(options), memory_(memory) {
  memory_.clear();
  // The parser's limit holds for what it keeps unparsed; ours below are exact.
  header_limit(static_cast<std::uint32_t>(options.max_target_bytes + options.max_header_bytes + request_line_slack));
  body_limit(boost::none);
}

void request_reader::on_request_impl(verb, string_view name, string_view target, int version, error_code& ec) {
  line_done_ = true;
  version_ = version;
  if (target.size() > options_.max_target_bytes) {
    target_size_ = static_cast<std::uint32_t>(target.size());
    ec = bhttp::error::header_limit;
    return;
  }
  memory_.text.append(name.data(), name.size());
  memory_.text.append(target.data(), target.size());
  method_size_ = static_cast<std::uint32_t>(name.size());
  target_size_ = static_cast<std::uint32_t>(target.size());
}

void request_reader::on_field_impl(field name, string_view text, string_view value, error_code& ec) {
  header_size_ += text.size() + value.size() + 4;
  if (header_size_ > options_.max_header_bytes) {
    ec = bhttp::error::header_limit;
    return;
  }
  if (header_done_) return; // trailers are read and dropped
  const std::string_view sent(value.data(), value.size());
  if (name == field::host) ++hosts_;
  if (name == field::transfer_encoding && !equal_ignoring_case(sent, "chunked")) coded_ = true;
  if (name == field::expect) (equal_ignoring_case(sent, "100-continue") ? expects_continue_ : expects_other_) = true;
  const auto at = static_cast<std::uint32_t>(memory_.text.size());
  memory_.text.append(text.data(), text.size()).append(value.data(), value.size());
  memory_.fields.push_back({at, static_cast<std::uint32_t>(text.size()), at + static_cast<std::uint32_t>(text.size()),
                            static_cast<std::uint32_t>(value.size())});
}

void request_reader::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) {
  body_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(length.value_or(0), first_reserve)));
}

std::size_t request_reader::on_body_impl(string_view piece, error_code& ec) {
  body_size_ += piece.size();
  if (body_size_ > body_limit_) {
    ec = bhttp::error::body_limit;
    return 0;
  }
  body_.append(piece.data(), piece.size());
  return piece.size();
}

std::size_t request_reader::on_chunk_body_impl(std::uint64_t, string_view piece, error_code& ec) {
  return on_body_impl(piece, ec);
}

fault request_reader::check_framing() const {
  if (coded_) return {501, "Transfer-Encoding may only be chunked"};
  if (chunked() && version_ < 11) return {400, "HTTP/1.0 has no Transfer-Encoding"};
  if (version_ >= 11 && hosts_ == 0) return {400, "the Host header field is missing"};
  if (hosts_ > 1) return {400, "there is more than one Host header field"};
  if (expects_other_) return {417, "Expect may only be 100-continue"};
  return {};
}

fault request_reader::describe(request_context& request) const {
  const std::string_view text = memory_.text;
  request.target = text.substr(method_size_, target_size_);
  request.minor_version = version_ >= 11 ? 1 : 0;
  request.headers.reserve(memory_.fields.size());
  for (const auto& at : memory_.fields)
    request.headers.push_back({text.substr(at.name_at, at.name_size), text.substr(at.value_at, at.value_size)});
  if (const auto wrong = check_framing()) return wrong;
  const auto known = dr::http::parse_method(text.substr(0, method_size_));
  if (!known) return {501, "the method is not implemented"};
  request.verb = *known;
  return {};
}

std::string request_reader::head_so_far() const {
  std::string head;
  if (!line_done_) return head; // the line is consumed as a whole
  const std::string_view text = memory_.text;
  head.append(text.substr(0, method_size_)).append(" ").append(text.substr(method_size_, target_size_));
  head.append(version_ >= 11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  for (const auto& at : memory_.fields) {
    head.append(text.substr(at.name_at, at.name_size)).append(": ");
    head.append(text.substr(at.value_at, at.value_size)).append("\r\n");
  }
  return head;
}

fault request_reader::explain(const error_code& why) const {
  if (why == bhttp::error::header_limit) {
    const bool in_target = !line_done_ || target_size_ > options_.max_target_bytes;
    return in_target ? fault{414, "the request target is too long"} : fault{431, "the header fields are too large"};
  }
  if (why == bhttp::error::body_limit) return {413, "the body is larger than this resource takes"};
  if (why == bhttp::error::bad_version) return {505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  if (why == bhttp::error::bad_content_length || why == bhttp::error::multiple_content_length)
    return {400, "Content-Length is malformed or contradictory"};
  if (why == bhttp::error::bad_transfer_encoding) return {400, "Transfer-Encoding is malformed or contradictory"};
  if (header_done_) return {400, "the chunked body is malformed"};
  return {400, "the request is not well-formed HTTP"};
}

} // namespace dr::http
