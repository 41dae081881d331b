// Checks JSON against the part of JSON Schema that docs/openapi.yaml uses.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace dr::test {

/// What is wrong with `value` under `schema`; empty when nothing is. `document` resolves "#/…" references. A keyword
/// that is not known here is an error too, so that no rule is passed over in silence.
std::vector<std::string> schema_errors(const nlohmann::json& document, const nlohmann::json& schema,
                                       const nlohmann::json& value, const std::string& at = "");
/// The target of a `$ref`, or the value itself.
const nlohmann::json& resolved(const nlohmann::json& document, const nlohmann::json& value);

} // namespace dr::test
