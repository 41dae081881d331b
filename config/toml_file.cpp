#include "config/toml_file.hpp"

#include "config/data_dir.hpp"
#include "config/toml_programmes.hpp"

namespace dr {

namespace {

constexpr std::size_t largest_file_bytes = 1024 * 1024;

void flatten(const toml::table& table, const std::string& prefix, std::vector<raw_value>& into) {
  for (const auto& [key, node] : table) {
    const auto name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      flatten(*inner, name + ".", into);
    } else if (name != "programmes") {
      into.push_back({name, scalar_text(node).value_or("{…}"), static_cast<int>(node.source().begin.line)});
    }
  }
}

} // namespace

result<raw_file> read_toml_file(const std::filesystem::path& file) {
  auto text = read_small_file(file, largest_file_bytes);
  if (!text) return fail(errc::invalid, "configuration: " + text.error().detail);
  try {
    const auto root = toml::parse(*text, file.string());
    raw_file raw;
    flatten(root, "", raw.values);
    if (const auto* node = root.get("programmes")) {
      const auto* tables = node->as_array();
      if (!tables) return fail(errc::invalid, file.string() + ": programmes must be written as [[programmes]]");
      auto programmes = read_programmes(*tables);
      if (!programmes) return programmes.error();
      raw.programmes = std::move(*programmes);
    }
    return raw;
  } catch (const toml::parse_error& wrong) {
    const auto at = wrong.source().begin;
    return fail(errc::invalid, file.string() + " line " + std::to_string(at.line) + ", column " +
                                   std::to_string(at.column) + ": " + std::string(wrong.description()));
  }
}

} // namespace dr
