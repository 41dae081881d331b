// The children of the metering supervisor: the queries, the gate, verification and the collector of history.
#pragma once

#include "actors/metering/check_work.hpp"
#include "actors/metering/history.hpp"
#include "actors/metering/kepco_query.hpp"
#include "actors/supervisor.hpp"
#include "config/settings.hpp"

#include <functional>
#include <vector>

namespace dr::actors {

struct metering_parts {
  services stable; ///< the store is used; gate and verification are what the children here stand behind
  clock_ptr clock;
  kepco_settings kepco;
  metering_settings metering;
  holiday_list holidays;                                        ///< sorted
  int longest_look_back = baseline_rules{}.longest_look_back(); ///< of the baselines, in weekdays
  meter_source_factory make_source;
  query_thread queries_on = query_thread::own;
};

/// For a one_for_one supervisor: kepco.concurrency queries, the gate, verification, and history if it is configured.
std::vector<child_spec> metering_children(caf::actor_system& system, metering_parts parts);

/// The same for start_tree(), which gives the stable handles; `parts.stable` may be empty. The system must outlive it.
std::function<std::vector<child_spec>(const services&)> metering_factory(caf::actor_system& system,
                                                                         metering_parts parts);

} // namespace dr::actors
