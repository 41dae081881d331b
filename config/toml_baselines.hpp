// The [[baselines]] tables of a configuration file.
#pragma once

#include "domain/baseline_rules.hpp"
#include "domain/error.hpp"

#include <toml++/toml.h>

#include <vector>

namespace dr {

/// Reads dated editions; every wrong, unknown or missing field is named with its range. Fails: invalid.
result<std::vector<baseline_edition>> read_baselines(const toml::array& tables);

} // namespace dr
