// Loading: defaults < file < environment DR_* < flags; a wrong value is refused with its name, value and range.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dr {

/// Where settings come from. Keys of `environment` are variable names, of `flags` setting keys ("http.address").
struct settings_sources {
  std::optional<std::filesystem::path> file; ///< given: must exist
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> flags;
};

struct loaded_settings {
  dr::settings settings;
  std::vector<std::string> warnings; ///< for the log, once it is there
};

/// The DR_* variables of this process.
std::map<std::string, std::string> process_environment();

/// Loads and checks everything; an empty variable counts as absent. A KEPCO address that is not on this machine brings
/// the safe defaults (metering.lag_minutes 60, metering.ask_early and users.assign_cust_no off) unless these are set at
/// least as high up as the address. Paths come out absolute; a relative holidays_file in the file is relative to that.
/// Fails: invalid; `fields` has one entry per wrong setting, `detail` all of them, one a line.
result<loaded_settings> load_settings(const settings_sources& sources);

/// The effective configuration, one `key = value` a line, secrets masked.
std::string describe(const settings& s);

} // namespace dr
