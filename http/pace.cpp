#include "http/pace.hpp"

#include <algorithm>
#include <utility>

namespace dr::http {

using std::chrono::nanoseconds;

pace::pace(int per_second, int burst)
    : interval_(per_second > 0 ? nanoseconds{std::chrono::seconds{1}} / per_second : nanoseconds{0}),
      credit_(interval_ * burst) {}

bool pace::lets(user_id customer, time_point now) {
  if (interval_ == nanoseconds{0}) return true;
  debts paid_off_long_ago; // many, perhaps: they go when nobody waits for the lock
  const std::scoped_lock lock(mutex_);
  if (now - put_aside_ >= credit_) { // nobody owes for longer
    paid_off_long_ago = std::exchange(before_, std::exchange(lately_, {}));
    put_aside_ = now;
  }
  auto [debt, is_new] = lately_.try_emplace(customer, now);
  if (is_new)
    if (const auto older = before_.find(customer); older != before_.end()) debt->second = older->second;
  const auto paid_off = std::max(debt->second, now) + interval_;
  if (paid_off - now > credit_) return false;
  debt->second = paid_off;
  return true;
}

} // namespace dr::http
