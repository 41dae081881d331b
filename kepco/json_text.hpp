// JSON with its numbers kept as the text they came in: KEPCO writes the same field as a string or as a bare number,
// and energy must not pass through a double.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

namespace dr::kepco {

/// Parses a whole document; every number becomes a string with its own digits. Nothing if it is not JSON in UTF-8, is
/// cut off, or nests deeper than `max_depth`.
std::optional<nlohmann::json> parse_json_text(std::string_view body, std::size_t max_depth = 8);

} // namespace dr::kepco
