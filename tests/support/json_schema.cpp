#include "tests/support/json_schema.hpp"

#include <algorithm>
#include <regex>
#include <set>

namespace dr::test {

namespace {

using nlohmann::json;
using errors = std::vector<std::string>;

bool is_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "integer") return value.is_number_integer();
  return type == "number" && value.is_number();
}

bool has_type(const json& value, const json& types) {
  if (types.is_string()) return is_type(value, types);
  return std::any_of(types.begin(), types.end(), [&](const json& type) { return is_type(value, type); });
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void add(errors& to, errors more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void check_scalar(const json& schema, const json& value, const std::string& at, errors& out) {
  if (schema.contains("enum") && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    out.push_back(at + ": not one of the allowed values: " + value.dump());
  if (value.is_number()) {
    if (schema.contains("minimum") && value < schema["minimum"]) out.push_back(at + ": too small");
    if (schema.contains("maximum") && value > schema["maximum"]) out.push_back(at + ": too large");
  }
  if (!value.is_string()) return;
  const auto text = value.get<std::string>();
  if (schema.contains("minLength") && characters(text) < schema["minLength"]) out.push_back(at + ": too short");
  if (schema.contains("maxLength") && characters(text) > schema["maxLength"]) out.push_back(at + ": too long");
  if (schema.contains("pattern") && !std::regex_search(text, std::regex(schema["pattern"].get<std::string>())))
    out.push_back(at + ": does not match the pattern: " + text);
  static const std::regex instant(R"(^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$)");
  if (schema.value("format", "") == "date-time" && !std::regex_match(text, instant))
    out.push_back(at + ": no time: " + text);
}

void check_object(const json& document, const json& schema, const json& value, const std::string& at, errors& out) {
  for (const auto& name : schema.value("required", json::array()))
    if (!value.contains(name)) out.push_back(at + ": misses " + name.get<std::string>());
  const auto properties = schema.value("properties", json::object());
  const auto others = schema.value("additionalProperties", json(true));
  for (const auto& [name, member] : value.items()) {
    if (properties.contains(name))
      add(out, schema_errors(document, properties[name], member, at + "/" + name));
    else if (others.is_object())
      add(out, schema_errors(document, others, member, at + "/" + name));
    else if (others == false)
      out.push_back(at + ": has the undocumented field " + name);
  }
}

} // namespace

const json& resolved(const json& document, const json& value) {
  if (!value.is_object() || !value.contains("$ref")) return value;
  return document.at(json::json_pointer(value["$ref"].get<std::string>().substr(1)));
}

errors schema_errors(const json& document, const json& given, const json& value, const std::string& at) {
  static const std::set<std::string> known{"type",
                                           "enum",
                                           "minimum",
                                           "maximum",
                                           "minLength",
                                           "maxLength",
                                           "pattern",
                                           "format",
                                           "description",
                                           "examples",
                                           "properties",
                                           "required",
                                           "additionalProperties",
                                           "items",
                                           "default"};
  const auto& schema = resolved(document, given);
  errors out;
  for (const auto& keyword : schema.items())
    if (!known.contains(keyword.key())) out.push_back(at + ": unknown keyword " + keyword.key());
  if (schema.contains("type") && !has_type(value, schema["type"])) {
    out.push_back(at + ": is not " + schema["type"].dump() + ": " + value.dump().substr(0, 80));
    return out;
  }
  check_scalar(schema, value, at, out);
  if (value.is_object()) check_object(document, schema, value, at, out);
  if (value.is_array() && schema.contains("items"))
    for (std::size_t i = 0; i < value.size(); ++i)
      add(out, schema_errors(document, schema["items"], value[i], at + "/" + std::to_string(i)));
  return out;
}

} // namespace dr::test
