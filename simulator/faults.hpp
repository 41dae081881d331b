// What goes wrong, how often: the faults that a test or an operator switches on.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>

namespace dr::sim {

/// Rates are shares of the calls, 0 … 1.
struct faults {
  double error_rate = 0;    ///< HTTP 500, or openapi-4001 in an HTTP 200
  double hang_rate = 0;     ///< no answer until the caller gives up
  double truncate_rate = 0; ///< the answer stops in the middle, with or without a lost connection
  double garbage_rate = 0;  ///< an HTML page, a bare header, another customer's data …
  double missing_rate = 0;  ///< share of the values that come as ""; drawn anew for every call, as gaps get filled
  std::chrono::milliseconds latency{0}; ///< real time before every answer
  std::chrono::minutes lag{0};          ///< business time until a quarter hour is there; 0: as the program was started
  std::chrono::minutes spread{0};       ///< business time: each quarter hour comes up to so much later, in pieces
  double change_rate = 0; ///< share of the values that are up to 5 % off; drawn anew for every call, so reads differ
  bool down = false;      ///< HTTP 503 to every call, and the connection is closed
  std::chrono::milliseconds flap{0}; ///< real time: down for so long, then up for so long, and so on
  std::chrono::milliseconds last{0}; ///< real time until all of this is over by itself; 0: until it is replaced
  friend bool operator==(const faults&, const faults&) = default;
};

/// What happens to one call.
enum class mishap : unsigned char { none, down, error, hang, garbage, truncate };

/// "none", "down", "error", "hang", "garbage", "truncate".
const char* to_string(mishap kind) noexcept;

struct call_fate {
  mishap kind = mishap::none;
  std::uint64_t variant = 0; ///< chooses among the ways in which this can happen
  std::chrono::milliseconds latency{0};
  std::chrono::minutes lag{0};
  double missing_rate = 0;
  std::uint64_t missing_seed = 0;
  std::chrono::minutes spread{0};
  double change_rate = 0;
  std::uint64_t change_seed = 0;

  /// The n-th value as this call tells it.
  std::int32_t changed(std::uint64_t n, std::int32_t wh) const noexcept;
  /// Is the n-th value of this call's answer missing?
  bool value_missing(std::uint64_t n) const noexcept;
};

/// Throws the dice. Thread-safe; the same seed and settings give the same row of fates.
class fault_dice {
public:
  using instant = std::chrono::steady_clock::time_point;
  explicit fault_dice(std::uint64_t seed) : seed_(seed), random_(seed) {}

  /// Replaces the settings and begins the row of fates anew.
  void set(const faults& wanted, instant now = std::chrono::steady_clock::now());
  faults get(instant now = std::chrono::steady_clock::now()) const;
  call_fate throw_for_call(instant now = std::chrono::steady_clock::now());

private:
  faults at(instant now) const;

  mutable std::mutex mutex_;
  std::uint64_t seed_;
  std::mt19937_64 random_;
  faults faults_;
  instant since_{};
};

} // namespace dr::sim
