#include "config/toml_file.hpp"

#include "config/data_dir.hpp"
#include "config/toml_baselines.hpp"
#include "config/toml_editions.hpp"
#include "config/toml_programmes.hpp"

namespace dr {

namespace {

constexpr std::size_t largest_file_bytes = 1024 * 1024;

void flatten(const toml::table& table, const std::string& prefix, std::vector<raw_value>& into) {
  for (const auto& [key, node] : table) {
    const auto name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      flatten(*inner, name + ".", into);
    } else if (name != "programmes" && name != "baselines") {
      into.push_back({name, scalar_text(node).value_or("{…}"), static_cast<int>(node.source().begin.line)});
    }
  }
}

/// The tables of this name, if the file has any. Fails: invalid.
template <class Edition>
result<std::optional<std::vector<Edition>>> tables_of(const toml::table& root, const std::string& name,
                                                      const std::filesystem::path& file,
                                                      result<std::vector<Edition>> (*read)(const toml::array&)) {
  const auto* node = root.get(name);
  if (!node) return std::optional<std::vector<Edition>>{};
  const auto* tables = node->as_array();
  if (!tables) return fail(errc::invalid, file.string() + ": " + name + " must be written as [[" + name + "]]");
  auto all = read(*tables);
  if (!all) return all.error();
  return std::optional(std::move(*all));
}

} // namespace

result<raw_file> read_toml_file(const std::filesystem::path& file) {
  auto text = read_small_file(file, largest_file_bytes);
  if (!text) return fail(errc::invalid, "configuration: " + text.error().detail);
  try {
    const auto root = toml::parse(*text, file.string());
    raw_file raw;
    flatten(root, "", raw.values);
    auto programmes = tables_of(root, "programmes", file, &read_programmes);
    if (!programmes) return programmes.error();
    auto baselines = tables_of(root, "baselines", file, &read_baselines);
    if (!baselines) return baselines.error();
    raw.programmes = std::move(*programmes);
    raw.baselines = std::move(*baselines);
    return raw;
  } catch (const toml::parse_error& wrong) {
    const auto at = wrong.source().begin;
    return fail(errc::invalid, file.string() + " line " + std::to_string(at.line) + ", column " +
                                   std::to_string(at.column) + ": " + std::string(wrong.description()));
  }
}

} // namespace dr
