// The [[programmes]] tables of a configuration file.
#pragma once

#include "domain/error.hpp"
#include "domain/programme.hpp"

#include <toml++/toml.h>

#include <vector>

namespace dr {

/// Reads dated editions; every wrong, unknown or missing field is named with its range. Fails: invalid.
result<std::vector<programme>> read_programmes(const toml::array& tables);

} // namespace dr
