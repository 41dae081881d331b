// A table for the terminal that lines up with Korean text too.
#pragma once

#include <string>
#include <vector>

namespace dr::demo {

/// Columns that a UTF-8 text takes in a terminal: two for Hangul, other wide East Asian characters and emoji.
std::size_t display_width(const std::string& utf8);

/// The rows as text with aligned columns; the first row is the heading.
std::string render_table(const std::vector<std::vector<std::string>>& rows);

} // namespace dr::demo
