#include "actors/tree.hpp"

#include "actors/entities.hpp"
#include "actors/errors.hpp"
#include "actors/push_hub.hpp"
#include "actors/registry.hpp"
#include "actors/stable.hpp"
#include "actors/store.hpp"

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

namespace dr::actors {

namespace {

using strategy = restart_strategy;

/// Nested supervisors answer before the ones above them give up.
supervision group(const tree_options& options, strategy how, std::chrono::milliseconds tree_timeout) {
  auto made = supervision_of(options.config->actors, how);
  made.tree_timeout = tree_timeout;
  return made;
}
constexpr std::chrono::milliseconds root_patience{1'000};
constexpr std::chrono::milliseconds group_patience{600};
constexpr std::chrono::milliseconds pool_patience{300};

template <class Handle> caf::actor untyped(const Handle& handle) { return caf::actor_cast<caf::actor>(handle); }

child_spec writer_spec(const tree_options& options, std::string name, storage::lane which,
                       const store_workers::lane_worker& worker) {
  child_spec spec;
  spec.name = std::move(name);
  spec.stable = untyped(worker.handle);
  auto open = [database = options.database, which, epoch = options.epoch] {
    return database->open_writer(which, epoch);
  };
  spec.start = [open, slot = worker.slot, where = options.workers_on](caf::actor_system& system) {
    return untyped(spawn_store_writer(system, open, slot, where));
  };
  return spec;
}

child_spec reader_spec(const tree_options& options, std::string name, const store_workers::pooled_reader& worker) {
  child_spec spec;
  spec.name = std::move(name);
  spec.stable = untyped(worker.handle);
  auto open = [database = options.database] { return database->open_reader(); };
  spec.start = [open, slot = worker.slot, where = options.workers_on](caf::actor_system& system) {
    return untyped(spawn_store_reader(system, open, slot, where));
  };
  return spec;
}

store_workers::lane_worker make_lane_worker(caf::actor_system& system, const char* name) {
  return {make_stable<store_writer_actor>(system, name), std::make_shared<connection_slot<storage::writer>>()};
}

child_spec storage_group(caf::actor_system& system, const tree_options& options, const services& all) {
  store_workers workers;
  workers.hot = make_lane_worker(system, "the hot writer");
  workers.bulk = make_lane_worker(system, "the bulk writer");
  std::vector<child_spec> readers;
  for (int i = 1; i <= std::max(1, options.config->database.readers); ++i) {
    workers.readers.push_back(
        {make_stable<store_reader_actor>(system, "a reader"), std::make_shared<connection_slot<storage::reader>>()});
    readers.push_back(reader_spec(options, "reader_" + std::to_string(i), workers.readers.back()));
  }
  std::vector<child_spec> writers{writer_spec(options, "hot_writer", storage::lane::hot, workers.hot),
                                  writer_spec(options, "bulk_writer", storage::lane::bulk, workers.bulk)};

  child_spec first;
  first.name = "store";
  first.stable = untyped(all.store);
  auto limits = store_options_of(options.config->database);
  limits.on_fenced = options.on_fenced;
  limits.registry = all.registry;
  limits.users = all.users;
  first.start = [limits, workers, hub = all.hub](caf::actor_system& sys) {
    return untyped(sys.spawn(store, limits, workers, hub));
  };

  auto pool = group(options, strategy::one_for_one, pool_patience);
  return nested_supervisor("storage", group(options, strategy::rest_for_one, group_patience),
                           {std::move(first), nested_supervisor("writers", pool, std::move(writers)),
                            nested_supervisor("readers", pool, std::move(readers))});
}

child_spec dispatch_group(const tree_options& options, const services& all) {
  auto world = std::make_shared<entity_context>();
  world->store = all.store;
  world->registry = caf::actor_cast<registry_base>(untyped(all.registry));
  world->hub = all.hub;
  world->verification = all.verification;
  world->clock = options.clock;
  world->config = options.config;

  child_spec one;
  one.name = "registry";
  one.stable = untyped(all.registry);
  one.population = true;
  one.start = [world = context_ptr{world}](caf::actor_system& system) {
    return untyped(system.spawn(registry, world));
  };
  return nested_supervisor("dispatch", group(options, strategy::one_for_one, group_patience), {std::move(one)});
}

child_spec front_group(const tree_options& options, const services& all) {
  child_spec hub;
  hub.name = "push_hub";
  hub.stable = untyped(all.hub);
  hub.start = [store = all.store, encoder = options.encoder, patience = options.config->database.request_timeout](
                  caf::actor_system& system) { return untyped(system.spawn(push_hub, store, encoder, patience)); };
  std::vector<child_spec> children{std::move(hub)};
  // The front lets requests in flight finish; what they need is stopped after it.
  auto patience = options.config->http.drain_timeout + std::chrono::seconds{1};
  if (options.front)
    for (auto& child : options.front(all)) {
      if (!child.stop_timeout) child.stop_timeout = patience;
      children.push_back(std::move(child));
    }
  return nested_supervisor("front", group(options, strategy::one_for_one, group_patience), std::move(children));
}

} // namespace

actor_system_config::actor_system_config(const actor_settings& settings) {
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", static_cast<std::size_t>(std::max(1, settings.scheduler_threads)));
  set("logger.verbosity", caf::atom("quiet"));
  dr::actors::add_error_category(*this);
}

services start_tree(caf::actor_system& system, const tree_options& options) {
  services all;
  all.root = make_stable<supervisor_actor>(system, "the server");
  all.store = make_stable<store_actor>(system, "the store");
  all.registry = make_stable<registry_actor>(system, "the registry");
  all.hub = make_stable<push_hub_actor>(system, "the push hub");
  all.gate = make_stable<kepco_gate_actor>(system, "the KEPCO gate");
  all.verification = make_stable<verification_actor>(system, "verification");
  all.users = std::make_shared<user_cache>(options.config->database.cached_users);

  std::vector<child_spec> groups{storage_group(system, options, all)};
  if (options.metering)
    groups.push_back(
        nested_supervisor("metering", group(options, strategy::one_for_one, group_patience), options.metering(all)));
  groups.push_back(dispatch_group(options, all));
  groups.push_back(front_group(options, all));
  spawn_supervisor(system, "root", group(options, strategy::one_for_one, root_patience), std::move(groups),
                   untyped(all.root));
  return all;
}

bool stop_tree_and_wait(caf::actor_system& system, services& all, std::chrono::milliseconds deadline) {
  auto until = std::chrono::steady_clock::now() + deadline;
  bool ended = true;
  if (auto root = incarnation_of(untyped(all.root))) {
    close_stable(untyped(all.root));
    caf::scoped_actor self{system, true};
    self->monitor(root);
    self->send(caf::actor_cast<supervisor_actor>(root), stop_tree{});
    self->receive([](const caf::down_msg&) {}, caf::after(deadline) >> [&] { ended = false; });
  }
  all = {};
  // The entities end behind their registry.
  while (ended && system.registry().running() > 0) {
    if (std::chrono::steady_clock::now() > until) ended = false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  if (!ended) spdlog::error("the actors did not all stop within {} ms", deadline.count());
  return ended;
}

} // namespace dr::actors
