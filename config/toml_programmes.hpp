// The [[programmes]] tables of a configuration file.
#pragma once

#include "domain/error.hpp"
#include "domain/programme.hpp"

#include <toml++/toml.h>

#include <vector>

namespace dr {

/// Reads dated editions; every wrong, unknown or missing field is named with its range. Fails: invalid.
result<std::vector<programme>> read_programmes(const toml::array& tables);

/// A TOML scalar as the text that a person would give in the environment; nothing for tables.
std::optional<std::string> scalar_text(const toml::node& node);

} // namespace dr
