// The subcommands of `drplatform` that do not serve.
#pragma once

#include "config/load.hpp"

#include <string>
#include <vector>

namespace dr {

/// Starts simulator and server under the launcher, which keeps the socket. `arguments` are passed on to `serve`;
/// `from` is where the settings come from: the simulator has its own from there too.
int up(const settings& s, const settings_sources& from, const std::vector<std::string>& arguments, bool with_simulator);
/// Has the server that `up` runs on the data folder replaced by this program, without losing a request. Silent when
/// none runs if `only_if_running`. Returns the exit code, see restart_server().
int restart(const settings& s, bool only_if_running);
/// Brings the schema up to date and says what was applied.
int migrate(const settings& s);

/// Prints all settings, secrets masked, and on stderr what is doubtful about them; or what the scripts must know: the
/// data folder and the database's address, a line each.
int show_configuration(const loaded_settings& loaded, bool for_scripts);
/// Shows where the admin token is; with `rotate` makes a new one, which a running server takes over at its next start.
int admin_token(const settings& s, bool rotate);

} // namespace dr
