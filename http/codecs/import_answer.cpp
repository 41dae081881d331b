#include "http/codecs/import_answer.hpp"

#include "http/codecs/json_writer.hpp"

#include <nlohmann/json.hpp>

namespace dr::http {

std::string to_json(const storage::imported& what) {
  std::string text;
  json_writer out(text);
  out.begin_object().field("created", what.created).field("updated", what.updated).key("errors").begin_array();
  for (const auto& e : what.errors)
    out.begin_object().field("line", e.line).field("field", e.field).field("detail", e.detail).end_object();
  out.end_array().end_object();
  return text;
}

result<storage::imported> parse_imported(std::string_view json) {
  try {
    const auto read = nlohmann::json::parse(json);
    storage::imported made;
    made.created = read.at("created").get<std::int64_t>();
    made.updated = read.at("updated").get<std::int64_t>();
    for (const auto& e : read.at("errors"))
      made.errors.push_back(
          {e.at("line").get<int>(), e.at("field").get<std::string>(), e.at("detail").get<std::string>()});
    return made;
  } catch (const nlohmann::json::exception&) {
    return fail(errc::invalid, "a kept import answer cannot be read");
  }
}

std::string fingerprint(const std::vector<storage::import_row>& rows) {
  std::string text;
  json_writer out(text);
  out.begin_array();
  for (const auto& row : rows) {
    out.value(row.line).value(row.name).value(row.capacity_w).value(row.cust_no).value(row.opening_points);
    out.value(row.method ? static_cast<int>(*row.method) : 0).value(row.saa ? 1 + static_cast<int>(*row.saa) : 0);
  }
  out.end_array();
  return text;
}

} // namespace dr::http
