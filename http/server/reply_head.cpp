#include "http/server/reply_head.hpp"

#include <array>
#include <charconv>

namespace dr::http {

namespace {

struct named_status {
  unsigned status;
  std::string_view reason;
};

constexpr std::array<named_status, 33> reasons{{{200, "OK"},
                                                {201, "Created"},
                                                {202, "Accepted"},
                                                {204, "No Content"},
                                                {206, "Partial Content"},
                                                {301, "Moved Permanently"},
                                                {302, "Found"},
                                                {303, "See Other"},
                                                {304, "Not Modified"},
                                                {307, "Temporary Redirect"},
                                                {308, "Permanent Redirect"},
                                                {400, "Bad Request"},
                                                {401, "Unauthorized"},
                                                {403, "Forbidden"},
                                                {404, "Not Found"},
                                                {405, "Method Not Allowed"},
                                                {406, "Not Acceptable"},
                                                {408, "Request Timeout"},
                                                {409, "Conflict"},
                                                {411, "Length Required"},
                                                {412, "Precondition Failed"},
                                                {413, "Content Too Large"},
                                                {414, "URI Too Long"},
                                                {415, "Unsupported Media Type"},
                                                {417, "Expectation Failed"},
                                                {422, "Unprocessable Content"},
                                                {426, "Upgrade Required"},
                                                {429, "Too Many Requests"},
                                                {431, "Request Header Fields Too Large"},
                                                {500, "Internal Server Error"},
                                                {501, "Not Implemented"},
                                                {503, "Service Unavailable"},
                                                {505, "HTTP Version Not Supported"}}};

void append_number(std::string& out, std::size_t value) {
  std::array<char, 20> digits; // NOLINT(cppcoreguidelines-pro-type-member-init): written by to_chars
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

bool is_safe(std::string_view text) noexcept { return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos; }

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!is_safe(name) || !is_safe(value)) return; // never let a value start a field of its own
  out.append(name).append(": ").append(value).append("\r\n");
}

} // namespace

std::string_view reason_phrase(unsigned status) noexcept {
  for (const auto& each : reasons)
    if (each.status == status) return each.reason;
  return "Unknown";
}

void compose_head(const reply& answer, const reply_framing& framing, std::string_view common, std::string& out) {
  out.assign("HTTP/1.1 ");
  append_number(out, answer.status);
  out.append(" ").append(reason_phrase(answer.status)).append("\r\n").append(common);
  if (!answer.content_type.empty()) append_field(out, "Content-Type", answer.content_type);
  if (framing.chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (!framing.until_close && !has_no_body(answer.status) && !answer.chunks) {
    out.append("Content-Length: ");
    append_number(out, body_size(answer));
    out.append("\r\n");
  }
  if (!framing.keep)
    out.append("Connection: close\r\n");
  else if (framing.minor_version == 0)
    out.append("Connection: keep-alive\r\n");
  for (const auto& [name, value] : answer.headers) append_field(out, name, value);
  out.append("\r\n");
}

} // namespace dr::http
