#include "actors/metering/kepco_gate.hpp"

#include "actors/errors.hpp"
#include "actors/house.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

using std::chrono::milliseconds;

/// An absent worker is looked for at these intervals, doubling: a restart takes some milliseconds, a stuck call longer.
constexpr milliseconds probe_first{100};
constexpr milliseconds probe_longest{10'000};
/// A readiness question that finds its worker stuck is given up after this.
constexpr milliseconds probe_timeout{30'000};

meter_error circuit_is_open() { return {meter_errc::unavailable, "KEPCO's circuit is open after repeated failures"}; }

fetched_day failed(const fetch_key& key, meter_error why) { return {key.cust_no, key.day, {}, std::move(why)}; }

/// So many refusals in a row are about us and not about one customer.
constexpr int refusals_that_tell = 3;
/// A typical call is the median of so many, of at least so few, and of no older ones.
constexpr std::size_t calls_watched = 32;
constexpr std::size_t calls_that_tell = 8;
constexpr std::chrono::minutes calls_told_for{5};

/// Keeps the moment at which something began, for as long as it lasts.
void note(std::optional<time_point>& since, bool lasts) {
  if (!lasts)
    since.reset();
  else if (!since)
    since = real_now();
}

/// Does the failure say that something is wrong, as opposed to data that is simply not there?
bool worth_reporting(meter_errc code) { return code != meter_errc::no_data && code != meter_errc::no_consent; }

/// The worker never saw the question: it is being restarted, or died of something else first. (A crash over the
/// question itself is a runtime_error.)
bool was_not_begun(const caf::error& why) {
  return why == caf::sec::request_receiver_down || from_caf(why).code == errc::store_unavailable;
}

kepco_state::circuit_state circuit_of(kepco::circuit_breaker::state state) {
  switch (state) {
  case kepco::circuit_breaker::state::closed:
    return kepco_state::circuit_state::closed;
  case kepco::circuit_breaker::state::open:
    return kepco_state::circuit_state::open;
  case kepco::circuit_breaker::state::half_open:
    break;
  }
  return kepco_state::circuit_state::half_open;
}

} // namespace

gate_state::~gate_state() {
  // A promise that merely dies answers nobody: the askers would wait for their timeouts.
  try {
    queue.abandon(to_caf(fail(errc::store_unavailable, "the gate to KEPCO is restarting")));
  } catch (...) {
    spdlog::error("the gate's askers could not be told of its end");
  }
}

std::optional<std::size_t> gate_state::idle_worker() const {
  for (std::size_t i = 0; i < workers.size(); ++i)
    if (workers[i].condition == worker_condition::idle) return i;
  return std::nullopt;
}

bool gate_state::history_may_run() const { return history_in_flight < std::max<std::size_t>(1, workers.size() / 2); }

void gate_state::arm(milliseconds delay) {
  auto due = now() + delay;
  if (armed_for && *armed_for <= due) return;
  armed_for = due;
  self->delayed_send(self, delay, gate_tick{});
}

void gate_state::pump() {
  if (open()) return queue.refuse_queued(circuit_is_open());
  queue.refuse_older(now() - gate_wait_max, {meter_errc::timed_out, "KEPCO could not be asked in time"});
  while (queue.checks_waiting() || (queue.history_waiting() && history_may_run())) {
    auto worker = idle_worker();
    if (!worker) break;
    auto wait = std::max(breaker.wait(now()), limiter.wait(now()));
    if (wait > milliseconds{0}) return arm(wait);
    if (!breaker.try_start(now())) break;
    limiter.try_take(now());
    start_call(*worker, *queue.start_next(history_may_run()));
  }
  if (queue.queued() > 0) arm(gate_wait_max);
}

void gate_state::start_call(std::size_t worker, fetch_key key) {
  auto& by = workers[worker];
  by.condition = worker_condition::busy;
  by.asked = key;
  by.since = now();
  const auto call = ++by.call;
  ++in_flight;
  ++calls;
  history_in_flight += queue.runs_for_history(key) ? 1 : 0;
  fetch_day question{key.cust_no, key.day, fetch_priority::check};
  self->request(by.handle, caf::infinite, std::move(question))
      .then(
          [this, worker, call](const fetched_day& answer) {
            if (!is_present(worker, call)) return;
            note_call(answer, std::chrono::duration_cast<milliseconds>(now() - workers[worker].since));
            call_ended(worker, fetch_key{workers[worker].asked}, answer);
          },
          [this, worker, call](const caf::error& why) {
            if (is_present(worker, call)) call_lost(worker, fetch_key{workers[worker].asked}, why);
          });
  watch_calls();
}

bool gate_state::is_present(std::size_t worker, std::uint64_t call) const {
  return workers[worker].condition == worker_condition::busy && workers[worker].call == call;
}

/// The watchdog: one timer at a time. A request with a timeout would wake the clock's thread for every call.
void gate_state::watch_calls() {
  if (watched) return;
  const auto patience = settings.call_timeout + call_grace;
  std::vector<std::size_t> late;
  std::optional<gate_time> next;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if (workers[i].condition != worker_condition::busy) continue;
    const auto due = workers[i].since + patience;
    if (due <= now())
      late.push_back(i);
    else
      next = std::min(next.value_or(due), due);
  }
  if (next) {
    watched = true;
    self->delayed_send(self, std::chrono::ceil<milliseconds>(*next - now()), calls_due{});
  }
  for (auto i : late) call_lost(i, fetch_key{workers[i].asked}, caf::make_error(caf::sec::request_timeout));
}

void gate_state::call_ended(std::size_t worker, const fetch_key& key, const fetched_day& answer) {
  workers[worker].condition = worker_condition::idle;
  workers[worker].next_probe = milliseconds{0};
  breaker.finished(answer.failure ? kepco::health_of(answer.failure->code) : kepco::call_health::healthy, now());
  note_circuit();
  conclude(key, answer);
}

void gate_state::call_lost(std::size_t worker, const fetch_key& key, const caf::error& why) {
  workers[worker].condition = worker_condition::unknown;
  if (was_not_begun(why)) {
    not_begun(key);
    look_for_later(worker);
  } else if (why == caf::sec::request_timeout) {
    // The worker's thread is still blocked; it will tell by answering the readiness question behind the call.
    breaker.finished(kepco::call_health::failing, now());
    note_circuit();
    conclude(key, failed(key, {meter_errc::timed_out, "no answer within the call's time"}));
    look_for(worker);
  } else {
    breaker.abandoned();
    // The customer's other days would very likely take the next worker along.
    queue.refuse_customer(key.cust_no, {meter_errc::garbage, query_crashed});
    conclude(key, failed(key, {meter_errc::garbage, query_crashed}));
    look_for_later(worker);
  }
}

void gate_state::not_begun(const fetch_key& key) {
  --in_flight;
  --calls;
  history_in_flight -= queue.runs_for_history(key) ? 1 : 0;
  breaker.abandoned();
  queue.put_back(key);
  pump();
}

void gate_state::look_for(std::size_t worker) {
  self->request(workers[worker].handle, probe_timeout, get_readiness{})
      .then(
          [this, worker](const query_ready&) {
            workers[worker].condition = worker_condition::idle;
            pump();
          },
          [this, worker](const caf::error&) { look_for_later(worker); });
}

void gate_state::look_for_later(std::size_t worker) {
  auto& delay = workers[worker].next_probe;
  delay = delay == milliseconds{0} ? probe_first : std::min(delay * 2, probe_longest);
  self->delayed_send(self, delay, find_worker{worker});
}

void gate_state::conclude(const fetch_key& key, const fetched_day& answer) {
  --in_flight;
  history_in_flight -= queue.runs_for_history(key) ? 1 : 0;
  if (answer.failure && worth_reporting(answer.failure->code)) {
    ++failures;
    last_error = std::string(to_string(answer.failure->code)) + ": " + answer.failure->detail;
  }
  queue.answer(key, answer);
  pump();
}

void gate_state::note_call(const fetched_day& answer, milliseconds took) {
  auto failed_with = [&](meter_errc code) { return answer.failure && answer.failure->code == code; };
  watch.refused_in_a_row = failed_with(meter_errc::refused) ? watch.refused_in_a_row + 1 : 0;
  note(watch.refusing_since, watch.refused_in_a_row >= refusals_that_tell);
  note(watch.unset_since, failed_with(meter_errc::not_configured));
  watch.last_call = now();
  watch.took.push_back(took);
  if (watch.took.size() > calls_watched) watch.took.pop_front();
}

void gate_state::note_circuit() {
  note(watch.circuit_since, breaker.at(now()) != kepco::circuit_breaker::state::closed);
}

kepco_state gate_state::report() {
  note_circuit();
  kepco_state out;
  if (now() - watch.last_call > calls_told_for) watch.took.clear();
  if (watch.took.size() >= calls_that_tell) {
    std::vector<milliseconds> sorted(watch.took.begin(), watch.took.end());
    auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::ranges::nth_element(sorted, middle);
    out.call_ms_p50 = middle->count();
  }
  note(watch.slow_since, out.call_ms_p50 * 100 > settings.call_timeout.count() * slow_share_percent);
  note(watch.crowded_since, queue.queued() * 5 >= settings.queue_max * 4);
  out.circuit_since = watch.circuit_since;
  out.refusing_since = watch.refusing_since;
  out.unset_since = watch.unset_since;
  out.slow_since = watch.slow_since;
  out.crowded_since = watch.crowded_since;
  out.circuit = circuit_of(breaker.at(now()));
  out.queued = static_cast<std::int64_t>(queue.queued());
  out.in_flight = static_cast<std::int64_t>(in_flight);
  out.calls = calls;
  out.failures = failures;
  out.last_error = last_error;
  return out;
}

kepco_gate_impl::behavior_type kepco_gate(kepco_gate_impl::stateful_pointer<gate_state> self, kepco_settings settings,
                                          std::vector<kepco_query_actor> workers) {
  house_rules(self, gate_state::name);
  auto& s = self->state;
  s.queue = fetch_queue(settings.queue_max);
  s.breaker = kepco::circuit_breaker({settings.breaker_failures, settings.breaker_open});
  s.limiter = kepco::rate_limiter(settings.calls_per_s, static_cast<double>(std::max<std::size_t>(workers.size(), 1)));
  s.settings = std::move(settings);
  for (auto& handle : workers) s.workers.push_back({std::move(handle)});
  for (std::size_t i = 0; i < s.workers.size(); ++i) s.look_for(i);
  return {
      [self](const fetch_day& cmd) -> caf::result<fetched_day> {
        auto& state = self->state;
        if (state.open()) return failed({cmd.cust_no, cmd.day}, circuit_is_open());
        auto asker = self->make_response_promise<fetch_promise>();
        if (!state.queue.add(cmd, asker, state.now()))
          asker.deliver(to_caf(fail(errc::overloaded, "too many questions wait for KEPCO")));
        else
          state.pump();
        return asker;
      },
      [self](const get_kepco_state&) { return self->state.report(); },
      [self](const gate_tick&) {
        self->state.armed_for.reset();
        self->state.pump();
      },
      [self](const calls_due&) {
        self->state.watched = false;
        self->state.watch_calls();
      },
      [self](const find_worker& which) { self->state.look_for(which.index); },
  };
}

} // namespace dr::actors
