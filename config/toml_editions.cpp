#include "config/toml_editions.hpp"

#include <sstream>

namespace dr {

std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return decimal_text(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  std::ostringstream out;
  if (const auto* day = node.as_date()) return out << day->get(), out.str();
  if (const auto* time = node.as_time()) return out << time->get(), out.str().substr(0, 5);
  if (const auto* instant = node.as_date_time()) return out << instant->get(), out.str();
  if (const auto* list = node.as_array()) {
    std::string all;
    for (const auto& element : *list) {
      const auto text = element.is_array() || element.is_table() ? std::nullopt : scalar_text(element);
      if (!text) return {};
      all += (all.empty() ? "" : ",") + *text;
    }
    return all;
  }
  return {};
}

void refuse_unknown(const toml::table& table, const std::vector<std::string>& known, const std::string& where,
                    error& wrong) {
  for (const auto& [key, node] : table) {
    const std::string name{key.str()};
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest_name(name, known, 4);
    wrong.fields.push_back({where + name, "is not known" + (near ? "; did you mean " + *near + "?" : std::string())});
  }
}

} // namespace dr
