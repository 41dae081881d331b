// Supervision: strategies, limits, backoff, stable handles, order of stopping. Time is the scheduler's.
#include "actor_world.hpp"
#include "actors/supervisor.hpp"

using namespace dr;
using namespace dr::actor_test;

namespace {

using order = std::vector<std::string>;

/// A supervisor with children that note their starts and ends and can be crashed.
struct nursery : stepped_system {
  std::map<std::string, std::vector<caf::actor>> born;
  order log;
  std::map<std::string, int> failing_starts; ///< so many starts of a child throw
  caf::actor sup;

  ~nursery() {
    if (sup) caf::anon_send_exit(sup, caf::exit_reason::user_shutdown);
    run();
  }
  child_spec child(const std::string& name, restart_kind kind = restart_kind::permanent) {
    child_spec spec;
    spec.name = name;
    spec.restart = kind;
    spec.start = [this, name](caf::actor_system& sys) {
      if (failing_starts[name]-- > 0) throw std::runtime_error(name + " cannot start");
      log.push_back("+" + name);
      auto made = sys.spawn([this, name](caf::event_based_actor* self) -> caf::behavior {
        house_rules(self, "child");
        self->attach_functor([this, name] { log.push_back("-" + name); });
        return {[](int n) -> int {
          if (n < 0) throw std::runtime_error("a bad number");
          return n + 1;
        }};
      });
      born[name].push_back(made);
      return made;
    };
    return spec;
  }
  void start(supervision how, std::vector<child_spec> children) {
    sup = caf::actor_cast<caf::actor>(spawn_supervisor(system, "nursery", how, std::move(children)));
    run();
  }
  void crash(const std::string& name) {
    caf::anon_send(born[name].back(), -1);
    run();
  }
  tree_node tree() { return *ask<tree_node>(caf::actor_cast<supervisor_actor>(sup), get_tree{}); }
  tree_node node(const std::string& name) {
    for (auto& n : tree().children)
      if (n.name == name) return n;
    FAIL("no child " << name);
    return {};
  }
  std::size_t starts(const std::string& name) { return born[name].size(); }
};

supervision with(restart_strategy strategy) {
  supervision how;
  how.strategy = strategy;
  how.backoff_min = 100ms;
  how.max_restarts = 3;
  return how;
}

} // namespace

TEST_CASE_METHOD(nursery, "a crashed child is restarted after a growing backoff, alone", "[actors]") {
  start(with(restart_strategy::one_for_one), {child("a"), child("b")});
  CHECK(log == order{"+a", "+b"});
  crash("a");
  CHECK(node("a").state == tree_node::condition::restarting);
  CHECK(node("a").last_error == "a bad number");
  CHECK(node("b").state == tree_node::condition::up);
  advance(99ms);
  CHECK(starts("a") == 1);
  advance(1ms);
  CHECK(starts("a") == 2);
  CHECK(node("a").restarts == 1);
  crash("a");
  advance(199ms);
  CHECK(starts("a") == 2);
  advance(1ms);
  CHECK(starts("a") == 3);
  CHECK(starts("b") == 1);
}

TEST_CASE_METHOD(nursery, "a child that lived long starts its backoff anew", "[actors]") {
  start(with(restart_strategy::one_for_one), {child("a")});
  crash("a");
  advance(100ms);
  crash("a");
  advance(200ms);
  advance(11s);
  crash("a");
  advance(100ms);
  CHECK(starts("a") == 4);
}

TEST_CASE_METHOD(nursery, "rest_for_one restarts the crashed child and those after it, in order", "[actors]") {
  start(with(restart_strategy::rest_for_one), {child("a"), child("b"), child("c")});
  log.clear();
  crash("b");
  CHECK(log == order{"-b", "-c"});
  advance(100ms);
  CHECK(log == order{"-b", "-c", "+b", "+c"});
  CHECK(starts("a") == 1);
  CHECK(node("c").restarts == 0);
}

TEST_CASE_METHOD(nursery, "one_for_all restarts everybody, in order", "[actors]") {
  start(with(restart_strategy::one_for_all), {child("a"), child("b"), child("c")});
  log.clear();
  crash("b");
  CHECK(log == order{"-b", "-c", "-a"});
  advance(100ms);
  CHECK(log == order{"-b", "-c", "-a", "+a", "+b", "+c"});
}

TEST_CASE_METHOD(nursery, "transient children stay away after a normal end, temporary ones always", "[actors]") {
  start(with(restart_strategy::one_for_one),
        {child("t", restart_kind::transient), child("x", restart_kind::temporary), child("p")});
  caf::anon_send_exit(born["t"].back(), caf::exit_reason::user_shutdown);
  crash("x");
  caf::anon_send_exit(born["p"].back(), caf::exit_reason::user_shutdown);
  run();
  advance(1s);
  CHECK(starts("t") == 1);
  CHECK(starts("x") == 1);
  CHECK(starts("p") == 2);
  CHECK(tree().children.size() == 2); // the one that has done its work is not shown
  CHECK(node("x").state == tree_node::condition::down);
}

TEST_CASE_METHOD(nursery, "a transient child that crashes is restarted", "[actors]") {
  start(with(restart_strategy::one_for_one), {child("t", restart_kind::transient)});
  crash("t");
  advance(100ms);
  CHECK(starts("t") == 2);
}

TEST_CASE_METHOD(nursery, "a factory that throws is a crash at start", "[actors]") {
  failing_starts["a"] = 2;
  start(with(restart_strategy::one_for_one), {child("a"), child("b")});
  CHECK(node("a").last_error == "a cannot start");
  CHECK(node("b").state == tree_node::condition::up);
  advance(300ms);
  CHECK(node("a").state == tree_node::condition::up);
  CHECK(node("a").restarts == 2);
}

TEST_CASE_METHOD(nursery, "a child that crashes at every start ends down and is tried slowly, and no sibling notices",
                 "[actors]") {
  failing_starts["a"] = 1'000;
  start(with(restart_strategy::one_for_one), {child("a"), child("b")});
  advance(10s);
  CHECK(node("a").state == tree_node::condition::down);
  CHECK(node("a").last_error == "a cannot start");
  CHECK(node("a").trouble_since.has_value());
  CHECK_FALSE(node("b").trouble_since.has_value());
  CHECK(1'000 - failing_starts["a"] == 4); // the first start and three restarts: no spin
  advance(20s);
  CHECK(1'000 - failing_starts["a"] == 4);
  advance(11s);
  CHECK(1'000 - failing_starts["a"] == 5); // one slow try, and straight down again
  CHECK(node("a").state == tree_node::condition::down);
  CHECK(starts("b") == 1);
  failing_starts["a"] = 0;
  advance(20s);
  CHECK(starts("a") == 1);
  CHECK(node("a").state == tree_node::condition::restarting); // not yet trusted
  CHECK(node("a").trouble_since.has_value());
  advance(10s);
  CHECK(node("a").state == tree_node::condition::up);
  CHECK_FALSE(node("a").trouble_since.has_value());
}

TEST_CASE_METHOD(nursery, "a child that is never given up is restarted however often it crashes, at most so often",
                 "[actors]") {
  auto often = child("a");
  often.when_exceeded = give_up::never;
  auto how = with(restart_strategy::one_for_one);
  how.backoff_max = 1s;
  start(how, {often});
  for (int i = 0; i < 20; ++i) {
    crash("a");
    CHECK(node("a").state == tree_node::condition::restarting);
    advance(1s);
    REQUIRE(starts("a") == static_cast<std::size_t>(i) + 2);
  }
  CHECK(node("a").state == tree_node::condition::up);
  CHECK(node("a").restarts == 20);
}

TEST_CASE_METHOD(nursery, "children that wait for a child that is down are shown down", "[actors]") {
  failing_starts["a"] = 1'000;
  start(with(restart_strategy::rest_for_one), {child("a"), child("b")});
  advance(5s);
  CHECK(starts("b") == 0);
  CHECK(node("b").state == tree_node::condition::down);
  CHECK(node("b").last_error == "waits for a");
}

TEST_CASE_METHOD(nursery, "an escalating supervisor ends with its children and its own supervisor restarts it",
                 "[actors]") {
  auto inner = with(restart_strategy::one_for_one);
  inner.when_exceeded = give_up::escalate;
  inner.max_restarts = 0;
  start(with(restart_strategy::one_for_one), {nested_supervisor("inner", inner, {child("a"), child("b")}), child("c")});
  log.clear();
  crash("a");
  CHECK(log == order{"-a", "-b"});
  CHECK(node("inner").last_error == "a keeps crashing: a bad number");
  advance(100ms);
  CHECK(log == order{"-a", "-b", "+a", "+b"});
  CHECK(starts("c") == 1);
}

TEST_CASE_METHOD(nursery, "a killed supervisor takes its children along and starts them afresh", "[actors]") {
  auto stable = make_stable(system, "child a");
  auto a = child("a");
  a.stable = stable;
  caf::actor inner;
  auto spec = nested_supervisor("inner", with(restart_strategy::one_for_one), {a});
  spec.start = [&inner, start = spec.start](caf::actor_system& sys) { return inner = start(sys); };
  start(with(restart_strategy::one_for_one), {spec});
  caf::anon_send_exit(inner, caf::exit_reason::kill);
  run();
  CHECK(error_of(ask<int>(stable, 1)) == errc::store_unavailable);
  advance(100ms);
  CHECK(log == order{"+a", "-a", "+a"});
  CHECK(*ask<int>(stable, 1) == 2);
}

TEST_CASE_METHOD(nursery, "who is started later finds everybody before him, under nested supervisors too", "[actors]") {
  auto whole = make_stable(system, "the nursery");
  auto stable = make_stable(system, "child a");
  auto a = child("a");
  a.stable = stable;
  auto late = child("late");
  late.start = [&, start = late.start](caf::actor_system& sys) {
    CHECK(incarnation_of(stable) == born["a"].back());
    CHECK(incarnation_of(whole));
    return start(sys);
  };
  const auto how = with(restart_strategy::one_for_one);
  sup = caf::actor_cast<caf::actor>(spawn_supervisor(
      system, "nursery", how, {nested_supervisor("inner", how, {a}), nested_supervisor("front", how, {late})}, whole));
  CHECK(log == order{"+a", "+late"}); // without a turn of anybody
  CHECK(incarnation_of(whole) == sup);
  run();
  CHECK(node("front").children.size() == 1);
}

TEST_CASE_METHOD(nursery, "a supervisor that gives up while it starts ends, and is tried again", "[actors]") {
  failing_starts["b"] = 1;
  auto inner = with(restart_strategy::one_for_one);
  inner.when_exceeded = give_up::escalate;
  inner.max_restarts = 0;
  const bool alone = GENERATE(true, false);
  auto children = alone ? std::vector{child("b")} : std::vector{child("a"), child("b")};
  start(with(restart_strategy::one_for_one), {nested_supervisor("inner", inner, children), child("c")});
  CHECK(log == (alone ? order{"+c"} : order{"+a", "+c", "-a"}));
  CHECK(node("inner").last_error == "b keeps crashing: b cannot start");
  advance(100ms);
  CHECK(log == (alone ? order{"+c", "+b"} : order{"+a", "+c", "-a", "+a", "+b"}));
}

TEST_CASE_METHOD(nursery, "whatever a start throws, a supervisor ends with its children and is tried again",
                 "[actors]") {
  int throws = 1;
  auto odd = child("odd");
  odd.start = [&throws, start = odd.start](caf::actor_system& sys) {
    if (throws-- > 0) throw 1;
    return start(sys);
  };
  const auto how = with(restart_strategy::one_for_one);
  start(how, {nested_supervisor("inner", how, {child("a"), odd})});
  CHECK(log == order{"+a", "-a"});
  CHECK(node("inner").last_error == "it could not start its children");
  advance(100ms);
  CHECK(log == order{"+a", "-a", "+a", "+odd"});
}

TEST_CASE_METHOD(nursery, "the tree shows nested supervisors, and one that is silent as restarting", "[actors]") {
  caf::actor inner;
  auto nested = nested_supervisor("inner", with(restart_strategy::one_for_one), {child("a")});
  child_spec silent;
  silent.name = "silent";
  silent.supervisor = true;
  silent.start = [](caf::actor_system& sys) {
    return sys.spawn([](caf::event_based_actor* self) -> caf::behavior {
      return {[self](get_tree) -> caf::result<tree_node> { return self->make_response_promise<tree_node>(); }};
    });
  };
  start(with(restart_strategy::one_for_one), {nested, silent});
  auto got = send<tree_node>(caf::actor_cast<supervisor_actor>(sup), get_tree{});
  run();
  CHECK_FALSE(*got);
  advance(300ms);
  REQUIRE(*got);
  auto& tree = ***got;
  CHECK(tree.children[0].children[0].name == "a");
  CHECK(tree.children[0].state == tree_node::condition::up);
  CHECK(tree.children[1].state == tree_node::condition::restarting);
}

TEST_CASE_METHOD(nursery, "stopping goes in reverse order and answers shutting down", "[actors]") {
  auto stable = make_stable(system, "child a");
  auto a = child("a");
  a.stable = stable;
  start(with(restart_strategy::one_for_one),
        {a, nested_supervisor("inner", with(restart_strategy::one_for_one), {child("b"), child("c")}), child("d")});
  log.clear();
  caf::anon_send(caf::actor_cast<supervisor_actor>(sup), stop_tree{});
  run();
  CHECK(log == order{"-d", "-c", "-b", "-a"});
  CHECK(error_of(ask<int>(stable, 1)) == errc::shutting_down);
}

TEST_CASE_METHOD(nursery, "a child that does not stop is killed after its time", "[actors]") {
  child_spec stubborn;
  stubborn.name = "stubborn";
  bool gone = false;
  stubborn.start = [&gone](caf::actor_system& sys) {
    return sys.spawn([&gone](caf::event_based_actor* self) -> caf::behavior {
      self->set_exit_handler([](const caf::exit_msg&) {});
      self->attach_functor([&gone] { gone = true; });
      return {[](int n) { return n; }};
    });
  };
  auto how = with(restart_strategy::one_for_one);
  start(how, {child("a"), stubborn});
  log.clear();
  caf::anon_send(caf::actor_cast<supervisor_actor>(sup), stop_tree{});
  advance(2'490ms);
  CHECK_FALSE(gone);
  advance(10ms);
  CHECK(gone);
  CHECK(log == order{"-a"});
}

TEST_CASE_METHOD(nursery, "a child with a longer time to stop gets it, under a nested supervisor too", "[actors]") {
  child_spec slow;
  slow.name = "slow";
  slow.stop_timeout = 20s;
  bool gone = false;
  slow.start = [&gone](caf::actor_system& sys) {
    return sys.spawn([&gone](caf::event_based_actor* self) -> caf::behavior {
      self->set_exit_handler([self](const caf::exit_msg&) { self->delayed_send(self, 15s, 1); });
      self->attach_functor([&gone] { gone = true; });
      return {[self](int) { self->quit(); }};
    });
  };
  start(with(restart_strategy::one_for_one),
        {child("a"), nested_supervisor("inner", with(restart_strategy::one_for_one), {slow})});
  log.clear();
  caf::anon_send(caf::actor_cast<supervisor_actor>(sup), stop_tree{});
  advance(14s);
  CHECK(log.empty()); // what was started before it waits for it
  CHECK_FALSE(gone);
  advance(1s);
  CHECK(gone);
  CHECK(log == order{"-a"});
}

TEST_CASE_METHOD(nursery, "a stable handle stays valid over restarts and answers at once in between", "[actors]") {
  auto stable = make_stable(system, "child a");
  auto a = child("a");
  a.stable = stable;
  CHECK(error_of(ask<int>(stable, 1)) == errc::store_unavailable);
  start(with(restart_strategy::one_for_one), {a});
  CHECK(*ask<int>(stable, 1) == 2);
  crash("a");
  auto refused = ask<int>(stable, 1);
  CHECK(error_of(refused) == errc::store_unavailable);
  CHECK(refused.error().detail == "child a is being restarted: try again");
  advance(100ms);
  CHECK(*ask<int>(stable, 5) == 6);
  CHECK(incarnation_of(stable) == born["a"].back());
}

TEST_CASE_METHOD(nursery, "errors travel whole, and CAF's own become words of ours", "[actors]") {
  error sent{errc::invalid, "no", {{"/a", "must be b"}}};
  CHECK(from_caf(to_caf(sent)) == sent);
  CHECK(system.render(to_caf(fail(errc::not_found, "nowhere"))) == "not-found: nowhere");
  CHECK(from_caf(caf::make_error(caf::sec::request_timeout)).code == errc::timed_out);
  CHECK(from_caf(caf::make_error(caf::sec::runtime_error, std::string{"secret"})).code == errc::outcome_unknown);
  CHECK(from_caf(caf::make_error(caf::sec::runtime_error, std::string{"secret"})).detail.find("secret") ==
        std::string::npos);
  CHECK(from_caf(caf::make_error(caf::sec::request_receiver_down)).code == errc::outcome_unknown);
  CHECK(from_caf(caf::exit_reason::user_shutdown).code == errc::shutting_down);
  CHECK(from_caf(caf::exit_reason::kill).code == errc::outcome_unknown);
  CHECK(from_caf(caf::make_error(caf::sec::unexpected_message)).code == errc::internal);

  start(with(restart_strategy::one_for_one), {child("a")});
  auto crashed = ask<int>(born["a"].back(), -1);
  CHECK(error_of(crashed) == errc::outcome_unknown);
}
