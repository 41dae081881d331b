// How storage is: what the store finds out when nobody writes, and what it reports.
#include "actors/errors.hpp"
#include "actors/store.hpp"

#include <caf/sec.hpp>

namespace dr::actors {

namespace {

constexpr const char* no_answer = "the database gave no answer in time";

} // namespace

/// Nobody writes for a while: is storage there? Without this an idle server would learn of its loss from a customer.
void store_state::probe() {
  self->delayed_send(self, options.probe_every, probe_due{});
  probe_reads();
  if (fenced || hot.running || hot.delay.count() > 0) return;
  self->request(hot.worker.handle, options.probe_timeout, commit_batch{})
      .then(
          [this](const batch_outcome& outcome) {
            if (!outcome.done) probed(outcome.failure, outcome.outage);
          },
          [this](const caf::error& why) {
            if (why != caf::sec::request_timeout) return probed(fail(errc::store_unavailable, describe(why)), {});
            hot.worker.slot->abort();
            probed(fail(errc::store_unavailable, no_answer), {storage::outage_cause::hanging, no_answer});
          });
}

void store_state::probed(const error& why, const storage::outage& outage) {
  if (fenced || hot.running || hot.delay.count() > 0) return; // a batch tells more
  await_storage(storage::lane::hot);
  batch_failed(storage::lane::hot, why, outage);
}

storage_state store_state::report() const {
  storage_state s;
  s.queued = static_cast<std::int64_t>(queued());
  s.commit_ms_p50 = times.quantile(0.5);
  s.commit_ms_p99 = times.quantile(0.99);
  s.last_error = last_error;
  s.since = since;
  s.fenced = fenced;
  s.queue_max = static_cast<std::int64_t>(options.queue_max);
  s.crowded_since = crowded_since;
  if (fenced) {
    s.state = storage_state::condition::down;
    return s;
  }
  auto consider = [&](const failing_time& failing) {
    bool down = self->clock().now() - failing.since >= options.down_after;
    auto state = down ? storage_state::condition::down : storage_state::condition::recovering;
    if (state <= s.state) return;
    s.state = state;
    s.since = down ? failing.since_real + options.down_after : failing.since_real;
    s.cause = failing.cause;
    s.failing_since = failing.since_real;
  };
  for (const auto* l : {&hot, &bulk})
    if (l->delay.count() > 0) consider(l->failing);
  if (reads.failing) consider(*reads.failing);
  return s;
}

} // namespace dr::actors
