// Decoding of request targets and look-ups in requests.
#include "http/server/request.hpp"

#include <boost/nowide/utf/utf.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>

namespace dr::http {

namespace urls = boost::urls;
namespace asio = boost::asio;

namespace {

constexpr std::array<std::string_view, 7> method_names{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
constexpr std::size_t max_query_parameters = 64;

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

error malformed(std::string detail) { return fail(errc::malformed, std::move(detail)); }

/// Appends the decoded text; fails when it is not UTF-8 or holds NUL. The escapes themselves were checked before.
result<void> append_decoded(urls::pct_string_view encoded, bool plus_is_blank, std::string& out) {
  const auto before = out.size();
  urls::encoding_opts rules;
  rules.space_as_plus = plus_is_blank;
  encoded.decode(rules, urls::string_token::append_to(out));
  const auto added = std::string_view(out).substr(before);
  if (added.find('\0') != added.npos) return malformed("the request target holds an encoded NUL");
  if (!valid_utf8(added)) return malformed("the request target is not valid UTF-8 once decoded");
  return {};
}

bool is_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Clients such as curl send UTF-8 typed by a person as it is; escape it, so that it means the same.
std::string escape_non_ascii(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80)
      out += c;
    else
      (((out += '%') += digits[byte >> 4U]) += digits[byte & 15U]);
  }
  return out;
}

} // namespace

std::string_view to_string(method verb) noexcept { return method_names[static_cast<std::size_t>(verb)]; }

std::optional<method> parse_method(std::string_view name) noexcept {
  for (std::size_t at = 0; at < method_names.size(); ++at)
    if (method_names[at] == name) return static_cast<method>(at);
  return std::nullopt;
}

bool valid_utf8(std::string_view text) noexcept {
  namespace utf = boost::nowide::utf;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (static_cast<unsigned char>(*at) < 0x80) {
      ++at;
      continue;
    }
    const auto point = utf::utf_traits<char>::decode(at, end);
    if (point == utf::illegal || point == utf::incomplete) return false;
  }
  return true;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (equal_ignoring_case(item, token)) return true;
  }
  return false;
}

std::optional<std::string_view> request_context::param(std::string_view name) const noexcept {
  for (std::size_t at = 0; at < param_count_; ++at)
    if (params_[at].name == name) return params_[at].value;
  return std::nullopt;
}

std::optional<std::string_view> request_context::header(std::string_view name) const noexcept {
  for (const auto& field : headers)
    if (equal_ignoring_case(field.name, name)) return field.value;
  return std::nullopt;
}

bool request_context::is_repeated(std::string_view name) const noexcept {
  return std::count_if(headers.begin(), headers.end(),
                       [&](const auto& field) { return equal_ignoring_case(field.name, name); }) > 1;
}

std::optional<std::string_view> request_context::query_value(std::string_view name) const noexcept {
  for (const auto& each : query)
    if (each.name == name) return each.value;
  return std::nullopt;
}

bool request_context::wants_websocket() const noexcept {
  const auto list = header("Connection");
  const auto protocol = header("Upgrade");
  return list && protocol && has_token(*list, "upgrade") && has_token(*protocol, "websocket");
}

asio::awaitable<result<std::optional<std::string>>> request_context::next_chunk() {
  if (stream) co_return co_await stream->next_chunk();
  std::optional<std::string> piece;
  if (!body_taken_ && !body.empty()) piece = body;
  body_taken_ = true;
  co_return piece;
}

bool request_context::set_param(std::string_view name, std::string_view value) noexcept {
  if (param_count_ == max_params) return false;
  params_[param_count_++] = {name, value};
  return true;
}

std::string_view request_context::tail(std::size_t first) const noexcept {
  if (first >= segment_count_) return {};
  const auto& last = segments_[segment_count_ - 1];
  const char* const begin = segments_[first].data();
  return {begin, static_cast<std::size_t>(last.data() + last.size() - begin)};
}

void request_context::reset() {
  verb = method::get;
  target = path = {};
  minor_version = 1;
  headers.clear();
  query.clear();
  body.clear();
  matched = nullptr;
  stream = nullptr;
  done_before_fault.clear();
  attached.reset();
  segment_count_ = param_count_ = 0;
  body_taken_ = false;
}

result<void> request_context::parse_target(std::string_view sent) {
  target = sent;
  path = sent.substr(0, sent.find('?')); // of a malformed one too: a query may hold a token, and the path is shown
  query.clear();
  segment_count_ = param_count_ = 0;
  if (sent == "*") return {};
  if (!is_ascii(sent)) {
    escaped_target_ = escape_non_ascii(sent);
    sent = escaped_target_;
  }
  const auto parsed = sent.starts_with('/') ? urls::parse_origin_form(sent) : urls::parse_uri(sent);
  if (!parsed) return malformed("the request target is not a valid URI reference");
  const auto encoded = parsed->encoded_path();
  if (!sent.starts_with('/')) { // in absolute form; to us it is the same as without scheme and host
    const auto from_root = parsed->encoded_target();
    target = from_root.empty() ? std::string_view("/") : std::string_view(from_root.data(), from_root.size());
  }
  if (!encoded.empty() && !encoded.starts_with('/')) return malformed("the path of the request target has no root");
  path = encoded.empty() ? std::string_view("/") : std::string_view(encoded.data(), encoded.size());
  if (auto split = split_path(path); !split) return split;
  if (!parsed->has_query()) return {};
  for (const auto& each : parsed->encoded_params()) {
    if (each.key.empty() && !each.has_value) continue; // "?" or "&&"
    if (query.size() == max_query_parameters) return malformed("there are too many query parameters");
    auto& added = query.emplace_back();
    if (auto name = append_decoded(each.key, true, added.name); !name) return name;
    if (auto value = append_decoded(each.value, true, added.value); !value) return value;
  }
  return {};
}

result<void> request_context::split_path(std::string_view encoded) {
  auto rest = encoded.substr(1);
  if (rest.empty()) return {};
  // Decoding makes text shorter, never longer: the views stay valid while the text grows.
  const bool plain = encoded.find('%') == encoded.npos;
  decoded_path_.clear();
  if (!plain) decoded_path_.reserve(encoded.size());
  for (;;) {
    // The last place takes the rest of a path that is too deep; no pattern is that deep, but "{rest*}" still works.
    const auto slash = segment_count_ + 1 == max_segments ? rest.npos : rest.find('/');
    auto segment = rest.substr(0, slash);
    if (!plain) {
      const auto before = decoded_path_.size();
      if (auto done = append_decoded(urls::pct_string_view(segment), false, decoded_path_); !done) return done;
      segment = std::string_view(decoded_path_).substr(before);
      decoded_path_ += '/';
    }
    segments_[segment_count_++] = segment;
    if (slash == rest.npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

} // namespace dr::http
