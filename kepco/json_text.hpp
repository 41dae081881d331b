// JSON with its numbers kept as the text they came in: KEPCO writes the same field as a string or as a bare number,
// and energy must not pass through a double. A document is one flat list of values, so that the hundred fields of a
// day cost one allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dr::kepco {

/// A value of a document, followed by what it holds.
struct json_text {
  enum class kind : std::uint8_t { null, boolean, text, object, array };

  kind what = kind::null;
  std::uint32_t size = 1; ///< values: this one and all within it
  std::string_view name;  ///< of an object's field
  std::string_view text;  ///< of a string, without its escapes, or of a number

  bool is(kind one) const noexcept { return what == one; }
  /// An object's field, or nullptr; of a repeated name the last one counts.
  const json_text* find(std::string_view field) const noexcept;

  /// Goes through the fields or elements of an object or array.
  class iterator {
  public:
    explicit iterator(const json_text* at) noexcept : at_(at) {}
    const json_text& operator*() const noexcept { return *at_; }
    iterator& operator++() noexcept {
      at_ += at_->size;
      return *this;
    }
    bool operator==(const iterator&) const noexcept = default;

  private:
    const json_text* at_;
  };
  iterator begin() const noexcept { return iterator(this + 1); }
  iterator end() const noexcept { return iterator(this + size); }
};

/// Its values stay where they are when it is moved.
struct json_document {
  std::vector<json_text> values;            ///< the first one is the root
  std::forward_list<std::string> unescaped; ///< texts that are not in the body as they are

  const json_text& root() const noexcept { return values.front(); }
};

/// Parses a whole document, perhaps behind a byte order mark, which then refers to `body`. Nothing if it is not JSON in
/// UTF-8, is cut off, or nests deeper than `max_depth`.
std::optional<json_document> parse_json_text(std::string_view body, std::size_t max_depth = 8);

} // namespace dr::kepco
