// The server process: configuration in, supervisor tree up, signals, ordered shutdown.
#pragma once

#include "config/load.hpp"
#include "kepco/meter_source.hpp"

#include <functional>
#include <memory>

namespace caf {
class actor_system;
}
namespace dr::actors {
class push_encoder;
struct services;
} // namespace dr::actors
namespace dr::storage {
class database;
}

namespace dr {

/// What a program may put around the server's parts: the fault suite breaks them so. Absent ones change nothing.
struct serve_parts {
  std::function<std::shared_ptr<storage::database>(std::shared_ptr<storage::database>)> database;
  std::function<meter_source_factory(meter_source_factory)> meter_source;
  std::function<std::shared_ptr<const actors::push_encoder>(std::shared_ptr<const actors::push_encoder>)> encoder;
  /// Called once, when the tree has been started; copies of the handles must be gone when `stopping` returns.
  std::function<void(caf::actor_system&, const actors::services&)> started;
  /// Called once, before the tree is stopped.
  std::function<void()> stopping;
};

/// Runs the server until SIGTERM or SIGINT, or until another server takes the writer lease. Waits for a database that
/// cannot be reached yet. Returns the program's exit code: 0 after a signal, 75 (lease lost), 78 (configuration, schema
/// or data folder refused), 1 otherwise. Call it before any thread is made: it blocks the signals for all of them.
int serve(const loaded_settings& loaded, const serve_parts& parts = {});

/// Writes log lines to stderr at the configured level.
void set_up_logging(const log_settings& log);

/// "0.2.0".
const char* version() noexcept;

} // namespace dr
