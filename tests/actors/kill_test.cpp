// Every actor of the tree, killed in the midst of work: nothing acknowledged is lost, everybody is answered, siblings
// go on undisturbed, and it is back with what the store knows.
#include "actor_world.hpp"
#include "actors/registry.hpp"
#include "actors/supervisor.hpp"

using namespace dr;
using namespace dr::actor_test;
using storage::written;

namespace {

/// A running campaign of four users, and work of every kind under way.
struct busy_world : actor_world {
  campaign dr;
  pending<written> accepts, denies, order, withdrawal, receipt;
  pending<campaign> counts;
  pending<read_done> reading;

  busy_world() {
    for (int i = 0; i < 4; ++i) enrol("u" + std::to_string(i), 100'000, 500);
    dr = start_campaign();
    pass(11s); // its first restart counts as one
  }
  /// No request has a timeout of its own: whoever is not answered hangs.
  void begin() {
    accepts = post(choose{{1}, answer::accept, {}, {}, nullptr});
    denies = post(choose{{2}, answer::deny, {}, {}, nullptr});
    receipt = post(acknowledge_alert{{3}, {}});
    withdrawal = post(user_command{{1}, {storage::withdraw_points{{1}, 5, clock->now()}, nullptr}});
    auto what = make_order();
    what.ordered_at = clock->now();
    order = post(order_campaign{what, nullptr});
    counts = send<campaign>(all.registry, get_campaign{dr.id});
    reading = send<read_done>(all.store, read_task{[](storage::reader& from) { (void)from.ping(); }});
  }
  template <class Command> pending<written> post(Command what) { return send<written>(all.registry, std::move(what)); }

  bool all_answered() const { return *accepts && *denies && *receipt && *withdrawal && *order && *counts && *reading; }
  caf::actor at(const std::string& path) {
    auto root = caf::actor_cast<supervisor_impl>(incarnation_of(caf::actor_cast<caf::actor>(all.root)));
    return ask<found_child>(root, find_child{path})->who;
  }
  void kill_at(const std::string& path) { caf::anon_send_exit(at(path), caf::exit_reason::kill); }
  caf::actor entity(entity_kind kind, std::int64_t id) {
    auto stands = caf::actor_cast<registry_impl>(incarnation_of(caf::actor_cast<caf::actor>(all.registry)));
    return ask<found_entity>(stands, find_entity{kind, id})->who;
  }
  /// Runs so many messages, no more.
  void step(int messages) {
    while (messages-- > 0 && sched.try_run_once()) {}
  }
  std::int64_t points() {
    return look([](storage::reader& r) { return r.find_user({1}); }).points;
  }
  /// Acknowledged means stored; refused for good does not happen here, only "ask again".
  void judge() {
    REQUIRE(all_answered());
    auto fine = [](const auto& box) { return (*box)->has_value(); };
    for (const auto& one : {accepts, denies, receipt, withdrawal, order})
      if (!fine(one)) CHECK(passing((*one)->error()));
    if (fine(accepts)) CHECK(stored(response_id{1}).answer == answer::accept);
    if (fine(denies)) CHECK(stored(response_id{2}).answer == answer::deny);
    if (fine(receipt)) CHECK(stored(response_id{3}).delivered_at.has_value());
    if (fine(withdrawal)) CHECK(points() == 495);
    if (fine(order)) CHECK(stored(campaign_id{2}).counts.dispatched == 4);
  }
  /// What was asked for can be asked for again, and ends as if nothing had happened.
  void goes_on() {
    auto again = answer_with({1}, answer::accept);
    REQUIRE(again);
    REQUIRE(answer_with({2}, answer::deny));
    pass(1s); // an answer that was in doubt is counted anew
    auto now = ask<campaign>(all.registry, get_campaign{dr.id});
    REQUIRE(now);
    CHECK(now->counts.accept == 1);
    CHECK(now->counts.deny == 1);
    CHECK(value_of<campaign>(end(dr.id)).status == campaign_status::end);
    pass(2s);
    CHECK(stored(dr.id).frozen);
    CHECK(stored(dr.id).counts.accept == 1);
    CHECK(stored(dr.id).counts.deny == 1);
  }
};

const tree_node* node_at(const tree_node& from, const std::string& path) {
  auto slash = path.find('/');
  for (const auto& child : from.children)
    if (child.name == path.substr(0, slash))
      return slash == std::string::npos ? &child : node_at(child, path.substr(slash + 1));
  return nullptr;
}

void everybody_is_up(const tree_node& node) {
  INFO(node.name);
  CHECK(node.state == tree_node::condition::up);
  for (const auto& child : node.children) everybody_is_up(child);
}

std::int64_t restarts_below(const tree_node& node) {
  auto sum = node.restarts;
  for (const auto& child : node.children) sum += restarts_below(child);
  return sum;
}

} // namespace

TEST_CASE("an answer that was committed by a writer who died before saying so is counted", "[actors][crash]") {
  busy_world w;
  REQUIRE(w.ask<campaign>(w.all.registry, get_campaign{w.dr.id})->counts.accept == 0);
  w.database->faults().lose_commit_answers(1);
  auto unheard = w.post(choose{{1}, answer::accept, {}, {}, nullptr});
  while (w.stored(response_id{1}).answer != answer::accept && w.sched.try_run_once()) {}
  w.kill_at("storage/writers/hot_writer");
  w.pass(w.config->database.request_timeout + 5s);
  REQUIRE(*unheard);
  CHECK(w.ask<campaign>(w.all.registry, get_campaign{w.dr.id})->counts.accept == 1);
}

TEST_CASE("every actor and supervisor of the tree may be killed while busy", "[actors][crash]") {
  const std::string path = GENERATE(values<std::string>(
      {"storage", "storage/store", "storage/writers", "storage/writers/hot_writer", "storage/writers/bulk_writer",
       "storage/readers", "storage/readers/reader_1", "storage/readers/reader_2", "metering", "metering/verification",
       "dispatch", "dispatch/registry", "front", "front/push_hub"}));
  for (int messages = 0; messages < 60; messages += 5) {
    INFO(path << " after " << messages << " messages");
    busy_world w;
    auto victim = w.at(path);
    REQUIRE(victim);
    w.begin();
    w.step(messages);
    caf::anon_send_exit(victim, caf::exit_reason::kill);
    victim = nullptr;
    // Who asked the store is told after its watchdog at the latest.
    w.pass(w.config->database.request_timeout + 5s);
    w.judge();
    w.goes_on();
    w.pass(11s);
    auto tree = w.tree();
    everybody_is_up(tree);
    const auto* again = node_at(tree, path);
    REQUIRE(again);
    CHECK(again->restarts == 1);
    CHECK(restarts_below(tree) == 1); // nobody else crashed
  }
}

TEST_CASE("every entity may be killed while busy, and the next touch finds it again", "[actors][crash]") {
  const auto [kind, id] = GENERATE(table<entity_kind, int>(
      {{entity_kind::campaign, 1}, {entity_kind::response, 1}, {entity_kind::response, 2}, {entity_kind::user, 1}}));
  for (int messages = 0; messages < 60; messages += 3) {
    INFO(static_cast<int>(kind) << " " << id << " after " << messages << " messages");
    busy_world w;
    w.begin();
    w.step(messages);
    if (auto victim = w.entity(kind, id)) caf::anon_send_exit(victim, caf::exit_reason::kill);
    w.pass(w.config->database.request_timeout + 5s);
    w.judge();
    w.goes_on();
    CHECK(restarts_below(w.tree()) == 0);
  }
}

TEST_CASE("a campaign that crashes whenever it comes to life disturbs no other, and is revived ever more slowly",
          "[actors][crash]") {
  busy_world w;
  auto other = w.start_campaign();
  int killed = 0;
  for (int i = 0; i < 600; ++i) { // a minute
    if (auto victim = w.entity(entity_kind::campaign, 1)) {
      caf::anon_send_exit(victim, caf::exit_reason::kill);
      ++killed;
    }
    w.pass(100ms);
    if (i % 100 == 0) {
      CHECK(w.answer_with({5 + i / 200}, i % 200 ? answer::deny : answer::accept));
      CHECK(w.ask<campaign>(w.all.registry, get_campaign{other.id}));
    }
  }
  CHECK(killed > 5);
  CHECK(killed < 30);
  CHECK(restarts_below(w.tree()) == 0);
  w.pass(31s);
  CHECK(value_of<campaign>(w.end(w.dr.id)).status == campaign_status::end);
}

TEST_CASE("an order whose dispatcher is killed is answered, and looked for if it was stored", "[actors][crash]") {
  for (int messages = 1; messages < 12; ++messages) {
    INFO(messages);
    busy_world w;
    auto what = make_order();
    what.ordered_at = w.clock->now();
    auto order = w.post(order_campaign{what, nullptr});
    w.step(messages);
    // The store's answer never reaches it: the whole storage goes, and the registry with its dispatchers.
    caf::anon_send_exit(incarnation_of(caf::actor_cast<caf::actor>(w.all.store)), caf::exit_reason::kill);
    caf::anon_send_exit(incarnation_of(caf::actor_cast<caf::actor>(w.all.registry)), caf::exit_reason::kill);
    w.pass(w.config->database.bulk_timeout + 10s);
    REQUIRE(*order);
    auto there = w.look([](storage::reader& r) { return r.campaigns({}, {0, 0, 10}); }).items.size();
    if (**order) CHECK(there == 2);
    if (there == 2) CHECK(w.ask<campaign>(w.all.registry, get_campaign{{2}})->counts.dispatched == 4);
  }
}
