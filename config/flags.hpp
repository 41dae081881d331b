// The flags of a program: one per setting, and --config.
#pragma once

#include "config/load.hpp"

namespace CLI {
class App;
}

namespace dr {

/// Adds --config FILE and one flag per setting to a command line; parsing it fills `into.file` and `into.flags`.
/// `into` must outlive the parsing. Without --config the variable DR_CONFIG names the file.
void add_setting_flags(CLI::App& app, settings_sources& into);

/// Exit code of a program whose configuration is refused (EX_CONFIG): starting it again does not help.
inline constexpr int exit_configuration_refused = 78;
/// Exit code of a server whose writer lease another server took over: starting it again would only take it back.
inline constexpr int exit_lease_lost = 75;

} // namespace dr
