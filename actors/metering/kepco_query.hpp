// One blocking caller of KEPCO. Each has a thread and a meter source of its own, so that a slow answer holds up nobody
// else. Owned by the metering supervisor, permanent; nothing survives a crash, and the gate reports the lost call as
// failed.
#pragma once

#include "actors/interfaces.hpp"

namespace dr::actors {

/// Where the blocking call runs: on a thread of its own, or (tests, with a source that never blocks) on the scheduler.
enum class query_thread : unsigned char { own, scheduler };

/// Starts one worker. `make_source` is called at the first question, on the worker's thread. A source (or factory) that
/// throws ends the worker.
kepco_query_actor spawn_kepco_query(caf::actor_system& system, meter_source_factory make_source, query_thread where);

} // namespace dr::actors
