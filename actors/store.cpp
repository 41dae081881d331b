#include "actors/store.hpp"

#include "actors/ask.hpp"
#include "actors/errors.hpp"
#include "actors/house.hpp"
#include "actors/turns.hpp"

#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace dr::actors {

namespace {

using storage::written;

constexpr const char* nothing_written = "storage cannot be reached; nothing was written: try again";
constexpr const char* in_doubt_text =
    "storage was lost in the middle of the change, which may or may not have happened: ask again";

std::string new_incarnation() {
  std::random_device source;
  char text[33];
  std::snprintf(text, sizeof text, "%08x%08x%08x", source(), source(), source());
  return text;
}

const char* lane_name(storage::lane which) { return which == storage::lane::hot ? "hot" : "bulk"; }

/// A request that found nobody behind a stable handle was never begun.
bool never_begun(const caf::error& why) { return from_caf(why).code == errc::store_unavailable; }

void tell_all(write_lane::batch& of, const error& why) {
  for (auto& caller : of.callers) caller.reply.deliver(to_caf(why));
}

using storage::outage_cause;
constexpr const char* took_too_long = "a transaction took too long";

} // namespace

// ---- measures ------------------------------------------------------------------------------------------------------

void commit_times::add(double ms) noexcept { ms_[count_++ % ms_.size()] = ms; }

double commit_times::quantile(double fraction) const {
  auto n = std::min(count_, ms_.size());
  if (n == 0) return 0;
  std::vector<double> sorted(ms_.begin(), ms_.begin() + static_cast<std::ptrdiff_t>(n));
  auto at = sorted.begin() + std::lround(fraction * static_cast<double>(n - 1));
  std::ranges::nth_element(sorted, at);
  return *at;
}

store_options store_options_of(const database_settings& settings) {
  store_options options;
  options.batch_max = settings.batch_max;
  options.queue_max = settings.queue_max;
  options.hot_timeout = settings.request_timeout;
  options.bulk_timeout = settings.bulk_timeout;
  options.read_timeout = settings.request_timeout;
  return options;
}

// ---- members -------------------------------------------------------------------------------------------------------

// A promise that dies with its actor answers nothing, so the waiting callers are told here.
store_state::~store_state() {
  if (hot.running || bulk.running) options.users->suspend();
  for (auto* l : {&hot, &bulk}) {
    take_back(*l);
    for (auto& w : l->queue) w.by.reply.deliver(to_caf(fail(errc::store_unavailable, nothing_written)));
    for (auto* with_worker : {&l->running, &l->next})
      if (*with_worker) tell_all(**with_worker, fail(errc::outcome_unknown, in_doubt_text));
  }
  for (auto* queue : {&reads.leading, &reads.prompt, &reads.others})
    for (auto& r : *queue)
      r->reply.deliver(to_caf(fail(errc::store_unavailable, "the store was restarted: try again")));
}

std::size_t store_state::queued() const {
  auto of = [](const write_lane& l) {
    return l.queue.size() + (l.running ? l.running->callers.size() : 0) + (l.next ? l.next->callers.size() : 0);
  };
  return of(hot) + of(bulk);
}

caf::result<written> store_state::take(persist& cmd) {
  if (fenced) return to_caf(fail(errc::fenced, "another server process has taken over"));
  if (queued() >= options.queue_max)
    return to_caf(fail(errc::overloaded, "too many changes are waiting: try again in a moment"));
  auto which = storage::lane_of(cmd.what.what);
  auto reply = self->make_response_promise<written>();
  lane(which).queue.push_back({std::move(cmd.what), {reply, self->clock().now()}});
  if (!crowded_since && queued() * 5 >= options.queue_max * 4) crowded_since = real_now();
  pump(which);
  return reply;
}

/// What comes during a commit goes into the batch behind it. While a batch fails none is behind it.
void store_state::pump(storage::lane which) {
  auto& l = lane(which);
  if (l.queue.empty() || fenced) return;
  if (!l.running) {
    l.running = new_batch(l);
    fill(l, *l.running);
    run(which);
  }
  if (l.queue.empty() || l.delay.count() > 0) return;
  if (l.next) return fill(l, *l.next);
  l.next = new_batch(l);
  fill(l, *l.next);
  send_batch(which, *l.next, l.running->id);
}

write_lane::batch store_state::new_batch(const write_lane& l) {
  return {incarnation + "-" + std::to_string(++batches),
          std::make_shared<open_batch>(options.users, l.batch_max),
          {},
          l.queue.empty() ? self->clock().now() : l.queue.front().by.since};
}

void store_state::fill(write_lane& l, write_lane::batch& with) {
  while (!l.queue.empty() && with.what->add(l.queue.front().what)) {
    with.callers.push_back(std::move(l.queue.front().by));
    l.queue.pop_front();
  }
}

/// Sends the running batch, for the first time or again.
void store_state::run(storage::lane which) {
  auto& l = lane(which);
  send_batch(which, *l.running, {});
  l.sent = self->clock().now();
  watch(which);
}

void store_state::send_batch(storage::lane which, write_lane::batch& what, const std::string& follows) {
  auto& l = lane(which);
  what.tried = ++l.tries;
  self->request(l.worker.handle, caf::infinite, commit_batch{what.id, what.what, follows})
      .then(
          [this, which, tried = what.tried](const batch_outcome& outcome) {
            if (heard_of(which, tried)) batch_ended(which, outcome);
          },
          [this, which, tried = what.tried](const caf::error& why) {
            if (heard_of(which, tried)) batch_lost(which, why);
          });
}

/// Something came back for a try. True: it is about the running batch. Else it is dealt with here.
bool store_state::heard_of(storage::lane which, std::uint64_t tried) {
  auto& l = lane(which);
  if (l.running && l.running->tried == tried) {
    l.sent.reset();
    return true;
  }
  // Workers answer in order. If the next one comes back first, there is no worker any more that has the running one.
  if (l.next && l.next->tried == tried) {
    take_back(l);
    give_up(which);
    batch_lost(which, caf::make_error(caf::sec::request_receiver_down));
  }
  return false;
}

/// What comes of the present try is of no interest any more.
void store_state::give_up(storage::lane which) {
  auto& l = lane(which);
  l.running->tried = ++l.tries;
  l.sent.reset();
}

/// Puts the next batch back into the queue, unless the worker has begun it. Then it has carried out the running one,
/// and the outcome of that is on its way.
void store_state::take_back(write_lane& l) {
  if (!l.next) return;
  auto changes = l.next->what->take_back();
  if (!changes) return;
  for (auto i = changes->size(); i-- > 0;)
    l.queue.push_front({std::move((*changes)[i]), std::move(l.next->callers[i])});
  l.next.reset();
}

/// The watchdog: one timer at a time. A request with a timeout would wake the clock's thread for every batch.
void store_state::watch(storage::lane which) {
  auto& l = lane(which);
  if (l.watched || !l.sent) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*l.sent + l.timeout - self->clock().now());
  if (left.count() > 0) {
    l.watched = true;
    self->delayed_send(self, left, watch_due{which});
    return;
  }
  take_back(l);
  if (l.next) { // the outcome is on its way
    l.sent = self->clock().now();
    return watch(which);
  }
  give_up(which);
  batch_lost(which, caf::make_error(caf::sec::request_timeout));
}

void store_state::batch_ended(storage::lane which, const batch_outcome& outcome) {
  if (!outcome.done) return batch_failed(which, outcome.failure, outcome.outage);
  auto& l = lane(which);
  if (l.delay.count() > 0) {
    spdlog::info("storage works again ({} lane), after {:.1f} s", lane_name(which),
                 std::chrono::duration<double>(self->clock().now() - l.failing.since).count());
    l.delay = {};
    since = real_now();
  }
  times.add(outcome.commit_ms);
  options.users->resume();
  auto ended = std::move(*l.running);
  l.running = std::exchange(l.next, std::nullopt);
  if (l.running) {
    l.sent = self->clock().now();
    watch(which);
  }
  if (crowded_since && queued() * 2 < options.queue_max) crowded_since.reset();
  pump(which); // the next transaction runs while these callers are answered
  tell_of(outcome.done);
  if (ended.in_doubt && options.registry) self->send(options.registry, counts_in_doubt{});
  const burst answers(self);
  for (std::size_t i = 0; i < ended.callers.size(); ++i) {
    auto& reply = ended.callers[i].reply;
    if (i >= outcome.done->results.size())
      reply.deliver(to_caf(fail(errc::outcome_unknown, in_doubt_text)));
    else if (const auto& one = outcome.done->results[i])
      reply.deliver(*one);
    else
      reply.deliver(to_caf(one.error()));
  }
}

/// Here and not where a change was decided: whoever asked for it may be gone, and the news belongs to the commit.
void store_state::tell_of(const std::shared_ptr<const storage::committed>& done) {
  if (options.registry && !done->campaigns.empty()) self->send(options.registry, batch_committed{done});
  if (hub) self->send(hub, batch_committed{done});
}

/// No outcome came: the watchdog, a crashed worker, or none there.
void store_state::batch_lost(storage::lane which, const caf::error& why) {
  auto& l = lane(which);
  if (never_begun(why)) return batch_failed(which, fail(errc::store_unavailable, describe(why)));
  if (why == caf::sec::request_timeout) {
    spdlog::error("the {} writer gave no answer in {} ms; its connection is broken off", lane_name(which),
                  l.timeout.count());
    l.worker.slot->abort();
    return batch_failed(which, fail(errc::outcome_unknown, took_too_long), {outage_cause::hanging, took_too_long});
  }
  batch_failed(which, fail(errc::outcome_unknown, "the writer crashed: " + describe(why)));
}

void store_state::batch_failed(storage::lane which, const error& why, const storage::outage& outage) {
  auto& l = lane(which);
  take_back(l); // the worker begins nothing behind a failure
  last_error = !outage.said.empty() ? outage.said : why.detail.empty() ? to_string(why.code) : why.detail;
  if (why.code == errc::fenced) return fence(which);
  if (!passing(why)) { // the batch was refused as a whole, for good
    tell_all(*l.running, why);
    l.running.reset();
    return pump(which);
  }
  // Once in doubt, a batch stays so until a repetition of it succeeds, however often storage is unreachable in between.
  if (why.code != errc::store_unavailable) {
    if (!l.running->in_doubt && options.registry) self->send(options.registry, counts_in_doubt{});
    l.running->in_doubt = true;
  }
  if (l.delay.count() == 0) {
    l.failing = {self->clock().now(), real_now()};
    spdlog::error("storage fails ({} lane): {}; the batch is repeated until its outcome is known", lane_name(which),
                  last_error);
  }
  l.failing.cause = outage.cause;
  l.delay = l.delay.count() == 0 ? options.retry_min : std::min(l.delay * 2, options.retry_max);
  self->delayed_send(self, l.delay, lane_due{which});
}

void store_state::retry(storage::lane which) {
  auto& l = lane(which);
  if (fenced || !l.running) return;
  expire(l);
  if (l.running) return run(which);
  pump(which);
  if (l.running) return;
  await_storage(which);
  run(which);
}

/// Nobody waits any more: an empty change finds out when storage is back.
void store_state::await_storage(storage::lane which) {
  auto finder = new_batch(lane(which));
  storage::write nothing{storage::remember_answer{}, nullptr};
  finder.what->add(nothing);
  lane(which).running = std::move(finder);
}

/// Nobody waits longer for a commit than the watchdog's time, and nothing is written for a caller who was told that it
/// was not.
void store_state::expire(write_lane& l) {
  auto now = self->clock().now();
  auto in_doubt_since = now - l.timeout;
  // A bulk change may run for minutes, but while storage is away none runs: then nobody waits longer than for others.
  auto patience = lane(storage::lane::hot).timeout;
  auto away = l.failing.since <= now - patience ? now - std::min(l.timeout, patience) : in_doubt_since;
  while (!l.queue.empty() && l.queue.front().by.since <= away) {
    l.queue.front().by.reply.deliver(to_caf(fail(errc::store_unavailable, nothing_written)));
    l.queue.pop_front();
  }
  if (l.running->since > (l.running->in_doubt ? in_doubt_since : away)) return;
  auto why =
      l.running->in_doubt ? fail(errc::outcome_unknown, in_doubt_text) : fail(errc::store_unavailable, nothing_written);
  tell_all(*l.running, why);
  l.running->callers.clear();
  if (!l.running->in_doubt) l.running.reset();
}

/// The lane that found it out wrote nothing with that transaction. An earlier try of it, or the other lane's
/// transaction, may have been committed before the lease was taken.
void store_state::fence(storage::lane found_out) {
  if (fenced) return;
  fenced = true;
  options.users->stop();
  since = real_now();
  last_error = "another server process has taken over the writer lease";
  spdlog::critical("{}: this process must stop", last_error);
  const auto nothing_done = fail(errc::fenced, "another server process has taken over");
  const auto in_doubt = fail(errc::outcome_unknown, in_doubt_text);
  for (auto which : {storage::lane::hot, storage::lane::bulk}) {
    auto& l = lane(which);
    take_back(l);
    if (l.running) tell_all(*l.running, which == found_out && !l.running->in_doubt ? nothing_done : in_doubt);
    if (l.next) tell_all(*l.next, in_doubt);
    l.running.reset(); // what is still with the worker comes to nobody
    l.next.reset();
    l.sent.reset();
    for (auto& w : l.queue) w.by.reply.deliver(to_caf(nothing_done));
    l.queue.clear();
  }
  if (options.on_fenced) options.on_fenced();
}

// ---- behaviour -----------------------------------------------------------------------------------------------------

store_impl::behavior_type store(store_impl::stateful_pointer<store_state> self, store_options options,
                                store_workers workers, push_hub_actor hub) {
  house_rules(self, store_state::name);
  auto& s = self->state;
  s.incarnation = new_incarnation();
  s.since = real_now();
  s.hub = std::move(hub);
  s.hot.worker = std::move(workers.hot);
  s.hot.batch_max = options.batch_max;
  s.hot.timeout = options.hot_timeout;
  s.bulk.worker = std::move(workers.bulk);
  s.bulk.batch_max = 1; // each is big already, and one must not wait for or fail with another
  s.bulk.timeout = options.bulk_timeout;
  for (auto& reader : workers.readers) s.reads.readers.push_back({std::move(reader), read_pool::condition::idle});
  s.options = std::move(options);
  self->delayed_send(self, s.options.probe_every, probe_due{});
  // A former incarnation may have died between a commit and telling of it.
  if (s.options.registry) self->send(s.options.registry, counts_in_doubt{});
  return {
      [self](persist& cmd) { return self->state.take(cmd); },
      [self](read_task& task) { return self->state.take(task); },
      [self](const get_storage_state&) { return self->state.report(); },
      [self](const lane_due& due) { self->state.retry(due.which); },
      [self](const watch_due& due) {
        self->state.lane(due.which).watched = false;
        self->state.watch(due.which);
      },
      [self](const reader_due& due) { self->state.look_for(due.index); },
      [self](const probe_due&) { self->state.probe(); },
  };
}

} // namespace dr::actors
