#include "actors/metering/metering_tree.hpp"

#include "actors/metering/kepco_gate.hpp"
#include "actors/metering/verification.hpp"
#include "actors/stable.hpp"

#include <caf/all.hpp>

#include <algorithm>

namespace dr::actors {

namespace {

template <class Handle> caf::actor plain(const Handle& handle) { return caf::actor_cast<caf::actor>(handle); }

/// The queries' specs; the gate speaks to the stable handles.
std::vector<kepco_query_actor> add_queries(std::vector<child_spec>& specs, caf::actor_system& system,
                                           const metering_parts& parts) {
  std::vector<kepco_query_actor> handles;
  for (int i = 1; i <= std::max(parts.kepco.concurrency, 1); ++i) {
    child_spec spec;
    spec.name = "kepco_query_" + std::to_string(i);
    spec.start = [make = parts.make_source, where = parts.queries_on](caf::actor_system& in) {
      return plain(spawn_kepco_query(in, make, where));
    };
    // A poisonous customer crashes whatever asks for it; that must not take the way to KEPCO from the others.
    spec.when_exceeded = give_up::never;
    spec.stable = make_stable(system, spec.name);
    handles.push_back(caf::actor_cast<kepco_query_actor>(spec.stable));
    specs.push_back(std::move(spec));
  }
  return handles;
}

} // namespace

std::vector<child_spec> metering_children(caf::actor_system& system, metering_parts parts) {
  std::vector<child_spec> specs;
  auto queries = add_queries(specs, system, parts);
  auto rules = std::make_shared<const check_rules>(
      check_rules{parts.metering, parts.holidays, &dr::evaluate, parts.longest_look_back});

  child_spec gate;
  gate.name = gate_state::name;
  gate.start = [settings = parts.kepco, queries](caf::actor_system& in) {
    return plain(in.spawn(kepco_gate, settings, queries));
  };
  gate.stable = plain(parts.stable.gate);
  specs.push_back(std::move(gate));

  const auto& of = parts.stable;
  child_spec checks;
  checks.name = verification_state::name;
  const auto every = std::chrono::microseconds{
      static_cast<std::int64_t>(1e6 / std::max(parts.kepco.calls_per_s, kepco::rate_limiter::least_rate))};
  checks.start = [with = verification_parts{of.store, of.gate, parts.clock, rules, every}](caf::actor_system& in) {
    return plain(in.spawn(verification_behavior, with));
  };
  checks.stable = plain(of.verification);
  specs.push_back(std::move(checks));

  if (parts.metering.collect_history) {
    child_spec collector;
    collector.name = history_state::name;
    collector.start = [with = history_parts{of.store, of.gate, parts.clock, rules}](caf::actor_system& in) {
      return plain(in.spawn(history, with));
    };
    specs.push_back(std::move(collector));
  }
  return specs;
}

std::function<std::vector<child_spec>(const services&)> metering_factory(caf::actor_system& system,
                                                                         metering_parts parts) {
  return [&system, parts = std::move(parts)](const services& all) {
    auto with_handles = parts;
    with_handles.stable = all;
    return metering_children(system, std::move(with_handles));
  };
}

} // namespace dr::actors
