// Crashes and revivals: whoever is killed, whatever is lost on the way, asking again tells the truth and everything
// goes on.
#include "actor_world.hpp"
#include "actors/registry.hpp"

using namespace dr;
using namespace dr::actor_test;
using storage::response_changed;

namespace {

struct crowd : actor_world {
  std::vector<user_id> users;
  void kill_entity(entity_kind kind, std::int64_t id) {
    auto registry = caf::actor_cast<registry_impl>(incarnation_of(caf::actor_cast<caf::actor>(all.registry)));
    auto found = send<found_entity>(registry, find_entity{kind, id});
    while (!*found && sched.has_job()) sched.run_once();
    if (*found && (***found).who) caf::anon_send_exit((***found).who, caf::exit_reason::kill);
    run();
  }
  explicit crowd(int n = 10) {
    for (int i = 1; i <= n; ++i) users.push_back(enrol("user" + std::to_string(i)));
  }
};

} // namespace

TEST_CASE("dispatch makes an actor for each response, in slices", "[actors]") {
  crowd world;
  world.start_campaign();
  auto there = world.alive();
  CHECK(there["responses"] == 10);
  auto node = world.tree().children[2];
  REQUIRE(node.name == "dispatch");
  CHECK(node.dynamic["responses"] == 10);
  CHECK(node.dynamic["campaigns"] == 1);
}

TEST_CASE("a response is answered although its dispatch is not through yet, and the dispatch goes on", "[actors]") {
  crowd world{100};
  auto ordered = world.send<storage::written>(world.all.registry, order_campaign{make_order(), nullptr});
  while (!*ordered) world.sched.run_once();
  auto answered = world.send<storage::written>(world.all.registry, choose{{100}, answer::accept, {}, {}, nullptr});
  while (!*answered) world.sched.run_once();
  CHECK(value_of<response_changed>(**answered).changed);
  world.run();
  CHECK(world.alive()["responses"] == 100);
}

TEST_CASE("killing the registry in mid-campaign loses nothing", "[actors]") {
  crowd world;
  campaign_order what;
  what.ends_at = world.clock->now() + 1min;
  auto dr = *world.order(what);
  world.answer_with({1}, answer::accept);
  world.kill(world.all.registry);
  // Whether the supervisor has seen it already or not, the customer is told to ask again.
  auto refused = error_of(world.answer_with({2}, answer::accept));
  CHECK((refused == errc::store_unavailable || refused == errc::outcome_unknown));
  world.pass(100ms);
  CHECK(world.alive()["responses"] == 10);
  CHECK(world.alive()["campaigns"] == 1);
  CHECK(world.answer_with({2}, answer::accept));
  CHECK(world.ask<campaign>(world.all.registry, get_campaign{dr.id})->counts.accept == 2);
  world.pass(1min);
  CHECK(world.stored(dr.id).status == campaign_status::end);
  CHECK(world.stored(dr.id).counts.accept == 2);
  CHECK(world.stored(dr.id).frozen);
}

TEST_CASE("killing the store, its writers or its readers loses nothing and is over soon", "[actors]") {
  crowd world;
  auto dr = world.start_campaign();
  world.answer_with({1}, answer::accept);
  world.kill(world.all.store);
  world.pass(200ms);
  CHECK(world.answer_with({1}, answer::deny));
  CHECK(world.answer_with({2}, answer::accept));
  auto tree = world.tree();
  CHECK(tree.children[0].children[0].restarts == 1);
  CHECK(tree.children[2].children[0].restarts == 0); // the registry noticed nothing
  CHECK(world.stored(dr.id).counts.accept == 1);
  CHECK(world.stored(dr.id).counts.deny == 1);
}

TEST_CASE("a campaign that crashes is revived by itself and keeps its timers and its counts", "[actors]") {
  crowd world;
  campaign_order what;
  what.ends_at = world.clock->now() + 1min;
  auto dr = *world.order(what);
  world.answer_with({1}, answer::accept);
  world.kill_entity(entity_kind::campaign, dr.id.value);
  CHECK(world.alive()["campaigns"] == 0);
  CHECK(world.alive()["responses"] == 10); // they notice nothing
  CHECK(world.answer_with({2}, answer::accept));
  world.pass(100ms);
  CHECK(world.alive()["campaigns"] == 1);
  world.pass(1min); // nobody asks it anything
  CHECK(world.stored(dr.id).status == campaign_status::end);
  CHECK(world.stored(dr.id).frozen);
  CHECK(world.stored(dr.id).counts.accept == 2);
}

TEST_CASE("a crash of a response while its answer is on the way leaves the truth to whoever asks again", "[actors]") {
  crowd world;
  auto dr = world.start_campaign();
  world.database->faults().set_down(true);
  auto got = world.send<storage::written>(world.all.registry, choose{{1}, answer::accept, {}, {}, nullptr});
  world.run();
  world.kill_entity(entity_kind::response, 1);
  REQUIRE(*got);
  CHECK(error_of(**got) == errc::outcome_unknown); // at once, not after a timeout
  world.database->faults().set_down(false);
  world.pass(100ms);
  CHECK_FALSE(value_of<response_changed>(world.answer_with({1}, answer::accept)).changed); // it had happened
  CHECK(world.stored(dr.id).counts.accept == 1);
}

TEST_CASE("a crash of a user while its withdrawal is on the way loses and doubles nothing", "[actors]") {
  crowd world{1};
  auto rich = world.enrol("rich", 1'000, 500);
  auto key = make_key("w");
  storage::write what{storage::withdraw_points{rich, 200, world.clock->now()}, key};
  world.database->faults().set_down(true);
  auto got = world.send<storage::written>(world.all.registry, user_command{rich, what});
  world.run();
  world.kill_entity(entity_kind::user, rich.value);
  REQUIRE(*got);
  CHECK(error_of(**got) == errc::outcome_unknown);
  world.database->faults().set_down(false);
  world.pass(100ms);
  CHECK(world.ask<storage::written>(world.all.registry, user_command{rich, what}));
  CHECK(world.look([&](storage::reader& r) { return r.find_user(rich); }).points == 300);
}

TEST_CASE("a campaign killed while it ends goes on with the end", "[actors]") {
  crowd world;
  auto dr = world.start_campaign();
  world.answer_with({1}, answer::accept);
  auto got = world.send<storage::written>(world.all.registry, end_campaign{dr.id, {}, nullptr});
  auto steps = GENERATE(range(3, 24, 1));
  for (int i = 0; i < steps && world.sched.has_job(); ++i) world.sched.run_once();
  world.kill_entity(entity_kind::campaign, dr.id.value);
  world.pass(3s);
  auto again = world.end(dr.id);
  CHECK(value_of<campaign>(again).status == campaign_status::end);
  world.pass(3s);
  CHECK(world.stored(dr.id).frozen);
  CHECK(world.stored(dr.id).counts.pending == 1);
  CHECK(world.alive()["responses"] == 1);
  auto types = world.event_types();
  CHECK(std::ranges::count(types, "DrEnded") == 1);
  CHECK(std::ranges::count(types, "Listsaved") == 1);
}

TEST_CASE("the news that a campaign is over survives a crash of it, or of the registry, at any moment", "[actors]") {
  crowd world;
  auto dr = world.start_campaign();
  auto hers = world.connect({1});
  const bool canceled = GENERATE(false, true);
  const bool all = GENERATE(false, true); // the registry and with it the campaign
  CAPTURE(canceled, all);
  const auto over = [&] {
    return canceled
               ? world.send<storage::written>(world.all.registry, cancel_campaign{dr.id, "a false alarm", {}, nullptr})
               : world.send<storage::written>(world.all.registry, end_campaign{dr.id, {}, nullptr});
  };
  over();
  auto steps = GENERATE(range(1, 32, 1));
  CAPTURE(steps);
  for (int i = 0; i < steps && world.sched.has_job(); ++i) world.sched.run_once();
  if (all) {
    world.kill(world.all.registry); // nobody repeats the command
    world.pass(10s);
  } else {
    world.kill_entity(entity_kind::campaign, dr.id.value);
    world.pass(3s);
    over();
    world.pass(3s);
  }
  auto now = world.stored(dr.id);
  if (all && now.open()) return; // the command went down with the registry
  CHECK(now.frozen == !canceled);
  REQUIRE_FALSE(hers->got.empty());
  CHECK(hers->got.back() == (canceled ? "canceled 1" : "ended 1"));
}

TEST_CASE("a campaign that came to life from an outdated row finds out", "[actors]") {
  crowd world;
  auto dr = world.start_campaign();
  auto hers = world.connect({1});
  const auto outdated = std::make_shared<const campaign>(world.stored(dr.id));
  world.end(dr.id);
  world.pass(3s);
  REQUIRE(world.alive()["campaigns"] == 0);
  caf::anon_send(caf::actor_cast<registry_base>(world.all.registry), campaign_opened{outdated});
  world.pass(3s);
  CHECK(hers->got.back() == "ended 1");
  CHECK(world.alive()["campaigns"] == 0);
  CHECK(world.alive()["responses"] == 0);
}

TEST_CASE("a page that was read before a check was settled leaves nobody behind", "[actors]") {
  crowd world;
  auto dr = world.start_campaign();
  for (std::int64_t id : {1, 2}) world.answer_with({id}, answer::accept);
  world.end(dr.id);
  world.pass(1s);
  world.kill(world.all.registry);
  world.pass(1s);
  REQUIRE(world.alive()["responses"] == 2);
  auto page = world.look([&](storage::reader& r) { return r.dispatched(dr.id, {}, 10); });
  const auto settle = [&](std::int64_t id) {
    reduction_check check;
    check.campaign = dr.id;
    check.user = {id};
    check.response = {id};
    check.is_real = true;
    check.checked_at = world.clock->now();
    REQUIRE(world.write(storage::settle_check{check}));
    world.pass(1s);
  };
  settle(1);
  REQUIRE(world.alive()["responses"] == 1);
  caf::anon_send(caf::actor_cast<registry_base>(world.all.registry),
                 responses_dispatched{std::make_shared<const campaign>(world.stored(dr.id)), page});
  world.run();
  settle(2);
  world.pass(10s);
  CHECK(world.alive()["responses"] == 0);
  CHECK(world.alive()["campaigns"] == 0);
  // And one that comes when all is over.
  caf::anon_send(caf::actor_cast<registry_base>(world.all.registry),
                 responses_dispatched{std::make_shared<const campaign>(world.stored(dr.id)), page});
  world.run();
  CHECK(world.alive()["responses"] == 0);
}

TEST_CASE("a campaign whose actor is on its way out when it is opened comes back", "[actors]") {
  crowd world;
  auto dr = world.start_campaign();
  world.kill(world.all.registry);
  world.database->faults().set_down(true);
  world.pass(1s);
  auto asked = world.send<campaign>(world.all.registry, get_campaign{dr.id});
  const auto steps = GENERATE(range(1, 16, 1));
  CAPTURE(steps);
  for (int i = 0; i < steps && world.sched.has_job(); ++i) world.sched.run_once();
  caf::anon_send(caf::actor_cast<registry_base>(world.all.registry),
                 campaign_opened{std::make_shared<const campaign>(dr)});
  world.database->faults().set_down(false);
  world.run();
  CHECK(world.alive()["campaigns"] == 1);
}

TEST_CASE("an order whose outcome stays unknown is found and dispatched once the store is back", "[actors]") {
  crowd world;
  auto socket = world.connect(world.users[0]);
  world.database->faults().lose_commit_answers(1);
  world.config->database.bulk_timeout = 1s;
  auto ordered = world.send<storage::written>(world.all.registry, order_campaign{make_order(), nullptr});
  world.run();
  world.database->faults().set_down(true);
  world.pass(200s); // the store gives up on the caller, not on the batch
  REQUIRE(*ordered);
  CHECK_FALSE(**ordered);
  CHECK(leaves_doubt((*ordered)->error()));
  world.database->faults().set_down(false);
  world.pass(10s);
  CHECK(world.alive()["campaigns"] == 1);
  CHECK(world.alive()["responses"] == 10);
  CHECK(socket->got.size() == 1);
  CHECK(world.answer_with({3}, answer::accept));
}
