#include "kepco/json_text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp> // the rest of the library: this is its one place

#include <functional>
#include <utility>

namespace dr::kepco {

namespace {

namespace json = boost::json;
using kind = json_text::kind;

/// Lays the parser's events down as a document. Names follow the library's contract.
class builder {
public:
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;
  using error = json::error_code;

  builder(std::string_view body, json_document& into) : body_(body), into_(into) {}

  bool on_document_begin(error&) { return true; }
  bool on_document_end(error&) { return true; }
  bool on_object_begin(error&) { return open(kind::object); }
  bool on_object_end(std::size_t, error&) { return close(); }
  bool on_array_begin(error&) { return open(kind::array); }
  bool on_array_end(std::size_t, error&) { return close(); }
  bool on_key_part(json::string_view piece, std::size_t, error&) { return gather(piece); }
  bool on_key(json::string_view piece, std::size_t, error&) {
    name_ = whole(piece);
    return true;
  }
  bool on_string_part(json::string_view piece, std::size_t, error&) { return gather(piece); }
  bool on_string(json::string_view piece, std::size_t, error&) { return put(kind::text, whole(piece)); }
  bool on_number_part(json::string_view piece, error&) { return gather(piece); }
  bool on_int64(std::int64_t, json::string_view piece, error&) { return put(kind::text, whole(piece)); }
  bool on_uint64(std::uint64_t, json::string_view piece, error&) { return put(kind::text, whole(piece)); }
  bool on_double(double, json::string_view piece, error&) { return put(kind::text, whole(piece)); }
  bool on_bool(bool, error&) { return put(kind::boolean, {}); }
  bool on_null(error&) { return put(kind::null, {}); }
  bool on_comment_part(json::string_view, error&) { return true; }
  bool on_comment(json::string_view, error&) { return true; }

private:
  bool gather(std::string_view piece) {
    parts_ += piece;
    return true;
  }
  /// The text that ends with this piece: where it lies in the body, or kept by the document.
  std::string_view whole(std::string_view piece) {
    const std::less_equal<const char*> before;
    const bool in_body = before(body_.data(), piece.data()) && before(piece.data(), body_.data() + body_.size());
    if (parts_.empty() && in_body) return piece;
    parts_ += piece;
    return into_.unescaped.emplace_front(std::exchange(parts_, {}));
  }
  bool put(kind what, std::string_view text) {
    into_.values.push_back({what, 1, std::exchange(name_, {}), text});
    return true;
  }
  bool open(kind what) {
    open_.push_back(into_.values.size());
    return put(what, {});
  }
  bool close() {
    auto& closed = into_.values[open_.back()];
    closed.size = static_cast<std::uint32_t>(into_.values.size() - open_.back());
    open_.pop_back();
    return true;
  }

  std::string_view body_;
  json_document& into_;
  std::string_view name_;
  std::string parts_;
  std::vector<std::size_t> open_;
};

} // namespace

const json_text* json_text::find(std::string_view field) const noexcept {
  const json_text* found = nullptr;
  for (const auto& one : *this)
    if (one.name == field) found = &one;
  return found;
}

std::optional<json_document> parse_json_text(std::string_view body, std::size_t max_depth) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (body.starts_with(byte_order_mark)) body.remove_prefix(byte_order_mark.size());
  json_document out;
  out.values.reserve(128); // a meter's day
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<builder> parser(options, body, out);
  json::error_code failed;
  const auto read = parser.write_some(false, body.data(), body.size(), failed);
  if (failed || read != body.size() || out.values.empty()) return std::nullopt;
  return out;
}

} // namespace dr::kepco
