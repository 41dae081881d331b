// The pool of readers: one task each, a bounded queue, a watchdog, and readers that come and go.
#include "actor_world.hpp"
#include "actors/store.hpp"

/// Tells a scripted reader to answer its oldest task; promises may be kept only inside of their actor.
struct answer_oldest {};
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(answer_oldest)

using namespace dr;
using namespace dr::actor_test;

namespace {

/// A store with two readers that answer when the test says so.
using scripted_reader = store_reader_actor::extend<caf::reacts_to<answer_oldest>>;

struct reading_world : stepped_system {
  struct scripted {
    std::vector<read_task> tasks;
    std::vector<caf::typed_response_promise<read_done>> replies;
    caf::actor stable, actor;
    void answer() { caf::anon_send(actor, answer_oldest{}); }
  };
  std::array<scripted, 2> readers;
  store_options options;
  store_actor under_test;

  explicit reading_world(std::size_t queue_max = 2) {
    options.read_queue_max = queue_max;
    store_workers workers;
    for (auto& r : readers) {
      r.stable = make_stable(system, "a reader");
      workers.readers.push_back(
          {caf::actor_cast<store_reader_actor>(r.stable), std::make_shared<connection_slot<storage::reader>>()});
      come(r);
    }
    under_test = system.spawn(store, options, workers, push_hub_actor{});
    run();
  }
  ~reading_world() {
    caf::anon_send_exit(under_test, caf::exit_reason::kill);
    for (auto& r : readers) leave(r);
    run();
  }
  void come(scripted& r) {
    r.actor =
        caf::actor_cast<caf::actor>(system.spawn([&r](scripted_reader::pointer self) -> scripted_reader::behavior_type {
          return {[self, &r](const read_task& task) -> caf::result<read_done> {
                    r.tasks.push_back(task);
                    r.replies.push_back(self->make_response_promise<read_done>());
                    return r.replies.back();
                  },
                  [&r](answer_oldest) {
                    r.replies.front().deliver(read_done{});
                    r.replies.erase(r.replies.begin());
                    r.tasks.erase(r.tasks.begin());
                  }};
        }));
    point_to(r.stable, r.actor);
  }
  void leave(scripted& r) {
    point_to(r.stable, {});
    r.replies.clear();
    r.tasks.clear();
    if (r.actor) caf::anon_send_exit(r.actor, caf::exit_reason::kill);
    r.actor = nullptr;
    run();
  }
  auto ask_for(urgency how = urgency::prompt) {
    auto got = send<read_done>(under_test, read_task{[](storage::reader&) {}, how});
    run();
    return got;
  }
  urgency answered(int reader) {
    const auto how = readers.at(reader).tasks.front().urgency;
    readers.at(reader).answer();
    run();
    return how;
  }
};

struct long_queue_world : reading_world {
  long_queue_world() : reading_world(100) {}
};

} // namespace

TEST_CASE_METHOD(reading_world, "each reader has one task at a time, and a full queue refuses at once", "[actors]") {
  auto a = ask_for(), b = ask_for(), c = ask_for(), d = ask_for(), e = ask_for();
  CHECK(readers[0].tasks.size() == 1);
  CHECK(readers[1].tasks.size() == 1);
  REQUIRE(*e);
  CHECK(error_of(**e) == errc::overloaded);
  readers[1].answer();
  run();
  CHECK(*b);
  CHECK_FALSE(*a);
  CHECK(readers[1].tasks.size() == 1); // the next in the queue
  CHECK_FALSE(*c);
}

TEST_CASE_METHOD(long_queue_world, "lists leave a reader to the others, and nobody waits for ever", "[actors]") {
  std::vector<pending<read_done>> lists, rows;
  for (int i = 0; i < 3; ++i) lists.push_back(ask_for(urgency::lengthy));
  CHECK(readers[0].tasks.size() == 1);
  CHECK(readers[1].tasks.empty()); // kept free
  for (int i = 0; i < 8; ++i) rows.push_back(ask_for());
  auto background = ask_for(urgency::yielding);
  CHECK(readers[1].tasks.size() == 1);
  std::vector<urgency> order;
  for (int i = 0; i < 9; ++i) order.push_back(answered(1));
  CHECK(std::ranges::count(order, urgency::prompt) == 8);
  CHECK(std::ranges::count(order, urgency::lengthy) == 0); // one is under way all the time
  CHECK(order.back() != urgency::yielding);                // it had its turn before
  CHECK(*background);
  for (const auto& row : rows) CHECK(*row);
  answered(0);
  CHECK(*lists[0]);
  auto row = ask_for(); // beside the second list
  REQUIRE(readers[1].tasks.size() == 1);
  answered(1);
  CHECK(*row);
  while (!readers[0].tasks.empty()) answered(0);
  for (const auto& list : lists) CHECK(*list);
}

TEST_CASE_METHOD(long_queue_world, "the course of a campaign goes before everything else", "[actors]") {
  for (int i = 0; i < 2; ++i) ask_for();
  std::vector<pending<read_done>> waiting;
  for (int i = 0; i < 9; ++i) waiting.push_back(ask_for(i % 3 == 0 ? urgency::yielding : urgency::prompt));
  auto alert = ask_for(urgency::leading);
  answered(0);
  CHECK(readers[0].tasks.front().urgency == urgency::leading);
  answered(0);
  CHECK(*alert);
}

TEST_CASE_METHOD(long_queue_world, "however many lead, those behind have their turns", "[actors]") {
  for (int i = 0; i < 2; ++i) ask_for();
  std::vector<pending<read_done>> leaders;
  for (int i = 0; i < 12; ++i) leaders.push_back(ask_for(urgency::leading));
  auto row = ask_for();
  auto work = ask_for(urgency::yielding);
  std::vector<urgency> order;
  for (int i = 0; i < 10; ++i) order.push_back(answered(0));
  CHECK(std::ranges::count(order, urgency::leading) >= 6);
  CHECK(*row);
  CHECK(*work);
}

TEST_CASE_METHOD(long_queue_world, "what waited too long to be answered in time is refused, and makes room for others",
                 "[actors]") {
  auto a = ask_for(), b = ask_for();
  auto old = ask_for();
  advance(options.read_timeout / 2);
  auto young = ask_for();
  answered(0);
  REQUIRE(*old);
  CHECK(error_of(**old) == errc::timed_out);
  CHECK(readers[0].tasks.size() == 1);
  answered(0);
  CHECK(*young);
}

TEST_CASE_METHOD(reading_world, "a stuck reader costs one caller and comes back when it answers", "[actors]") {
  auto stuck = ask_for();
  advance(10s);
  REQUIRE(*stuck);
  CHECK(error_of(**stuck) == errc::timed_out);
  auto next = ask_for(), third = ask_for();
  CHECK(readers[1].tasks.size() == 1); // only the healthy one is used
  readers[1].answer();
  run();
  CHECK(*next);
  CHECK(readers[1].tasks.size() == 1);
  advance(20ms); // the ping to the stuck one lies in its queue
  REQUIRE(readers[0].tasks.size() == 2);
  readers[0].answer();
  readers[0].answer();
  run();
  auto fourth = ask_for();
  CHECK(readers[0].tasks.size() == 1);
  CHECK_FALSE(*third);
}

TEST_CASE_METHOD(reading_world, "a task whose reader is gone goes to another one, or waits for its return",
                 "[actors]") {
  leave(readers[0]);
  auto first = ask_for();
  CHECK(readers[1].tasks.size() == 1);
  leave(readers[1]);
  auto second = ask_for();
  CHECK_FALSE(*second);
  come(readers[0]);
  advance(20ms);
  while (!*second && !readers[0].tasks.empty()) {
    readers[0].answer();
    run();
  }
  CHECK(*second);
}

TEST_CASE("a query that throws fails alone; its reader is restarted", "[actors]") {
  actor_world world;
  auto bad =
      world.send<read_done>(world.all.store, read_task{[](storage::reader&) { throw std::runtime_error("a defect"); }});
  world.run();
  REQUIRE(*bad);
  CHECK(error_of(**bad) == errc::internal);
  world.pass(200ms);
  for (int i = 0; i < 5; ++i) CHECK(world.ask<read_done>(world.all.store, read_task{[](storage::reader&) {}}));
  auto tree = world.tree();
  auto& readers = tree.children[0].children[2];
  REQUIRE(readers.name == "readers");
  CHECK(readers.children[0].restarts + readers.children[1].restarts == 1);
  CHECK(tree.children[0].children[0].restarts == 0); // the store itself noticed nothing
}

TEST_CASE("readers that do not reach the database are noticed by reads, and looked after until they do",
          "[actors][health]") {
  actor_world world;
  auto state = [&] { return *world.ask<storage_state>(world.all.store, get_storage_state{}); };
  world.database->faults().fail_reads(1);
  CHECK(world.ask<read_done>(world.all.store, read_task{[](storage::reader& from) { (void)from.ping(); }}));
  CHECK(state().state == storage_state::condition::recovering);
  CHECK(state().cause == storage::outage_cause::unreachable);
  world.pass(2s); // nobody reads but the store itself
  CHECK(state().state == storage_state::condition::up);
}

TEST_CASE_METHOD(reading_world, "a store that crashes answers the reads under way, too", "[actors][crash]") {
  auto running = ask_for(), other = ask_for(), queued = ask_for();
  caf::anon_send_exit(under_test, caf::exit_reason::kill);
  run();
  for (const auto& one : {running, other, queued}) {
    REQUIRE(*one);
    CHECK(dr::actors::passing((*one)->error()));
  }
}
