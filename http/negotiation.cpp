#include "http/negotiation.hpp"

#include "http/codecs/text.hpp"

#include <algorithm>
#include <charconv>

namespace dr::http {

namespace {

/// "0.5" → 500; what is not a weight counts as 1.
int weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto end = parameters.find(';');
    const auto part = trimmed(parameters.substr(0, end));
    parameters = end == std::string_view::npos ? std::string_view{} : parameters.substr(end + 1);
    if (part.size() < 3 || (part[0] != 'q' && part[0] != 'Q') || part[1] != '=') continue;
    double q = 1;
    std::from_chars(part.data() + 2, part.data() + part.size(), q);
    return static_cast<int>(std::clamp(q, 0.0, 1.0) * 1000);
  }
  return 1000;
}

/// How exactly a media range names the type: 3 itself, 2 its family, 1 everything, 0 not at all.
int precision(std::string_view range, std::string_view media_type) {
  if (range == "*/*") return 1;
  if (equal_ignoring_case(range, media_type)) return 3;
  if (!range.ends_with("/*")) return 0;
  return equal_ignoring_case(range.substr(0, range.size() - 1), media_type.substr(0, range.size() - 1)) ? 2 : 0;
}

std::string_view bare(std::string_view media_type) { return trimmed(media_type.substr(0, media_type.find(';'))); }

} // namespace

int acceptance(const request_context& request, std::string_view media_type) {
  bool any = false;
  int best = 0;
  int weight = 0;
  for (const auto& field : request.headers) {
    if (!equal_ignoring_case(field.name, "Accept")) continue;
    any = true;
    for (auto rest = field.value; !rest.empty();) {
      const auto end = rest.find(',');
      const auto range = trimmed(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      const auto exact = precision(bare(range), bare(media_type));
      const auto semicolon = range.find(';');
      const auto q = semicolon == std::string_view::npos ? 1000 : weight_of(range.substr(semicolon + 1));
      if (exact > best || (exact == best && exact > 0 && q > weight)) {
        best = exact;
        weight = q;
      }
    }
  }
  return any ? weight : 1000;
}

bool has_content_type(const request_context& request, std::span<const std::string_view> media_types) {
  const auto given = request.header("Content-Type");
  if (!given || trimmed(*given).empty()) return true;
  return std::any_of(media_types.begin(), media_types.end(),
                     [&](std::string_view type) { return equal_ignoring_case(bare(*given), type); });
}

bool has_utf8_charset(const request_context& request) {
  auto rest = request.header("Content-Type").value_or("");
  for (auto end = rest.find(';'); end != std::string_view::npos; end = rest.find(';')) {
    rest.remove_prefix(end + 1);
    const auto parameter = trimmed(rest.substr(0, rest.find(';')));
    const auto equals = std::min(parameter.find('='), parameter.size());
    if (!equal_ignoring_case(trimmed(parameter.substr(0, equals)), "charset")) continue;
    auto value = trimmed(parameter.substr(std::min(equals + 1, parameter.size())));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    constexpr std::string_view fine[] = {"utf-8", "utf8", "us-ascii"};
    return std::any_of(std::begin(fine), std::end(fine), [&](auto name) { return equal_ignoring_case(value, name); });
  }
  return true;
}

bool is_compressed(const request_context& request) {
  const auto coding = trimmed(request.header("Content-Encoding").value_or(""));
  return !coding.empty() && !equal_ignoring_case(coding, "identity");
}

} // namespace dr::http
