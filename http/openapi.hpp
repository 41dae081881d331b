// docs/openapi.yaml, compiled in.
#pragma once

#include <string_view>

namespace dr::http {

extern const std::string_view openapi_yaml;

} // namespace dr::http
