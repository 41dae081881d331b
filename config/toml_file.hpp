// Reads a configuration file into raw values; what they mean and whether they are right is decided by the table of
// settings.
#pragma once

#include "domain/error.hpp"
#include "domain/programme.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dr {

/// A value as written, flattened: "http.io_threads" → "2". Lists are joined by commas.
struct raw_value {
  std::string key;
  std::string text;
  int line = 0;
};

struct raw_file {
  std::vector<raw_value> values;                          ///< in the order of the file's keys
  std::optional<std::vector<programme>> programmes;       ///< present when the file has [[programmes]]
  std::optional<std::vector<baseline_edition>> baselines; ///< present when the file has [[baselines]]
};

/// Fails: invalid; syntax errors name line and column, wrong tables their field and range.
result<raw_file> read_toml_file(const std::filesystem::path& file);

} // namespace dr
