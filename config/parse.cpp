#include "config/parse.hpp"

#include <boost/url.hpp>

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cmath>

namespace dr {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

template <class Number> std::optional<Number> whole_text(std::string_view text) {
  Number value{};
  const auto [rest, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || rest != text.data() + text.size()) return {};
  return value;
}

} // namespace

std::optional<std::int64_t> parse_whole(std::string_view text) { return whole_text<std::int64_t>(text); }

std::optional<double> parse_decimal(std::string_view text) {
  auto value = whole_text<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<bool> parse_switch(std::string_view text) {
  if (text == "true" || text == "on" || text == "yes" || text == "1") return true;
  if (text == "false" || text == "off" || text == "no" || text == "0") return false;
  return {};
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (const auto word = trimmed(part); !word.empty()) parts.emplace_back(word);
  }
  return parts;
}

bool is_network(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = text.substr(0, slash);
  std::array<unsigned char, 16> bytes{};
  std::int64_t widest = 0;
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1)
    widest = 32;
  else if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1)
    widest = 128;
  else
    return false;
  if (slash == std::string::npos) return true;
  const auto prefix = parse_whole(std::string_view(text).substr(slash + 1));
  return prefix && *prefix >= 0 && *prefix <= widest;
}

bool is_origin(const std::string& text) {
  const auto url = boost::urls::parse_uri(text);
  return url && (url->scheme() == "http" || url->scheme() == "https") && !url->encoded_host().empty() &&
         url->encoded_path().empty() && !url->has_query() && !url->has_fragment() && !url->has_userinfo();
}

std::optional<std::string> parse_base_url(std::string_view text, std::string& host) {
  const auto url = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
  if (!url || (url->scheme() != "http" && url->scheme() != "https") || url->encoded_host().empty() ||
      url->has_query() || url->has_fragment() || url->has_userinfo())
    return {};
  host = url->host_address();
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

std::string decimal_text(double value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general).ptr;
  return {buffer.data(), end};
}

} // namespace dr
