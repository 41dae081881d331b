#include "actors/supervisor.hpp"

#include "actors/errors.hpp"
#include "actors/house.hpp"
#include "actors/stable.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

using phase = supervisor_state::phase;

/// A killed child that still does not end is left behind after this: a thread that is stuck in foreign code cannot be
/// ended.
constexpr std::chrono::milliseconds kill_timeout{500};

bool orderly(const caf::error& why) {
  return !why || why == caf::exit_reason::normal || why == caf::exit_reason::user_shutdown;
}

/// A tree that is being put together from the children's answers.
struct drawing {
  drawing(tree_node n, caf::typed_response_promise<tree_node> p) : node(std::move(n)), reply(std::move(p)) {}
  tree_node node;
  caf::typed_response_promise<tree_node> reply;
  std::size_t open = 1; // one for the drawer itself
  void one_done() {
    if (--open == 0) reply.deliver(std::move(node));
  }
};

} // namespace

supervision supervision_of(const actor_settings& settings, restart_strategy strategy) {
  supervision how;
  how.strategy = strategy;
  how.max_restarts = settings.max_restarts;
  how.window = settings.restart_window;
  how.backoff_min = settings.backoff_min;
  how.backoff_max = settings.backoff_max;
  how.parked_retry = settings.backoff_max * 6;
  how.stop_timeout = settings.stop_timeout / 4;
  return how;
}

// Whoever ends the supervisor ends what it supervises, even when it is killed.
supervisor_state::~supervisor_state() {
  for (auto at = children.rbegin(); at != children.rend(); ++at) {
    auto& c = *at;
    point_to(c.spec.stable, {});
    if (c.ref) caf::anon_send_exit(c.ref, caf::exit_reason::kill);
  }
}

// ---- starting ------------------------------------------------------------------------------------------------------

void supervisor_state::start_ready() {
  if (stopping) return;
  bool ordered = how.strategy != restart_strategy::one_for_one;
  auto stops = [](const child& c) { return c.at == phase::stopping; };
  if (ordered && std::ranges::any_of(children, stops)) return;
  auto waits = [](const child& c) { return c.at == phase::waiting || c.at == phase::parked; };
  if (how.strategy == restart_strategy::one_for_all && std::ranges::any_of(children, waits)) return;
  for (auto& c : children) {
    if (c.at == phase::ready) start(c);
    if (stopping) return; // that crash was one too many
    // Whoever comes later builds on the ones before it.
    if (ordered && c.at != phase::running && c.at != phase::finished) return;
  }
}

void supervisor_state::start(child& c) {
  ++c.generation;
  c.up_at = self->clock().now();
  c.since = real_now();
  try {
    c.ref = c.spec.start(self->system());
  } catch (const std::exception& e) {
    spdlog::error("{}/{} could not be started: {}", own_name, c.spec.name, e.what());
    return crashed(c, caf::make_error(caf::sec::runtime_error, std::string{e.what()}));
  }
  if (!c.ref) return crashed(c, caf::make_error(caf::sec::runtime_error, std::string{"its factory made nothing"}));
  c.at = phase::running;
  self->monitor(c.ref);
  point_to(c.spec.stable, c.ref);
}

// ---- a child ended -------------------------------------------------------------------------------------------------

void supervisor_state::went_down(const caf::actor_addr& who, const caf::error& why) {
  auto it = std::ranges::find_if(children, [&](const child& c) { return c.ref && c.ref.address() == who; });
  if (it == children.end()) return; // left behind earlier
  auto& c = *it;
  c.ref = nullptr;
  point_to(c.spec.stable, {});
  if (c.at != phase::stopping) return crashed(c, why);
  c.at = phase::ready;
  if (stopping) return stop_next();
  start_ready();
}

void supervisor_state::crashed(child& c, const caf::error& why) {
  c.since = real_now();
  c.last_error = describe(why);
  bool over = c.spec.restart == restart_kind::temporary || (c.spec.restart == restart_kind::transient && orderly(why));
  if (over || stopping) {
    c.at = phase::finished;
    if (orderly(why)) c.last_error.clear();
    if (stopping) stop_next();
    return;
  }
  if (!c.trouble_since || self->clock().now() - c.up_at > how.window) c.trouble_since = c.since;
  take_along(c);
  plan_restart(c, c.last_error);
}

void supervisor_state::take_along(const child& c) {
  if (how.strategy == restart_strategy::one_for_one) return;
  bool all = how.strategy == restart_strategy::one_for_all;
  for (auto at = children.rbegin(); at != children.rend(); ++at) {
    auto& other = *at;
    if (!all && index_of(other) <= index_of(c)) break;
    if (&other != &c && other.at == phase::running) ask_to_stop(other);
  }
}

void supervisor_state::plan_restart(child& c, const std::string& why) {
  auto now = self->clock().now();
  if (now - c.up_at > how.window) { // it lived long: a new story
    c.delay = {};
    c.probation = false;
  }
  c.deaths.push_back(now);
  while (!c.deaths.empty() && now - c.deaths.front() > how.window) c.deaths.pop_front();
  bool exceeded = c.probation || std::ssize(c.deaths) > how.max_restarts;
  if (exceeded && policy_for(c) != give_up::never) return give_up_on(c, why);
  c.at = phase::waiting;
  ++c.restarts;
  c.delay = c.delay.count() == 0 ? how.backoff_min : std::min(c.delay * 2, how.backoff_max);
  spdlog::error("{}/{} crashed ({}); it is restarted in {} ms", own_name, c.spec.name, why, c.delay.count());
  self->delayed_send(self, c.delay, restart_due{index_of(c), c.generation});
}

void supervisor_state::give_up_on(child& c, const std::string& why) {
  if (policy_for(c) == give_up::escalate) {
    spdlog::critical("{}/{} keeps crashing ({}); {} gives up", own_name, c.spec.name, why, own_name);
    c.at = phase::finished;
    return begin_stop(caf::make_error(caf::sec::runtime_error, c.spec.name + " keeps crashing: " + why));
  }
  spdlog::critical("{}/{} keeps crashing ({}); it is down and will be tried again in {} s", own_name, c.spec.name, why,
                   std::chrono::duration_cast<std::chrono::seconds>(how.parked_retry).count());
  c.at = phase::parked;
  ++c.restarts;
  c.deaths.clear();
  self->delayed_send(self, how.parked_retry, restart_due{index_of(c), c.generation});
}

// ---- stopping ------------------------------------------------------------------------------------------------------

void supervisor_state::ask_to_stop(child& c) {
  c.at = phase::stopping;
  c.since = real_now();
  ++c.generation;
  if (stopping) close_stable(c.spec.stable);
  self->send_exit(c.ref, caf::exit_reason::user_shutdown);
  self->delayed_send(self, c.spec.stop_timeout.value_or(how.stop_timeout),
                     stop_overdue{index_of(c), c.generation, false});
}

void supervisor_state::stop_late(const stop_overdue& late) {
  auto& c = children[late.child];
  if (c.generation != late.generation || c.at != phase::stopping || !c.ref) return;
  if (!late.killed) {
    spdlog::warn("{}/{} does not stop; it is killed", own_name, c.spec.name);
    self->send_exit(c.ref, caf::exit_reason::kill);
    self->delayed_send(self, kill_timeout, stop_overdue{late.child, late.generation, true});
    return;
  }
  spdlog::error("{}/{} cannot be ended and is left behind", own_name, c.spec.name);
  auto address = c.ref.address();
  self->demonitor(address);
  went_down(address, caf::exit_reason::kill);
}

void supervisor_state::begin_stop(caf::error why) {
  if (stopping) return;
  stopping = true;
  stop_reason = std::move(why);
  for (auto& c : children)
    if (!c.ref) close_stable(c.spec.stable);
  stop_next();
}

void supervisor_state::stop_next() {
  for (auto at = children.rbegin(); at != children.rend(); ++at) {
    auto& c = *at;
    if (c.at == phase::running) return ask_to_stop(c);
    if (c.at == phase::stopping) return; // one after the other
  }
  self->quit(stop_reason);
}

// ---- the tree ------------------------------------------------------------------------------------------------------

tree_node supervisor_state::node_of(const child& c) const {
  using condition = tree_node::condition;
  tree_node node;
  node.name = c.spec.name;
  node.supervisor = c.spec.supervisor;
  node.restarts = c.restarts;
  node.last_error = c.last_error;
  node.since = c.since;
  bool settled = c.at == phase::finished || (c.at == phase::running && self->clock().now() - c.up_at >= how.window);
  if (!settled) node.trouble_since = c.trouble_since;
  bool tried = c.probation && self->clock().now() - c.up_at < how.window;
  switch (c.at) {
  case phase::running:
    node.state = tried ? condition::restarting : condition::up;
    break;
  case phase::parked:
  case phase::finished:
    node.state = condition::down;
    break;
  default:
    node.state = condition::restarting;
  }
  if (c.at == phase::ready && how.strategy != restart_strategy::one_for_one) {
    auto parked = std::ranges::find(children, phase::parked, &child::at);
    if (parked != children.end()) {
      node.state = condition::down;
      node.last_error = "waits for " + parked->spec.name;
    }
  }
  return node;
}

caf::typed_response_promise<tree_node> supervisor_state::draw() {
  tree_node me;
  me.name = own_name;
  me.supervisor = true;
  me.since = since;
  auto all = std::make_shared<drawing>(std::move(me), self->make_response_promise<tree_node>());
  for (auto& c : children) {
    if (c.at == phase::finished && c.last_error.empty()) continue; // it has done its work
    all->node.children.push_back(node_of(c));
    auto at = all->node.children.size() - 1;
    if (c.at != phase::running) continue;
    if (c.spec.supervisor) {
      ++all->open;
      self->request(caf::actor_cast<supervisor_actor>(c.ref), how.tree_timeout, get_tree{})
          .then(
              [all, at](tree_node& inner) {
                auto& node = all->node.children[at];
                node.children = std::move(inner.children);
                node.dynamic = std::move(inner.dynamic);
                all->one_done();
              },
              [all, at](const caf::error&) {
                auto& node = all->node.children[at];
                node.state = tree_node::condition::restarting;
                node.last_error = "does not answer";
                if (!node.trouble_since) node.trouble_since = real_now();
                all->one_done();
              });
    }
    if (c.spec.population) {
      ++all->open;
      self->request(caf::actor_cast<registry_actor>(c.ref), how.tree_timeout, get_population{})
          .then(
              [all](const population& there) {
                for (const auto& [kind, count] : there.counts) all->node.dynamic[kind] += count;
                all->one_done();
              },
              [all](const caf::error&) { all->one_done(); });
    }
  }
  auto reply = all->reply;
  all->one_done();
  return reply;
}

caf::result<found_child> supervisor_state::find(const std::string& path) {
  auto slash = path.find('/');
  auto it = std::ranges::find(children, path.substr(0, slash), [](const child& c) { return c.spec.name; });
  if (it == children.end() || !it->ref) return found_child{};
  if (slash == std::string::npos) return found_child{it->ref};
  if (!it->spec.supervisor) return found_child{};
  return self->delegate(caf::actor_cast<supervisor_impl>(it->ref), find_child{path.substr(slash + 1)});
}

// ---- behaviour -----------------------------------------------------------------------------------------------------

supervisor::supervisor(caf::actor_config& config, std::string name, supervision how, std::vector<child_spec> children,
                       const caf::actor& stable)
    : stateful_actor(config) {
  house_rules(this, supervisor_state::name);
  set_down_handler([this](const caf::down_msg& down) { state.went_down(down.source, down.reason); });
  set_exit_handler([this](const caf::exit_msg& exit) {
    if (exit.reason) state.begin_stop(exit.reason);
  });
  state.own_name = std::move(name);
  state.how = how;
  state.since = real_now();
  for (auto& spec : children) {
    state.children.push_back({std::move(spec)});
    state.children.back().since = state.since;
  }
  // Others hold it by now: whatever is thrown must end it in its first turn, children and all, and not undo it here.
  try {
    point_to(stable, caf::actor_cast<caf::actor>(this));
    state.start_ready();
  } catch (...) {
    quit(caf::make_error(caf::sec::runtime_error, std::string{"it could not start its children"}));
  }
}

supervisor::behavior_type supervisor::make_behavior() {
  return {
      [this](const get_tree&) { return state.draw(); },
      [this](const find_child& whom) { return state.find(whom.path); },
      [this](const stop_tree&) { state.begin_stop(caf::exit_reason::user_shutdown); },
      [this](const restart_due& due) {
        auto& c = state.children[due.child];
        if (c.generation != due.generation || (c.at != phase::waiting && c.at != phase::parked)) return;
        c.probation = c.at == phase::parked;
        c.at = phase::ready;
        state.start_ready();
      },
      [this](const stop_overdue& late) { state.stop_late(late); },
  };
}

supervisor_actor spawn_supervisor(caf::actor_system& system, std::string name, supervision how,
                                  std::vector<child_spec> children, const caf::actor& stable) {
  return caf::actor_cast<supervisor_actor>(system.spawn<supervisor>(std::move(name), how, std::move(children), stable));
}

child_spec nested_supervisor(std::string name, supervision how, std::vector<child_spec> children) {
  child_spec spec;
  spec.name = name;
  spec.supervisor = true;
  auto patience = kill_timeout;
  for (const auto& child : children) patience += child.stop_timeout.value_or(how.stop_timeout) + kill_timeout;
  spec.stop_timeout = patience;
  spec.start = [name = std::move(name), how, children = std::move(children)](caf::actor_system& system) {
    return caf::actor_cast<caf::actor>(spawn_supervisor(system, name, how, children));
  };
  return spec;
}

} // namespace dr::actors
