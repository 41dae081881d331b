#include "actors/metering/verification.hpp"
#include "actors/stable.hpp"
#include "metering_support.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::actors;
using namespace dr::test;

namespace {

const korean_day today = day_of("2026-07-01");

campaign_id one_promise_kept(metering_world& w) {
  w.enrol("samsung", 400, "0000000001");
  w.kepco->reductions = {{"0000000001", korea("2026-07-01T13:00"), korea("2026-07-01T14:00"), 383}};
  return w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
}

const tree_node* child(const tree_node& of, const std::string& name) {
  for (const auto& one : of.children)
    if (one.name == name) return &one;
  return nullptr;
}

} // namespace

TEST_CASE("a crashed query is restarted and its check is done", "[actors][metering]") {
  metering_world w;
  auto campaign = one_promise_kept(w);
  w.parts.kepco.concurrency = 1;
  int crashes = 2;
  w.kepco->fault = [&](const std::string&, korean_day) -> std::optional<meter_error> {
    if (crashes > 0) {
      --crashes;
      throw std::runtime_error("the parser tripped");
    }
    return std::nullopt;
  };
  w.start();
  REQUIRE(w.settles(campaign));
  CHECK(w.points(user_id{1}) == 1383);
  auto tree = w.tree();
  REQUIRE(child(tree, "kepco_query_1"));
  CHECK(child(tree, "kepco_query_1")->restarts == 2);
  CHECK(child(tree, "kepco_query_1")->state == tree_node::condition::up);
  CHECK(child(tree, "kepco_gate")->restarts == 0);
  CHECK(child(tree, "verification")->restarts == 0);
}

TEST_CASE("a customer over whom the query crashes every time is parked, the others go on", "[actors][metering]") {
  metering_world w;
  w.enrol("poison", 400, "6666666666");
  auto campaign = one_promise_kept(w);
  bool poisonous = true;
  w.kepco->fault = [&](const std::string& cust_no, korean_day) -> std::optional<meter_error> {
    if (poisonous && cust_no == "6666666666") throw std::runtime_error("the parser tripped");
    return std::nullopt;
  };
  w.start();
  REQUIRE(w.until([&] { return w.checks(campaign).size() == 1; }, 10s));
  REQUIRE(w.until([&] { return w.overview().checks_parked == 1; }, 5min));
  auto calls = w.kepco->asked_for("6666666666", today);
  CHECK(calls == crashes_max);
  w.pass(10min, 1s);
  CHECK(w.kepco->asked_for("6666666666", today) == calls);

  poisonous = false;
  auto back = w.ask<storage::written>(w.parts.stable.verification, retry_parked{campaign, nullptr});
  REQUIRE(back.has_value());
  CHECK(std::get<storage::done>(*back).count == 1);
  CHECK(w.settles(campaign));
}

TEST_CASE("a check that our own code trips over is parked at once with its reason", "[actors][metering]") {
  metering_world w;
  auto campaign = one_promise_kept(w);
  check_rules rules{w.parts.metering, {}, [](const check_input&) -> verdict { throw std::logic_error("odd figures"); }};
  auto shared = std::make_shared<const check_rules>(rules);
  auto worker = w.system.spawn(verification_behavior,
                               verification_parts{w.parts.stable.store, w.parts.stable.gate, w.clock, shared});
  w.pass(1s);
  CHECK(w.overview().checks_parked == 1);
  CHECK(w.checks(campaign).empty());
  caf::anon_send_exit(worker, caf::exit_reason::kill);
}

TEST_CASE("a change that the store cannot carry out is tried again and then parked", "[actors][metering]") {
  metering_world w;
  w.enrol("poison", 400, "6666666666");
  auto campaign = one_promise_kept(w);
  w.refuse = [](const storage::change& what) -> std::optional<error> {
    const auto* settle = std::get_if<storage::settle_check>(&what);
    if (settle && settle->check.user == user_id{1}) return fail(errc::internal, "cannot be stored");
    return std::nullopt;
  };
  w.start();
  REQUIRE(w.until([&] { return w.overview().checks_parked == 1; }, 5min));
  CHECK(w.checks(campaign).size() == 1);
}

TEST_CASE("with the store away verification waits and loses nothing", "[actors][metering]") {
  metering_world w;
  auto campaign = one_promise_kept(w);
  w.refuse = [](const storage::change&) { return fail(errc::store_unavailable); };
  w.start();
  w.pass(30s);
  CHECK(w.kepco->asked_for("0000000001", today) < 20); // it does not hammer
  w.database->faults().set_down(true);
  w.pass(60s);
  w.database->faults().set_down(false);
  w.refuse = {};
  REQUIRE(w.settles(campaign));
  CHECK(w.points(user_id{1}) == 1383);
}

TEST_CASE("a settlement whose commit answer was lost is settled once", "[actors][metering]") {
  metering_world w;
  auto campaign = one_promise_kept(w);
  w.keep_history(day_of("2026-07-02"));
  w.database->faults().lose_commit_answers(1);
  w.start();
  REQUIRE(w.settles(campaign));
  w.pass(60s);
  CHECK(w.settled_events() == 1);
  CHECK(w.points(user_id{1}) == 1383);
}

TEST_CASE("verification killed between any two steps and restarted settles exactly once", "[actors][metering]") {
  // The scheduler runs one message at a time; the kill comes after the n-th, for every n until the settlement.
  bool finished_before_the_kill = false;
  for (int steps = 1; steps < 400 && !finished_before_the_kill; ++steps) {
    INFO(steps);
    metering_world w;
    auto campaign = one_promise_kept(w);
    w.enrol("lg", 300, "0000000002");
    w.start();
    w.wake();
    // From here: a second campaign, step by step.
    w.kepco->reductions.push_back({"0000000002", korea("2026-07-01T10:00"), korea("2026-07-01T11:00"), 295});
    auto second = w.campaign_over("2026-07-01T10:00", "2026-07-01T11:00");
    caf::anon_send(w.parts.stable.verification, checks_queued{});
    int done = 0;
    while (done < steps && w.sched.try_run_once()) ++done;
    finished_before_the_kill = done < steps;
    w.crash(caf::actor_cast<caf::actor>(w.parts.stable.verification));
    REQUIRE(w.settles(campaign));
    REQUIRE(w.settles(second));
    w.pass(30s, 1s);
    CHECK(w.settled_events() == 3);
    CHECK(w.points(user_id{1}) == 1383);
    CHECK(w.points(user_id{2}) == 1295);
    CHECK(w.overview().checks_pending == 0);
  }
  CHECK(finished_before_the_kill);
}

TEST_CASE("a gate killed in the middle of a check costs a retry", "[actors][metering]") {
  for (int steps = 1; steps < 60; steps += 3) {
    metering_world w;
    auto campaign = one_promise_kept(w);
    w.start();
    w.campaign_over("2026-07-01T10:00", "2026-07-01T11:00");
    caf::anon_send(w.parts.stable.verification, checks_queued{});
    for (int i = 0; i < steps && w.sched.try_run_once(); ++i) {}
    w.crash(caf::actor_cast<caf::actor>(w.parts.stable.gate));
    REQUIRE(w.until([&] { return w.overview().checks_pending == 0; }, 2min));
    CHECK(w.checks(campaign).size() == 1);
  }
}

TEST_CASE("many poisonous customers at once do not take the only query from the others", "[actors][metering]") {
  metering_world w;
  w.parts.kepco.concurrency = 1;
  for (int i = 0; i < 6; ++i) w.enrol("poison " + std::to_string(i), 400, "666666666" + std::to_string(i));
  auto campaign = one_promise_kept(w);
  w.kepco->fault = [](const std::string& cust_no, korean_day) -> std::optional<meter_error> {
    if (cust_no.starts_with("666666666")) throw std::runtime_error("the parser tripped");
    return std::nullopt;
  };
  w.start(3); // restarts allowed within ten seconds
  REQUIRE(w.until([&] { return w.checks(campaign).size() == 1; }, 60s));
  REQUIRE(w.until([&] { return w.overview().checks_parked == 6; }, 10min));
  w.pass(10s); // the last crash was just now
  auto tree = w.tree();
  REQUIRE(child(tree, "kepco_query_1"));
  CHECK(child(tree, "kepco_query_1")->restarts == 6 * crashes_max);
  CHECK(child(tree, "kepco_query_1")->state == tree_node::condition::up);
}

TEST_CASE("a check that stays parked is settled as unverifiable at its deadline, and its campaign with it",
          "[actors][metering]") {
  metering_world w;
  w.enrol("poison", 400, "6666666666");
  auto campaign = one_promise_kept(w);
  bool poisonous = true;
  w.kepco->fault = [&](const std::string& cust_no, korean_day) -> std::optional<meter_error> {
    if (poisonous && cust_no == "6666666666") throw std::runtime_error("the parser tripped");
    return std::nullopt;
  };
  w.start();
  REQUIRE(w.until([&] { return w.overview().checks_parked == 1; }, 5min));
  CHECK(w.find(campaign).settlement == settlement_status::verifying);
  w.clock->jump_to(w.clock->now() + w.parts.metering.verification_deadline - 1h);
  w.pass(10min, 1s);
  CHECK(w.find(campaign).settlement == settlement_status::verifying);
  w.clock->jump_to(w.clock->now() + 2h);
  REQUIRE(w.settles(campaign, 10min));
  CHECK(w.overview().checks_parked == 0);
  CHECK(w.find(campaign).counts.unverifiable == 1);
  CHECK(w.points(user_id{1}) == 1000);
  auto all = w.checks(campaign);
  auto given_up = std::ranges::find(all, user_id{1}, &reduction_check::user);
  REQUIRE(given_up != all.end());
  CHECK(given_up->quality == check_quality::unverifiable);
  CHECK(given_up->detail.find("parser") == std::string::npos); // the customer reads this

  // Once the reason is mended the customer gets what is due.
  poisonous = false;
  w.kepco->reductions.push_back({"6666666666", korea("2026-07-01T13:00"), korea("2026-07-01T14:00"), 390});
  auto again = w.ask<storage::written>(w.parts.stable.verification, order_recheck{given_up->id, nullptr});
  REQUIRE(again.has_value());
  REQUIRE(w.until([&] { return w.points(user_id{1}) == 1390; }, 5min));
  CHECK(w.find(campaign).counts.unverifiable == 0);
}

TEST_CASE("a recheck that is parked leaves the settled check standing, and is taken up again on demand",
          "[actors][metering]") {
  metering_world w;
  auto campaign = one_promise_kept(w);
  bool poisonous = false;
  w.kepco->fault = [&](const std::string&, korean_day) -> std::optional<meter_error> {
    if (poisonous) throw std::runtime_error("the parser tripped");
    return std::nullopt;
  };
  w.start();
  REQUIRE(w.settles(campaign));
  poisonous = true;
  REQUIRE(w.ask<storage::written>(w.parts.stable.verification, order_recheck{w.only_check(campaign).id, nullptr})
              .has_value());
  REQUIRE(w.until([&] { return w.overview().checks_parked == 1; }, 5min));
  w.clock->jump_to(w.clock->now() + w.parts.metering.verification_deadline + 1h);
  w.pass(10min, 1s);
  CHECK(w.overview().checks_parked == 1);
  CHECK(w.points(user_id{1}) == 1383);
  CHECK(w.only_check(campaign).revision == 1);
  poisonous = false;
  auto back = w.ask<storage::written>(w.parts.stable.verification, retry_check{response_id{1}, nullptr});
  REQUIRE(back.has_value());
  CHECK(std::get<storage::done>(*back).count == 1);
  REQUIRE(w.until([&] { return w.only_check(campaign).revision == 2; }, 5min));
  CHECK(w.points(user_id{1}) == 1383);
}

TEST_CASE("a check whose stored data cannot be read is found among the others and parked", "[actors][metering]") {
  metering_world w;
  for (int i = 0; i < 9; ++i) w.enrol("user " + std::to_string(i), 400, "000000010" + std::to_string(i));
  auto campaign = one_promise_kept(w);
  w.database->faults().break_material(response_id{4});
  w.start();
  REQUIRE(w.until([&] { return w.checks(campaign).size() == 9; }, 2min));
  REQUIRE(w.until([&] { return w.overview().checks_parked == 1; }, 10min));
  auto parked = w.look<std::vector<storage::parked_check>>([](storage::reader& r) { return r.parked_checks(5); });
  REQUIRE(parked.size() == 1);
  CHECK(parked[0].response == response_id{4});
  CHECK(parked[0].reason.find("cannot be read") != std::string::npos);
  // Its deadline passes: nobody will ever know.
  w.clock->jump_to(w.clock->now() + w.parts.metering.verification_deadline + 1h);
  REQUIRE(w.settles(campaign, 10min));
  for (const auto& check : w.checks(campaign))
    CHECK((check.quality == check_quality::unverifiable) == (check.response == response_id{4}));
  CHECK(w.overview().checks_parked == 0);
}

TEST_CASE("a check that can neither be read nor given up stays parked, and nothing is tried again and again",
          "[actors][metering]") {
  metering_world w;
  auto campaign = one_promise_kept(w);
  w.database->faults().break_material(response_id{1});
  w.refuse = [](const storage::change& what) -> std::optional<error> {
    if (std::holds_alternative<storage::settle_check>(what)) return fail(errc::internal, "the row is damaged");
    return std::nullopt;
  };
  w.start();
  REQUIRE(w.until([&] { return w.overview().checks_parked == 1; }, 10min));
  w.clock->jump_to(w.clock->now() + w.parts.metering.verification_deadline + 1h);
  w.pass(1min);
  const auto events = w.look<std::vector<event>>([](storage::reader& r) { return r.events({}); }).size();
  w.pass(10min, 1s);
  CHECK(w.overview().checks_parked == 1);
  CHECK(w.look<std::vector<event>>([](storage::reader& r) { return r.events({}); }).size() == events);
  CHECK(w.checks(campaign).empty());
}

TEST_CASE("verification killed right after a settlement's commit loses no news of it", "[actors][metering]") {
  for (int steps = 1; steps < 200; ++steps) {
    INFO(steps);
    metering_world w;
    auto campaign = one_promise_kept(w);
    w.keep_history(day_of("2026-07-02"));
    w.start();
    while (w.checks(campaign).empty() && w.sched.try_run_once()) {}
    if (w.checks(campaign).empty()) continue;
    w.crash(caf::actor_cast<caf::actor>(w.parts.stable.verification));
    w.pass(1s);
    CHECK(w.settled_checks.size() == 1);
    return;
  }
  FAIL("the settlement was never committed");
}

TEST_CASE("each actor of metering may be killed in the midst of a check, and it is settled once",
          "[actors][metering][crash]") {
  const std::string name = GENERATE("kepco_query_1", "kepco_gate", "verification", "history");
  for (int messages = 1; messages < 80; messages += 6) {
    INFO(name << " after " << messages << " messages");
    metering_world w;
    w.parts.kepco.concurrency = 2;
    w.parts.metering.collect_history = true;
    w.enrol("samsung", 400, "0000000001");
    w.start();
    auto metering = caf::actor_cast<supervisor_impl>(w.metering);
    auto victim = w.ask<found_child>(metering, find_child{name}).value().who;
    REQUIRE(victim);
    w.kepco->reductions = {{"0000000001", korea("2026-07-01T13:00"), korea("2026-07-01T14:00"), 383}};
    auto campaign = w.campaign_over("2026-07-01T13:00", "2026-07-01T14:00");
    caf::anon_send(w.parts.stable.verification, checks_queued{});
    for (int i = 0; i < messages && w.sched.try_run_once(); ++i) {}
    caf::anon_send_exit(victim, caf::exit_reason::kill);
    victim = nullptr;
    REQUIRE(w.settles(campaign, 15min));
    w.pass(15s, 1s);
    CHECK(w.settled_events() == 1);
    CHECK(w.points(user_id{1}) == 1383);
    for (const auto& one : w.tree().children) {
      CHECK(one.restarts == (one.name == name ? 1 : 0));
      CHECK(one.state == tree_node::condition::up);
    }
  }
}

TEST_CASE("a request to verification is answered although verification dies over it", "[actors][metering][crash]") {
  metering_world w;
  auto campaign = one_promise_kept(w);
  w.start();
  REQUIRE(w.settles(campaign));
  bool answered = false;
  w.system.spawn([&, campaign](caf::event_based_actor* self) {
    self->request(w.parts.stable.verification, caf::infinite, retry_parked{campaign, nullptr})
        .then([&](const storage::written&) { answered = true; }, [&](const caf::error&) { answered = true; });
  });
  REQUIRE(w.sched.try_run_once()); // the requester
  REQUIRE(w.sched.try_run_once()); // verification has asked the store, which has not answered
  w.crash(caf::actor_cast<caf::actor>(w.parts.stable.verification));
  w.sched.run();
  CHECK(answered);
}
