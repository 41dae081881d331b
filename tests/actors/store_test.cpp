// The store: batches, lanes, retries, doubt, bounds, fencing, the watchdogs.
#include "store_world.hpp"

using namespace dr;
using namespace dr::actor_test;

TEST_CASE_METHOD(store_world, "what queues during a commit goes into the next one, up to the limit, in order",
                 "[actors]") {
  start();
  auto first = put(1);
  REQUIRE(hot.batches.size() == 1); // at once, no timer
  CHECK(hot.batches[0].changes.size() == 1);
  auto second = put(2), third = put(3), fourth = put(4), fifth = put(5);
  CHECK(hot.batches.size() == 1);
  hot.succeed();
  run();
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].changes.size() == 3);
  CHECK(done(first) == 1);
  CHECK_FALSE(*second);
  hot.succeed();
  run();
  CHECK(done(second) == 2);
  CHECK(done(third) == 3);
  CHECK(done(fourth) == 4);
  CHECK(hot.batches[0].changes.size() == 1);
  hot.succeed();
  CHECK(done(fifth) == 5);
}

TEST_CASE_METHOD(store_world, "bulk changes go their own way, one per transaction, and stall no small one",
                 "[actors]") {
  start();
  auto big = put_bulk(), other = put_bulk(), small = put(7);
  CHECK(bulk.batches.size() == 1);
  hot.succeed();
  CHECK(done(small) == 7);
  CHECK_FALSE(*big);
  bulk.succeed();
  CHECK(done(big) == 0);
  CHECK(bulk.batches.size() == 1);
  bulk.succeed();
  CHECK(done(other) == 0);
}

TEST_CASE_METHOD(store_world, "a full queue refuses at once", "[actors]") {
  start();
  std::vector<pending<written>> taken;
  for (int i = 0; i < 5; ++i) taken.push_back(put(i));
  CHECK(failed(put(9)) == errc::overloaded);
  CHECK(state().queued == 5);
  hot.succeed();
  run();
  auto again = put(10);
  CHECK_FALSE(*again);
}

TEST_CASE_METHOD(store_world, "a failed change of a batch fails alone", "[actors]") {
  start();
  auto busy = put(1), good = put(2), bad = put(3);
  hot.succeed();
  run();
  batch_outcome outcome;
  outcome.done = std::make_shared<storage::committed>();
  outcome.done->results.emplace_back(written{storage::done{2}});
  outcome.done->results.emplace_back(fail(errc::insufficient_points));
  hot.answer(outcome);
  CHECK(done(busy) == 1);
  CHECK(done(good) == 2);
  CHECK(failed(bad) == errc::insufficient_points);
}

TEST_CASE_METHOD(store_world, "an unreachable store is tried again with the same batch while its callers wait",
                 "[actors]") {
  start();
  auto waiting = put(1);
  auto id = hot.batches[0].id;
  hot.fail_with(errc::store_unavailable);
  run();
  CHECK(hot.batches.empty());
  CHECK(state().state == storage_state::condition::recovering);
  advance(20ms);
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].id == id);
  hot.fail_with(errc::outcome_unknown);
  advance(39ms);
  CHECK(hot.batches.empty()); // the backoff grows
  advance(1ms);
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].id == id);
  hot.succeed();
  CHECK(done(waiting) == 1);
  CHECK(state().state == storage_state::condition::up);
  CHECK(state().last_error == "scripted");
  CHECK(hot.batches.empty());
}

TEST_CASE_METHOD(store_world, "a store that stays away is down, and its callers hear that nothing was written",
                 "[actors]") {
  start();
  auto waiting = put(1);
  auto queued = put(2);
  for (int i = 0; i < 1'100; ++i) {
    if (!hot.batches.empty()) hot.fail_with(errc::store_unavailable);
    advance(10ms);
    if (i == 600) CHECK(state().state == storage_state::condition::down);
  }
  CHECK(failed(waiting) == errc::store_unavailable);
  CHECK(failed(queued) == errc::store_unavailable);
  CHECK(state().queued == 0);
  // It goes on looking by itself, with a change that changes nothing.
  advance(2s);
  REQUIRE(hot.batches.size() == 1);
  CHECK(std::holds_alternative<storage::remember_answer>(hot.batches[0].changes[0].what));
  hot.succeed();
  run();
  CHECK(state().state == storage_state::condition::up);
}

TEST_CASE_METHOD(store_world,
                 "a bulk change that runs long survives one failure, but waits no longer than others for storage",
                 "[actors]") {
  start();
  auto long_one = put_bulk();
  auto behind = put_bulk();
  advance(30s);
  bulk.fail_with(errc::store_unavailable); // after 30 s of its two minutes
  advance(100ms);
  REQUIRE(bulk.batches.size() == 1);
  bulk.succeed();
  run();
  CHECK(done(long_one) == 0);
  REQUIRE(bulk.batches.size() == 1);
  for (int i = 0; i < 1'200; ++i) { // storage stays away
    if (!bulk.batches.empty()) bulk.fail_with(errc::store_unavailable);
    advance(10ms);
  }
  CHECK(failed(behind) == errc::store_unavailable);
}

TEST_CASE_METHOD(store_world, "a batch in doubt is repeated until its fate is known, even when nobody waits",
                 "[actors]") {
  start();
  auto waiting = put(1);
  auto id = hot.batches[0].id;
  hot.fail_with(errc::outcome_unknown);
  run();
  for (int i = 0; i < 1'100; ++i) {
    if (!hot.batches.empty()) hot.fail_with(errc::store_unavailable); // says nothing about the first try
    advance(10ms);
  }
  CHECK(failed(waiting) == errc::outcome_unknown);
  auto later = put(2);
  advance(2s);
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].id == id);
  hot.succeed();
  run();
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].id != id);
  hot.succeed();
  CHECK(done(later) == 2);
}

TEST_CASE_METHOD(store_world, "a writer that crashes in mid-commit leaves a doubt that the next one resolves",
                 "[actors]") {
  start();
  auto waiting = put(1);
  auto id = hot.batches[0].id;
  caf::anon_send_exit(hot_actor, caf::exit_reason::kill);
  hot.forget();
  point_to(hot_handle, {});
  run();
  advance(10s); // the watchdog: a dead writer's promise answers nothing
  hot_actor = spawn_writer(hot);
  point_to(hot_handle, hot_actor);
  advance(1s);
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].id == id);
  hot.succeed();
  run();
  CHECK(state().state == storage_state::condition::up);
}

TEST_CASE_METHOD(store_world, "a stuck writer is broken off after its time", "[actors]") {
  start();
  auto waiting = put(1);
  advance(9'990ms);
  CHECK(aborts == 0);
  advance(10ms);
  CHECK(aborts == 1);
  CHECK(state().last_error == "a transaction took too long");
  CHECK(state().state == storage_state::condition::recovering);
}

TEST_CASE_METHOD(store_world, "the watchdog counts from the begin of the present transaction", "[actors]") {
  start();
  put(1);
  advance(6s);
  hot.succeed(1);
  auto second = put(2);
  advance(9s);
  CHECK(aborts == 0);
  hot.succeed(2);
  CHECK(done(second) == 2);
  advance(20s); // nothing is under way
  CHECK(aborts == 0);
  auto third = put(3);
  advance(10s);
  CHECK(aborts == 1);
  hot.succeed(3); // too late
  run();
  CHECK_FALSE(*third); // it is repeated
}

TEST_CASE_METHOD(store_world, "a fenced store answers fenced from then on and says so once", "[actors]") {
  start();
  auto running = put(1), queued = put(2);
  hot.fail_with(errc::fenced);
  CHECK(failed(running) == errc::fenced);
  CHECK(failed(queued) == errc::fenced);
  CHECK(failed(put(3)) == errc::fenced);
  CHECK(failed(put_bulk()) == errc::fenced);
  CHECK(fenced == 1);
  CHECK(state().state == storage_state::condition::down);
}

TEST_CASE_METHOD(store_world, "what may have been committed before the fence is said to be unknown", "[actors]") {
  start();
  auto tried = put(1), other_lane = put_bulk();
  hot.fail_with(errc::outcome_unknown);
  advance(1s);
  auto queued = put(2);
  hot.fail_with(errc::fenced);
  CHECK(failed(tried) == errc::outcome_unknown);
  CHECK(failed(other_lane) == errc::outcome_unknown);
  CHECK(failed(queued) == errc::fenced);
  bulk.succeed(7); // it comes to nobody
  CHECK(failed(put(3)) == errc::fenced);
  CHECK(announced.empty());
}

TEST_CASE_METHOD(store_world, "campaigns count anew when a store begins, and when a doubt begins and ends",
                 "[actors]") {
  start();
  CHECK(doubts == 1); // a former store may have died before telling
  put(1);
  hot.succeed(1);
  run();
  CHECK(doubts == 1);
  put(1);
  hot.fail_with(errc::outcome_unknown);
  run();
  CHECK(doubts == 2);
  advance(1s);
  hot.fail_with(errc::outcome_unknown);
  run();
  CHECK(doubts == 2); // still the same
  advance(1s);
  hot.succeed(2);
  run();
  CHECK(doubts == 3); // what was committed may be lost to everybody
}

TEST_CASE_METHOD(store_world, "the hub hears of each commit, with the last event", "[actors]") {
  start();
  for (auto seq : {3, 3, 5}) {
    put(1);
    hot.succeed(seq);
    run();
  }
  CHECK(announced == std::vector<std::int64_t>{3, 3, 5});
}

TEST_CASE_METHOD(store_world, "a store that crashes tells its callers what became of their changes", "[actors]") {
  start();
  auto running = put(1), queued = put(2);
  caf::anon_send_exit(under_test, caf::exit_reason::kill);
  CHECK(failed(running) == errc::outcome_unknown);
  CHECK(failed(queued) == errc::store_unavailable);
}

TEST_CASE("commit times give quantiles over the last transactions", "[actors]") {
  commit_times times;
  CHECK(times.quantile(0.5) == 0);
  for (int i = 1; i <= 101; ++i) times.add(i);
  CHECK(times.quantile(0.5) == 51);
  CHECK(times.quantile(0.99) == 100);
  for (int i = 0; i < 512; ++i) times.add(7);
  CHECK(times.quantile(0.99) == 7);
}
