// The batch that is filled while its writer is busy: what goes in, who begins it, what comes out again; and the store
// and the worker that hand it over.
#include "store_world.hpp"

using namespace dr;
using namespace dr::actor_test;

namespace {

storage::write withdrawal(std::int64_t amount) { return {storage::withdraw_points{{1}, amount, {}}, nullptr}; }
std::int64_t amount_of(const storage::write& change) { return std::get<storage::withdraw_points>(change.what).amount; }

/// A writer that counts the changes it is given, and fails when told to.
class counting_writer final : public storage::writer {
public:
  struct log {
    std::vector<std::string> ids;
    std::vector<std::size_t> sizes;
    bool failing = false;
  };
  explicit counting_writer(log& to) : to_(to) {}
  result<storage::committed> commit(const std::string& id, std::span<const storage::write> batch) override {
    to_.ids.push_back(id);
    to_.sizes.push_back(batch.size());
    if (to_.failing) return fail(errc::store_unavailable, "told so");
    return storage::committed{};
  }
  void abort() noexcept override {}

private:
  log& to_;
};

struct worker_world : stepped_system {
  counting_writer::log log;
  store_writer_actor worker = spawn_store_writer(
      system, [this] { return std::make_unique<counting_writer>(log); },
      std::make_shared<connection_slot<storage::writer>>(), worker_thread::scheduler);
  ~worker_world() {
    caf::anon_send_exit(worker, caf::exit_reason::kill);
    run();
  }
  std::shared_ptr<open_batch> batch(int changes = 1) {
    auto made = std::make_shared<open_batch>(std::make_shared<user_cache>(0), 10);
    for (int i = 0; i < changes; ++i) {
      auto change = withdrawal(i);
      made->add(change);
    }
    return made;
  }
  /// Was it carried out?
  bool commit(const std::string& id, const std::shared_ptr<open_batch>& what, const std::string& follows = {}) {
    const auto got = ask<batch_outcome>(worker, commit_batch{id, what, follows});
    REQUIRE(got);
    return got->done != nullptr;
  }
};

} // namespace

TEST_CASE("a batch takes changes until it is full or begun, in order", "[actors]") {
  const auto users = std::make_shared<user_cache>(0);
  open_batch batch(users, 2);
  auto one = withdrawal(1), two = withdrawal(2), three = withdrawal(3);
  CHECK(batch.add(one));
  CHECK(batch.add(two));
  CHECK_FALSE(batch.add(three));
  CHECK(amount_of(three) == 3);
  const auto begun = batch.begin();
  REQUIRE(begun);
  REQUIRE(begun->size() == 2);
  CHECK(amount_of((*begun)[1]) == 2);
  CHECK_FALSE(batch.take_back());
  CHECK(batch.begin()->data() == begun->data()); // a repetition
  open_batch other(users, 2);
  CHECK(other.begin()->empty());
  CHECK_FALSE(other.add(three));
}

TEST_CASE("a batch that was taken back cannot be begun, and takes nothing", "[actors]") {
  open_batch batch(std::make_shared<user_cache>(0), 2);
  auto one = withdrawal(1), two = withdrawal(2);
  CHECK(batch.add(one));
  const auto back = batch.take_back();
  REQUIRE(back);
  REQUIRE(back->size() == 1);
  CHECK(amount_of(back->front()) == 1);
  CHECK_FALSE(batch.begin());
  CHECK_FALSE(batch.add(two));
  CHECK_FALSE(batch.take_back());
}

TEST_CASE("what is taken back may be read through the cache again, and is held once by the batch that it comes to",
          "[actors][users]") {
  const auto users = std::make_shared<user_cache>(10);
  const auto readable = [&](std::int64_t id) { return users->find({id}).ticket != 0; };
  storage::write change{
      GENERATE(storage::change{storage::withdraw_points{{1}, 1, {}}}, storage::change{storage::import_users{}}),
      nullptr};
  {
    open_batch batch(users, 2);
    REQUIRE(batch.add(change));
    CHECK_FALSE(readable(1));
    change = std::move(batch.take_back()->front());
    CHECK(readable(1));
  }
  CHECK(readable(1));
  {
    open_batch later(users, 2);
    REQUIRE(later.add(change));
    CHECK_FALSE(readable(1));
  }
  CHECK(readable(1));
}

TEST_CASE_METHOD(worker_world, "a worker begins a batch only right behind the one it follows, if that succeeded",
                 "[actors]") {
  CHECK(commit("a", batch()));
  CHECK(commit("b", batch(3), "a"));
  CHECK_FALSE(commit("d", batch(), "c"));
  CHECK_FALSE(commit("c", batch(), "a")); // that was not the last
  log.failing = true;
  const auto failed = batch(2);
  CHECK_FALSE(commit("c", failed, "b"));
  log.failing = false;
  CHECK_FALSE(commit("d", batch(), "c"));
  CHECK_FALSE(commit("d", batch(), "b")); // something else was tried since
  CHECK(commit("c", failed));
  CHECK(commit("d", batch(), "c"));
  CHECK(log.ids == std::vector<std::string>{"a", "b", "c", "c", "d"});
  CHECK(log.sizes == std::vector<std::size_t>{1, 3, 2, 2, 1});
}

TEST_CASE_METHOD(worker_world, "a worker does nothing of a batch that was taken back", "[actors]") {
  const auto gone = batch();
  REQUIRE(gone->take_back());
  CHECK_FALSE(commit("a", gone));
  CHECK(log.ids.empty());
  CHECK(commit("", nullptr)); // a probe needs none
  CHECK(log.sizes == std::vector<std::size_t>{0});
}

TEST_CASE_METHOD(store_world,
                 "the batch behind a running one is with the writer, and takes what comes until it is begun",
                 "[actors]") {
  options.queue_max = 10;
  start();
  auto first = put(1), second = put(2), third = put(3);
  REQUIRE(hot.behind.size() == 1);
  const auto next = hot.behind.front().what;
  CHECK(next.follows == hot.batches[0].id);
  CHECK(next.what->begin()->size() == 2); // the writer was faster than the news of its success
  auto fourth = put(4);
  CHECK(state().queued == 4);
  hot.succeed();
  CHECK(done(first) == 1);
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].id == next.id);
  CHECK(hot.batches[0].changes.size() == 2);
  REQUIRE(hot.behind.size() == 1);
  hot.succeed();
  CHECK(done(second) == 2);
  CHECK(done(third) == 3);
  hot.succeed();
  CHECK(done(fourth) == 4);
  CHECK(state().queued == 0);
}

TEST_CASE_METHOD(store_world, "nothing is begun behind a failure, and nothing loses its place by it", "[actors]") {
  options.queue_max = 10;
  start();
  auto first = put(1), second = put(2), third = put(3);
  const auto id = hot.batches[0].id;
  hot.fail_with(GENERATE(errc::store_unavailable, errc::outcome_unknown));
  run();
  auto fourth = put(4), fifth = put(5);
  CHECK(hot.batches.empty());
  CHECK(hot.behind.empty());
  CHECK(state().queued == 5);
  advance(20ms);
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].id == id);
  CHECK(hot.behind.empty());
  hot.succeed();
  CHECK(done(first) == 1);
  REQUIRE(hot.batches.size() == 1);
  REQUIRE(hot.batches[0].changes.size() == 3); // as many as a batch holds
  CHECK(amount_of(hot.batches[0].changes[0]) == 2);
  CHECK(amount_of(hot.batches[0].changes[2]) == 4);
  hot.succeed();
  CHECK(done(second) == 2);
  CHECK(done(fourth) == 4);
  hot.succeed();
  CHECK(done(fifth) == 5);
}

TEST_CASE_METHOD(store_world, "what waits behind a batch that is refused for good is carried out", "[actors]") {
  start();
  auto refused = put(1), behind = put(2);
  hot.fail_with(errc::invalid);
  CHECK(failed(refused) == errc::invalid);
  REQUIRE(hot.batches.size() == 1);
  hot.succeed();
  CHECK(done(behind) == 2);
}

TEST_CASE_METHOD(store_world,
                 "a worker that has begun the next batch has carried out the one before, late as it may be",
                 "[actors]") {
  start();
  auto slow = put(1), next = put(2);
  hot.behind.front().what.what->begin(); // its outcome is in the post
  advance(10s);
  CHECK(aborts == 0);
  hot.succeed();
  CHECK(done(slow) == 1);
  REQUIRE(hot.batches.size() == 1);
  advance(9s);
  CHECK(aborts == 0); // its time began with its predecessor's end
  advance(1s);
  CHECK(aborts == 1);
  hot.succeed(); // too late
  advance(20ms);
  CHECK(failed(next) == errc::outcome_unknown); // it has waited longer than anybody does
}

TEST_CASE_METHOD(store_world, "what stands behind a writer that hangs waits no longer than its own time", "[actors]") {
  start();
  auto stuck = put(1);
  advance(6s);
  auto behind = put(2);
  advance(4s);
  CHECK(aborts == 1);
  CHECK_FALSE(*behind);
  hot.fail_with(errc::outcome_unknown); // comes to nobody
  for (int i = 0; i < 590; ++i) {
    advance(10ms);
    if (!hot.batches.empty()) hot.fail_with(errc::store_unavailable);
  }
  CHECK(failed(stuck) == errc::outcome_unknown);
  CHECK_FALSE(*behind);
  for (int i = 0; i < 60; ++i) {
    advance(10ms);
    if (!hot.batches.empty()) hot.fail_with(errc::store_unavailable);
  }
  CHECK(failed(behind) == errc::store_unavailable);
}

TEST_CASE_METHOD(store_world, "of a batch that was begun when the store ended nobody knows the outcome", "[actors]") {
  start();
  auto running = put(1), begun = put(2);
  hot.behind.front().what.what->begin();
  auto waiting = put(3);
  auto nothing_done = errc::store_unavailable;
  SECTION("by a crash") { caf::anon_send_exit(under_test, caf::exit_reason::kill); }
  SECTION("by a fence that the other lane found") {
    put_bulk();
    bulk.fail_with(errc::fenced);
    nothing_done = errc::fenced;
  }
  CHECK(failed(running) == errc::outcome_unknown);
  CHECK(failed(begun) == errc::outcome_unknown);
  CHECK(failed(waiting) == nothing_done);
}

TEST_CASE_METHOD(store_world, "a next batch that finds nobody tells that the running one is with nobody, too",
                 "[actors]") {
  start();
  auto running = put(1);
  const auto id = hot.batches[0].id;
  caf::anon_send_exit(hot_actor, caf::exit_reason::kill);
  hot.forget();
  SECTION("while there is no worker") {
    point_to(hot_handle, {});
    auto next = put(2);
    CHECK_FALSE(*next);
    hot_actor = spawn_writer(hot);
    point_to(hot_handle, hot_actor);
  }
  SECTION("when there is another one") {
    hot_actor = spawn_writer(hot);
    point_to(hot_handle, hot_actor);
    auto next = put(2);
    CHECK_FALSE(*next);
    CHECK(hot.batches.empty());
  }
  auto third = put(3);
  advance(20ms); // and not when the watchdog strikes
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].id == id);
  hot.succeed();
  CHECK(done(running) == 1);
  REQUIRE(hot.batches.size() == 1);
  CHECK(hot.batches[0].changes.size() == 2);
  CHECK(amount_of(hot.batches[0].changes[1]) == 3);
  hot.succeed();
  CHECK(done(third) == 3);
  CHECK(aborts == 0);
}
