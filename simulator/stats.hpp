// What was called and what went wrong on purpose.
#pragma once

#include "simulator/faults.hpp"

#include <array>
#include <cstdint>
#include <mutex>
#include <string>

namespace dr::sim {

/// KEPCO's operations, in the order of the counters.
enum class operation : unsigned char { day, minute, customers, period };
inline constexpr std::array<operation, 4> all_operations{operation::day, operation::minute, operation::customers,
                                                         operation::period};
/// "getDayLpData", …
const char* to_string(operation op) noexcept;
/// "dayLpDataInfoList", …
const char* list_of(operation op) noexcept;

/// Thread-safe counters since the start.
class call_stats {
public:
  /// One call under way, counted as long as it lives.
  class under_way {
  public:
    under_way(call_stats& stats, operation op) : stats_(stats) { stats_.begin(op); }
    ~under_way() { stats_.end(); }
    under_way(const under_way&) = delete;
    under_way& operator=(const under_way&) = delete;

  private:
    call_stats& stats_;
  };

  void injected(mishap kind);
  /// `{"calls":{"getDayLpData":3,…},"total":3,"inFlight":0,"concurrencyPeak":2,"faults":{"down":0,…},"now":"…"}`;
  /// `now` is the simulator's business time.
  std::string json(const std::string& now) const;

private:
  void begin(operation op);
  void end();

  mutable std::mutex mutex_;
  std::array<std::uint64_t, 4> calls_{};
  std::array<std::uint64_t, 6> mishaps_{};
  std::uint64_t in_flight_ = 0;
  std::uint64_t peak_ = 0;
};

} // namespace dr::sim
