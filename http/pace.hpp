// How fast each customer may ask, so that one broken client neither crowds out the others nor fills the event log.
#pragma once

#include "domain/ids.hpp"

#include <chrono>
#include <mutex>
#include <unordered_map>

namespace dr::http {

/// Lets a customer ask so many times at once, and then at a steady rate: the generic cell rate algorithm of ITU-T
/// I.371. Remembers only who asked lately. Thread-safe.
class pace {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `per_second` 0: no limit. `burst` ≥ 1.
  pace(int per_second, int burst);
  /// Counts what the customer asks now; false when that is too soon.
  bool lets(user_id customer, time_point now);

private:
  using debts = std::unordered_map<user_id, time_point>; ///< when the customer's former requests are paid off

  const std::chrono::nanoseconds interval_; ///< that one request costs
  const std::chrono::nanoseconds credit_;   ///< that a customer may owe
  std::mutex mutex_;
  debts lately_;
  debts before_; ///< lately_ as it was last put aside; all of it is paid off when the next is
  time_point put_aside_{};
};

} // namespace dr::http
