// How the store finds out what is wrong with it, and says so.
#include "store_world.hpp"

using namespace dr;
using namespace dr::actor_test;

TEST_CASE_METHOD(store_world, "an idle store looks whether storage is there, and a busy one does not need to",
                 "[actors][health]") {
  start();
  advance(1'990ms);
  CHECK(hot.probes == 0);
  advance(10ms);
  CHECK(hot.probes == 1);
  auto busy = put(1);
  advance(4s);
  CHECK(hot.probes == 1);
  hot.succeed();
  CHECK(done(busy) == 1);
  advance(2s);
  CHECK(hot.probes == 2);
  CHECK(state().state == storage_state::condition::up);
}

TEST_CASE_METHOD(store_world, "an idle store notices that storage is gone, says why, and that it is back",
                 "[actors][health]") {
  start();
  hot.away = storage::outage{storage::outage_cause::disk_full, "no space"};
  advance(2s);
  CHECK(state().state == storage_state::condition::recovering);
  CHECK(state().cause == storage::outage_cause::disk_full);
  CHECK(state().last_error == "no space");
  CHECK(state().failing_since.has_value());
  // What comes now waits; storage is looked for by changes that change nothing.
  auto waiting = put(7);
  advance(20ms);
  REQUIRE(hot.batches.size() == 1);
  for (int i = 0; i < 600; ++i) {
    if (!hot.batches.empty()) hot.fail_with(errc::store_unavailable);
    advance(10ms);
  }
  CHECK(state().state == storage_state::condition::down);
  hot.away.reset();
  for (int i = 0; i < 200 && !*waiting; ++i) {
    if (!hot.batches.empty()) hot.succeed();
    advance(10ms);
  }
  CHECK(done(waiting) == 7);
  CHECK(state().state == storage_state::condition::up);
  CHECK_FALSE(state().failing_since.has_value());
}

TEST_CASE_METHOD(store_world, "a probe of a writer that was fenced ends the process, though nobody writes",
                 "[actors][health]") {
  start();
  hot.away = storage::outage{};
  hot.away_as = errc::fenced;
  advance(2s);
  CHECK(fenced == 1);
  CHECK(state().fenced);
}

TEST_CASE_METHOD(store_world, "a queue that fills up is said before it is full, until it has emptied by half",
                 "[actors][health]") {
  start(); // at most 5
  auto a = put(1), b = put(2), c = put(3);
  CHECK_FALSE(state().crowded_since.has_value());
  auto d = put(4);
  CHECK(state().crowded_since.has_value());
  hot.succeed();
  run();
  CHECK(state().crowded_since.has_value()); // three are left
  hot.succeed();
  run();
  CHECK_FALSE(state().crowded_since.has_value());
}

TEST_CASE("the connection of a worker that has a successor is broken off", "[actors]") {
  int first = 0, second = 0;
  connection_slot<storage::writer> slot;
  slot.put(std::make_shared<aborted_writer>(first));
  CHECK(first == 0);
  slot.put(std::make_shared<aborted_writer>(second));
  CHECK(first == 1);
  CHECK(second == 0);
}
