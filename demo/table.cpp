#include "demo/table.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace dr::demo {
namespace {

/// The wide blocks of Unicode that names and messages of this product use (UAX #11, East Asian Width).
constexpr std::array<std::pair<char32_t, char32_t>, 7> wide_blocks{{{0x1100, 0x115F},
                                                                    {0x2E80, 0x303E},
                                                                    {0x3041, 0xA4CF},
                                                                    {0xAC00, 0xD7A3},
                                                                    {0xF900, 0xFAFF},
                                                                    {0xFF00, 0xFF60},
                                                                    {0x1F300, 0x1FAFF}}};

std::size_t columns_of(char32_t c) {
  const auto inside = [c](const auto& block) { return c >= block.first && c <= block.second; };
  return std::any_of(wide_blocks.begin(), wide_blocks.end(), inside) ? 2 : 1;
}

} // namespace

std::size_t display_width(const std::string& utf8) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<std::uint8_t>(utf8[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < utf8.size(); ++k)
      c = (c << 6) | (static_cast<std::uint8_t>(utf8[i + k]) & 0x3Fu);
    width += columns_of(c);
    i += length;
  }
  return width;
}

std::string render_table(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return {};
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  std::string out;
  const auto add_line = [&](const std::vector<std::string>& row) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      out += row[c];
      if (c + 1 < row.size()) out.append(widths[c] - display_width(row[c]) + 2, ' ');
    }
    out += '\n';
  };
  add_line(rows.front());
  std::vector<std::string> rule;
  rule.reserve(widths.size());
  for (const auto width : widths) rule.push_back(std::string(width, '-'));
  add_line(rule);
  for (std::size_t r = 1; r < rows.size(); ++r) add_line(rows[r]);
  return out;
}

} // namespace dr::demo
