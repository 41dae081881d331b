// The tree of supervisors: which services there are, in which groups, and how they find each other.
//   root (one_for_one)
//   ├─ storage  (rest_for_one)  store · writers (one_for_one: hot, bulk) · readers (one_for_one)
//   ├─ metering (one_for_one)   given by the caller
//   ├─ dispatch (one_for_one)   registry, and under it campaigns, responses, users
//   └─ front    (one_for_one)   push hub · given by the caller
// The root lives as long as the process. Every service stands behind a stable handle that is made before anything
// starts, so that the order in which they need each other does not matter.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/store_workers.hpp"
#include "actors/supervisor.hpp"
#include "config/settings.hpp"
#include "domain/clock.hpp"

#include <caf/actor_system_config.hpp>

#include <functional>
#include <memory>

namespace dr::actors {

/// Few threads with one queue (the default policy costs a third of a core), no logging of CAF's own, our errors
/// rendered.
class actor_system_config : public caf::actor_system_config {
public:
  explicit actor_system_config(const actor_settings& settings);
};

/// Makes the children of a group; called once, with the stable handles of all services.
using children_factory = std::function<std::vector<child_spec>(const services&)>;

struct tree_options {
  std::shared_ptr<const dr::settings> config;
  std::shared_ptr<const dr::clock> clock;
  std::shared_ptr<storage::database> database; ///< migrated
  std::int64_t epoch = 0;                      ///< of take_lease()
  std::shared_ptr<const push_encoder> encoder;
  std::function<void()> on_fenced; ///< called once, from the store's turn: the process must stop
  children_factory metering; ///< whose specs stand behind services.gate and services.verification; none: no metering
  children_factory front;    ///< started last and stopped first; none: no front
  worker_thread workers_on = worker_thread::own;
};

/// Starts everything, in order: the front, which asks all the others, when they can be asked. What they need from
/// outside (a database) they wait for in the background. The handles are valid for ever.
services start_tree(caf::actor_system& system, const tree_options& options);

/// Stops the tree in reverse order and waits for every actor to be gone; the front alone may use http.drain_timeout of
/// the deadline. False when that took longer than the deadline: something is stuck in foreign code, and the process had
/// better leave without destroying the system. All handles in `all` are reset.
bool stop_tree_and_wait(caf::actor_system& system, services& all, std::chrono::milliseconds deadline);

} // namespace dr::actors
