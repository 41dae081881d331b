// The one way to KEPCO: decides when a question may be asked and which worker asks it. Never blocks.
// Owned by the metering supervisor, permanent. Nothing survives a crash: its askers get an error and ask again later.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metering/fetch_queue.hpp"
#include "config/settings.hpp"
#include "kepco/breaker.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <vector>

namespace dr::actors {

/// A question waits in the gate at most this long; then it is answered as timed out. So is one whose call takes too
/// long, and at the gate's end all are answered: askers need no timeouts of their own, which are a timer for each.
inline constexpr std::chrono::minutes gate_wait_max{5};
/// How much longer than KEPCO's call timeout a worker may take before it counts as stuck.
inline constexpr std::chrono::milliseconds call_grace{2'000};
/// The detail of the failure (garbage) that reports a crashed worker.
inline constexpr const char* query_crashed = "the KEPCO query crashed";

/// A typical call that takes more than this share of the time allowed counts as slow.
inline constexpr int slow_share_percent = 25;

/// What the gate remembers for the operator. Real times.
struct gate_watch {
  std::deque<std::chrono::milliseconds> took = {}; ///< of the last calls
  gate_time last_call = {};
  int refused_in_a_row = 0;
  std::optional<time_point> circuit_since = {};
  std::optional<time_point> refusing_since = {};
  std::optional<time_point> unset_since = {};
  std::optional<time_point> slow_since = {};
  std::optional<time_point> crowded_since = {};
};

struct gate_tick {};
/// Time to look whether a call takes too long.
struct calls_due {};
struct find_worker {
  std::size_t index = 0;
};
/// The gate's own view of itself: the public interface and its timers.
using kepco_gate_impl =
    kepco_gate_actor::extend<caf::reacts_to<gate_tick>, caf::reacts_to<calls_due>, caf::reacts_to<find_worker>>;

struct gate_state {
  static constexpr const char* name = "kepco_gate";
  enum class worker_condition : unsigned char { unknown, idle, busy };
  struct query_worker {
    kepco_query_actor handle;
    worker_condition condition = worker_condition::unknown;
    fetch_key asked = {};   ///< while busy
    gate_time since = {};   ///< while busy
    std::uint64_t call = 0; ///< counts its calls; the outcome of an older one is of no interest
    std::chrono::milliseconds next_probe{
        0}; ///< backoff of asking an absent worker whether it is back; until a call ends
  };

  gate_state(kepco_gate_impl::pointer me) : self(me) {}
  gate_state(const gate_state&) = delete;
  gate_state& operator=(const gate_state&) = delete;
  ~gate_state();

  gate_time now() const { return self->clock().now(); }
  bool open() const { return breaker.at(now()) == kepco::circuit_breaker::state::open; }
  /// Starts as many calls as worker, rate and circuit allow, and arms the timer for what has to wait.
  void pump();
  void start_call(std::size_t worker, fetch_key key);
  /// Is the worker still busy with that call?
  bool is_present(std::size_t worker, std::uint64_t call) const;
  void watch_calls();
  void call_ended(std::size_t worker, const fetch_key& key, const fetched_day& answer);
  void call_lost(std::size_t worker, const fetch_key& key, const caf::error& why);
  void not_begun(const fetch_key& key);
  void look_for(std::size_t worker);
  void look_for_later(std::size_t worker);
  void conclude(const fetch_key& key, const fetched_day& answer);
  std::optional<std::size_t> idle_worker() const;
  bool history_may_run() const;
  void arm(std::chrono::milliseconds delay);
  void note_call(const fetched_day& answer, std::chrono::milliseconds took);
  void note_circuit();
  kepco_state report();

  kepco_gate_impl::pointer self;
  kepco_settings settings;
  fetch_queue queue{1};
  kepco::circuit_breaker breaker;
  kepco::rate_limiter limiter;
  std::vector<query_worker> workers;
  std::size_t in_flight = 0;
  std::size_t history_in_flight = 0;
  std::int64_t calls = 0;
  std::int64_t failures = 0;
  std::string last_error;
  std::optional<gate_time> armed_for;
  bool watched = false; ///< a calls_due is on its way
  gate_watch watch;
};

/// `workers` are stable handles: behind each stands a kepco_query that its supervisor restarts. One call at a time goes
/// to each, so that their number is the concurrency.
kepco_gate_impl::behavior_type kepco_gate(kepco_gate_impl::stateful_pointer<gate_state> self, kepco_settings settings,
                                          std::vector<kepco_query_actor> workers);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::gate_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::calls_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::find_worker)
