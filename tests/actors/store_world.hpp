// A store whose writers answer when the test says so.
#pragma once

#include "actor_world.hpp"
#include "actors/store.hpp"

#include <deque>
#include <span>

namespace dr::actor_test {

using storage::written;

/// A writer without a database: it begins one batch after the other, as the real one does, and answers on demand.
struct scripted_writer {
  struct begun_batch {
    std::string id;
    std::span<const storage::write> changes;
    std::shared_ptr<open_batch> what;
  };
  struct sent_batch {
    commit_batch what;
    caf::typed_response_promise<batch_outcome> reply;
  };
  int probes = 0;
  std::optional<storage::outage> away; ///< what a probe meets
  errc away_as = errc::store_unavailable;
  std::deque<begun_batch> batches; ///< at most one: it waits for its answer
  std::deque<sent_batch> behind;

  batch_outcome probed() {
    ++probes;
    batch_outcome outcome;
    if (away)
      outcome.failure = fail(away_as, "the database cannot be used"), outcome.outage = *away;
    else
      outcome.done = std::make_shared<storage::committed>();
    return outcome;
  }
  /// Every change succeeds; its answer is done{amount} for a withdrawal, else done{}.
  void succeed(std::int64_t last_seq = 0) {
    batch_outcome outcome;
    outcome.done = std::make_shared<storage::committed>();
    outcome.commit_ms = 2;
    outcome.done->last_seq = last_seq;
    for (const auto& w : batches.front().changes) {
      const auto* points = std::get_if<storage::withdraw_points>(&w.what);
      outcome.done->results.emplace_back(written{storage::done{points ? points->amount : 0}});
    }
    answer(outcome);
  }
  void fail_with(errc code) {
    batch_outcome outcome;
    outcome.failure = fail(code, "scripted");
    answer(outcome);
  }
  /// Promises may be kept only inside of their actor.
  void answer(const batch_outcome& outcome) {
    succeeded_ = outcome.done ? batches.front().id : "";
    batches.pop_front(); // answered, as far as the test is concerned
    caf::anon_send(actor, outcome);
  }
  void take(sent_batch sent) {
    behind.push_back(std::move(sent));
    go_on();
  }
  void deliver(const batch_outcome& outcome) {
    std::exchange(reply_, {}).deliver(outcome);
    go_on();
  }
  /// As a new one after a crash.
  void forget() {
    batches.clear();
    behind.clear();
    reply_ = {};
    succeeded_.clear();
  }
  caf::actor actor = {};

private:
  void go_on() {
    while (!behind.empty() && !reply_.pending()) {
      auto next = std::move(behind.front());
      behind.pop_front();
      const bool in_order = next.what.follows.empty() || next.what.follows == succeeded_;
      if (const auto changes = in_order ? next.what.what->begin() : std::nullopt) {
        batches.push_back({next.what.id, *changes, next.what.what});
        reply_ = next.reply;
      } else {
        next.reply.deliver(batch_outcome{nullptr, fail(errc::store_unavailable, "not begun"), {}, 0});
      }
    }
  }
  caf::typed_response_promise<batch_outcome> reply_;
  std::string succeeded_;
};
using scripted_writer_actor = store_writer_actor::extend<caf::reacts_to<batch_outcome>>;

class aborted_writer final : public storage::writer {
public:
  explicit aborted_writer(int& aborts) : aborts_(aborts) {}
  result<storage::committed> commit(const std::string&, std::span<const storage::write>) override {
    return fail(errc::internal);
  }
  void abort() noexcept override { ++aborts_; }

private:
  int& aborts_;
};

struct store_world : stepped_system {
  scripted_writer hot, bulk;
  caf::actor hot_handle = make_stable(system, "the hot writer");
  caf::actor hot_actor;
  store_options options;
  store_actor under_test;
  std::vector<std::int64_t> announced;
  int doubts = 0;
  int fenced = 0;
  int aborts = 0;

  store_world() {
    options.batch_max = 3;
    options.queue_max = 5;
    options.on_fenced = [this] { ++fenced; };
  }
  ~store_world() {
    caf::anon_send_exit(under_test, caf::exit_reason::kill);
    point_to(hot_handle, {});
    run();
    hot.forget();
    bulk.forget();
    hot.actor = bulk.actor = nullptr;
    for (auto& a : spawned) caf::anon_send_exit(a, caf::exit_reason::kill);
    run();
  }
  caf::actor spawn_writer(scripted_writer& script) {
    auto made = system.spawn([&script](scripted_writer_actor::pointer self) -> scripted_writer_actor::behavior_type {
      return {[self, &script](const commit_batch& batch) -> caf::result<batch_outcome> {
                if (batch.id.empty()) return script.probed();
                auto reply = self->make_response_promise<batch_outcome>();
                script.take({batch, reply});
                return reply;
              },
              [&script](const batch_outcome& outcome) { script.deliver(outcome); }};
    });
    spawned.push_back(caf::actor_cast<caf::actor>(made));
    script.actor = spawned.back();
    return spawned.back();
  }
  void start() {
    hot_actor = spawn_writer(hot);
    point_to(hot_handle, hot_actor);
    store_workers workers;
    workers.hot = {caf::actor_cast<store_writer_actor>(hot_handle),
                   std::make_shared<connection_slot<storage::writer>>()};
    workers.hot.slot->put(std::make_shared<aborted_writer>(aborts));
    workers.bulk = {caf::actor_cast<store_writer_actor>(spawn_writer(bulk)),
                    std::make_shared<connection_slot<storage::writer>>()};
    auto hub = system.spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](const batch_committed& fact) { announced.push_back(fact.what->last_seq); }};
    });
    spawned.push_back(hub);
    auto registry = system.spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[](const batch_committed&) {}, [this](const counts_in_doubt&) { ++doubts; }};
    });
    spawned.push_back(registry);
    options.registry = caf::actor_cast<registry_actor>(registry);
    under_test = system.spawn(store, options, workers, caf::actor_cast<push_hub_actor>(hub));
    run();
  }
  auto put(std::int64_t amount) {
    auto got = send<written>(under_test, persist{{storage::withdraw_points{{1}, amount, {}}, nullptr}});
    run();
    return got;
  }
  auto put_bulk() {
    auto got = send<written>(under_test, persist{{storage::open_campaign{}, nullptr}});
    run();
    return got;
  }
  std::int64_t done(const pending<written>& got) {
    run();
    if (!*got) FAIL("not answered");
    return value_of<storage::done>(**got).count;
  }
  errc failed(const pending<written>& got) {
    run();
    if (!*got) FAIL("not answered");
    return error_of(**got);
  }
  storage_state state() { return *ask<storage_state>(under_test, get_storage_state{}); }
  std::vector<caf::actor> spawned;
};

} // namespace dr::actor_test
