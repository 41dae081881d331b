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
  bool down = false;                    ///< HTTP 503 to every call, and the connection is closed
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

  /// Is the n-th value of this call's answer missing?
  bool value_missing(std::uint64_t n) const noexcept;
};

/// Throws the dice. Thread-safe; the same seed and settings give the same row of fates.
class fault_dice {
public:
  explicit fault_dice(std::uint64_t seed) : seed_(seed), random_(seed) {}

  /// Replaces the settings and begins the row of fates anew.
  void set(const faults& wanted);
  faults get() const;
  call_fate throw_for_call();

private:
  mutable std::mutex mutex_;
  std::uint64_t seed_;
  std::mt19937_64 random_;
  faults faults_;
};

} // namespace dr::sim
