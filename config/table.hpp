// The one table of settings: it drives the file's keys, the environment's names, the flags, the ranges and the
// messages.
#pragma once

#include "config/settings.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dr {

/// One setting. `set` takes the value as text (a list's elements separated by commas) and changes nothing when it
/// fails.
struct setting_row {
  std::string key;     ///< as in the file: "http.io_threads"
  std::string help;    ///< one line
  std::string range;   ///< what is allowed, to follow "must be "
  bool hidden = false; ///< a secret: its value is never shown
  std::function<bool(settings&, const std::string&)> set{};
  std::function<std::string(const settings&)> get{}; ///< as `set` takes it; for a secret only whether it is there

  /// "DR_HTTP_IO_THREADS".
  std::string environment_name() const;
  /// "--http-io-threads".
  std::string flag() const;
};

/// Every scalar and list setting, in the order of the shipped file. The dated tables of programmes and baselines
/// are not in it.
const std::vector<setting_row>& setting_table();

/// Nothing if there is no such key.
const setting_row* find_setting(std::string_view key);

/// The known name that is nearest by spelling; nothing when none is near (at most `distance` edits).
std::optional<std::string> nearest_name(std::string_view wrong, const std::vector<std::string>& known, int distance);

/// Reads "127.0.0.1:8080", "[::1]:8080" or "localhost:8080". Names other than localhost are not looked up.
std::optional<endpoint> parse_endpoint(std::string_view text);

} // namespace dr
