// Reads JSON from strangers: bounded in depth and breadth, without repeated names, numbers kept as they were written.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dr::http {

struct json_member;

/// A JSON value. Numbers keep their text, so that no decimal is rounded on its way.
struct json_value {
  enum class kind : unsigned char { null, boolean, number, string, array, object };
  kind type = kind::null;
  bool truth = false;
  std::string text; ///< of a string, or of a number as written
  std::vector<json_value> items;
  std::vector<json_member> members;

  bool is(kind wanted) const noexcept { return type == wanted; }
  /// The member of that name, or null.
  const json_value* find(std::string_view name) const noexcept;
};

struct json_member {
  std::string name;
  json_value value;
};

inline constexpr std::size_t max_json_depth = 16;
inline constexpr std::size_t max_json_members = 256; ///< of one object or array

/// Fails with `malformed` and the place: not JSON, not UTF-8, too deep, too broad, a repeated name.
result<json_value> parse_json(std::string_view text);
/// The same, and the value must be an object.
result<json_value> parse_json_object(std::string_view text);

} // namespace dr::http
