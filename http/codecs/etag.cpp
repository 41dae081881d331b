#include "http/codecs/etag.hpp"

#include "http/codecs/numbers.hpp"
#include "http/codecs/text.hpp"

namespace dr::http {

namespace {

/// FNV-1a: tells representations apart, and keeps no secret.
std::uint64_t digest(std::string_view text) noexcept {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

/// Takes the next tag off the list: its text with quotes, and a weak tag without its "W/".
std::string_view next_tag(std::string_view& list) {
  const auto begin = list.find_first_not_of(" \t,");
  if (begin == std::string_view::npos) return list = {};
  list.remove_prefix(begin);
  if (list.starts_with("W/")) list.remove_prefix(2);
  const auto end = list.starts_with('"') ? list.find('"', 1) : std::string_view::npos;
  const auto tag = list.substr(0, end == std::string_view::npos ? list.find(',') : end + 1);
  list.remove_prefix(tag.size());
  return tag;
}

} // namespace

std::string make_etag(std::int64_t version, std::string_view derived) {
  auto tag = "\"" + std::to_string(version);
  if (!derived.empty()) {
    const auto hash = digest(derived);
    tag += "-" + to_hex({reinterpret_cast<const char*>(&hash), sizeof hash});
  }
  return tag + "\"";
}

bool none_match_hits(std::string_view header, std::string_view etag) {
  if (trimmed(header) == "*") return true;
  for (auto tag = next_tag(header); !tag.empty(); tag = next_tag(header))
    if (tag == etag) return true;
  return false;
}

result<std::optional<std::int64_t>> expected_version(std::string_view header) {
  const auto text = trimmed(header);
  if (text == "*") return std::optional<std::int64_t>{};
  auto rest = text;
  auto tag = next_tag(rest);
  if (!next_tag(rest).empty()) return invalid_field("If-Match", "must be one entity tag");
  const auto mismatch = fail(errc::version_conflict, "If-Match names no version of this resource; read it again.");
  if (text.starts_with("W/") || tag.size() < 3 || tag.front() != '"' || tag.back() != '"') return mismatch;
  tag = tag.substr(1, tag.size() - 2);
  const auto version = parse_digits(tag.substr(0, tag.find('-')));
  if (!version || *version < 1) return mismatch;
  return version;
}

} // namespace dr::http
