// How often KEPCO may be asked: a circuit breaker, a rate limit and a backoff. Pure objects without a clock of their
// own; the gate actor hands them its monotonic time. None of them is thread-safe: they belong to that one actor.
#pragma once

#include "kepco/meter_source.hpp"

#include <chrono>
#include <cstdint>
#include <random>

namespace dr::kepco {

using steady_time = std::chrono::steady_clock::time_point;

/// What an answer says about KEPCO as a whole, as opposed to one customer's data.
enum class call_health : unsigned char {
  healthy, ///< KEPCO answered the question: data, no_data, no_consent, refused
  neutral, ///< one answer was unusable, or nothing was asked: garbage, not_configured
  failing  ///< KEPCO was not there: unavailable, timed_out
};

/// Only failures of the service as such may open the circuit, because an open circuit stops everybody. A poisoned
/// customer whose answer is garbage time after time fails its own call (it is retried and in the end parked), and
/// neither breaks a row of failures nor adds to one.
call_health health_of(meter_errc code) noexcept;

/// Opens after so many failures in a row, for a while; then half-open lets one probe at a time through, whose success
/// closes it and whose failure opens it again. Answers to calls that were under way when it opened change nothing while
/// it is open; later they count like the probe's, for they say the same about KEPCO.
class circuit_breaker {
public:
  enum class state : unsigned char { closed, open, half_open };
  struct limits {
    int failures_to_open = 5;
    std::chrono::milliseconds open_for{30'000};
  };

  circuit_breaker() : circuit_breaker(limits{}) {}
  explicit circuit_breaker(limits wanted) : limits_(wanted) {}

  /// May a call start now? In half-open a yes takes the one probe, until finished(), abandoned() or `open_for` later.
  bool try_start(steady_time now) noexcept;
  /// A call has ended with this.
  void finished(call_health health, steady_time now) noexcept;
  /// A call will never tell how it ended (its worker died): frees the probe and changes nothing else.
  void abandoned() noexcept;

  state at(steady_time now) const noexcept;
  /// Time until a call may start: zero when closed, or when the probe is free; while a probe is under way a poll
  /// interval of 100 ms.
  std::chrono::milliseconds wait(steady_time now) const noexcept;
  int failures_in_a_row() const noexcept { return failures_; }

private:
  bool probing(steady_time now) const noexcept;

  limits limits_;
  int failures_ = 0;
  bool tripped_ = false;     ///< open or half-open
  bool probe_taken_ = false; ///< half-open, and the probe is under way
  steady_time half_opens_at_{};
  steady_time probe_at_{};
};

/// "closed", "open", "half-open".
const char* to_string(circuit_breaker::state value) noexcept;

/// A token bucket: `calls_per_s` on average, at most `burst` at once.
class rate_limiter {
public:
  static constexpr double least_rate = 0.001;
  /// Both are raised to what makes progress: a rate of at least `least_rate` per second, a burst of at least one.
  explicit rate_limiter(double calls_per_s = 50, double burst = 8);

  /// Takes a token if there is one.
  bool try_take(steady_time now) noexcept;
  /// Time until the next token, rounded up to a millisecond; zero when there is one.
  std::chrono::milliseconds wait(steady_time now) const noexcept;

private:
  double tokens_at(steady_time now) const noexcept;

  double rate_;
  double burst_;
  double tokens_;
  steady_time at_{};
  bool started_ = false;
};

/// Exponential backoff with jitter: the n-th delay is drawn from the upper half of min(longest, first × 2^(n−1)), so
/// that jobs that failed together do not come back together. The same seed gives the same delays.
class backoff {
public:
  backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest, std::uint64_t seed);

  /// The delay after the given number of failed tries (1 and up; less counts as 1). Never above `longest`.
  std::chrono::milliseconds next(int failed_tries);

private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds longest_;
  std::mt19937_64 random_;
};

} // namespace dr::kepco
