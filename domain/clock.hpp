// Business time. The one clock that decides starts, deadlines, ends and lags; it may run faster than the world's.
#pragma once

#include "domain/time.hpp"

namespace dr {

/// Thread-safe. Pings, watchdogs, HTTP timeouts and backoff use real time and never ask this clock.
class clock {
public:
  virtual ~clock() = default;
  /// The present business instant; never runs backwards.
  virtual time_point now() const = 0;
  /// Real time until the business instant; zero when it has passed.
  virtual std::chrono::milliseconds real_delay_until(time_point at) const = 0;
  /// The business instant that lies the given real time ahead.
  virtual time_point after_real(std::chrono::milliseconds real) const = 0;
  /// True when business time is not the world's.
  virtual bool is_virtual() const = 0;
};

} // namespace dr
