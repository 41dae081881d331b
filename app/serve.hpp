// The server process: configuration in, supervisor tree up, signals, ordered shutdown.
#pragma once

#include "config/load.hpp"
#include "kepco/meter_source.hpp"

namespace dr {

/// Runs the server until SIGTERM or SIGINT, or until another server takes the writer lease. Waits for a database that
/// cannot be reached yet. Returns the program's exit code: 0 after a signal, 75 (lease lost), 78 (configuration, schema
/// or data folder refused), 1 otherwise. Call it before any thread is made: it blocks the signals for all of them.
int serve(const loaded_settings& loaded);

/// Writes log lines to stderr at the configured level.
void set_up_logging(const log_settings& log);

/// "0.1.0".
const char* version() noexcept;

} // namespace dr
