#include "kepco/breaker.hpp"

#include <algorithm>
#include <cmath>

namespace dr::kepco {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds probe_poll{100};

/// The time left until `then`, rounded up so that waiting for it is enough.
milliseconds left(steady_time now, steady_time then) noexcept {
  return then <= now ? milliseconds{0} : std::chrono::ceil<milliseconds>(then - now);
}

} // namespace

call_health health_of(meter_errc code) noexcept {
  switch (code) {
  case meter_errc::no_data:
  case meter_errc::no_consent:
  case meter_errc::refused:
    return call_health::healthy;
  case meter_errc::garbage:
  case meter_errc::not_configured:
    return call_health::neutral;
  case meter_errc::unavailable:
  case meter_errc::timed_out:
    return call_health::failing;
  }
  return call_health::neutral;
}

bool circuit_breaker::probing(steady_time now) const noexcept {
  return probe_taken_ && now - probe_at_ < limits_.open_for;
}

bool circuit_breaker::try_start(steady_time now) noexcept {
  switch (at(now)) {
  case state::closed:
    return true;
  case state::open:
    return false;
  case state::half_open:
    break;
  }
  if (probing(now)) return false;
  probe_taken_ = true;
  probe_at_ = now;
  return true;
}

void circuit_breaker::finished(call_health health, steady_time now) noexcept {
  auto before = at(now);
  if (before == state::open) return;
  probe_taken_ = false;
  if (health == call_health::neutral) return; // half-open: the next call is a probe again
  if (health == call_health::healthy) {
    failures_ = 0;
    tripped_ = false;
    return;
  }
  failures_ = std::min(failures_ + 1, std::max(limits_.failures_to_open, 1));
  if (before == state::half_open || failures_ >= limits_.failures_to_open) {
    tripped_ = true;
    half_opens_at_ = now + limits_.open_for;
  }
}

void circuit_breaker::abandoned() noexcept { probe_taken_ = false; }

circuit_breaker::state circuit_breaker::at(steady_time now) const noexcept {
  if (!tripped_) return state::closed;
  return now < half_opens_at_ ? state::open : state::half_open;
}

milliseconds circuit_breaker::wait(steady_time now) const noexcept {
  switch (at(now)) {
  case state::closed:
    return milliseconds{0};
  case state::open:
    return left(now, half_opens_at_);
  case state::half_open:
    break;
  }
  return probing(now) ? probe_poll : milliseconds{0};
}

const char* to_string(circuit_breaker::state value) noexcept {
  switch (value) {
  case circuit_breaker::state::closed:
    return "closed";
  case circuit_breaker::state::open:
    return "open";
  case circuit_breaker::state::half_open:
    return "half-open";
  }
  return "closed";
}

rate_limiter::rate_limiter(double calls_per_s, double burst)
    : rate_(std::max(calls_per_s, least_rate)), burst_(std::max(burst, 1.0)), tokens_(burst_) {}

double rate_limiter::tokens_at(steady_time now) const noexcept {
  if (!started_ || now <= at_) return tokens_;
  return std::min(burst_, tokens_ + std::chrono::duration<double>(now - at_).count() * rate_);
}

bool rate_limiter::try_take(steady_time now) noexcept {
  tokens_ = tokens_at(now);
  at_ = started_ ? std::max(at_, now) : now;
  started_ = true;
  // wait() promises a whole token after a rounded time; what floating point lacks of it must not cost another round.
  if (tokens_ < 1.0 - 1e-9) return false;
  tokens_ = std::max(0.0, tokens_ - 1.0);
  return true;
}

milliseconds rate_limiter::wait(steady_time now) const noexcept {
  auto lacking = 1.0 - tokens_at(now);
  if (lacking <= 1e-9) return milliseconds{0};
  return milliseconds{static_cast<std::int64_t>(std::ceil(lacking / rate_ * 1000.0))};
}

backoff::backoff(milliseconds first, milliseconds longest, std::uint64_t seed)
    : first_(std::max(first, milliseconds{1})), longest_(std::max(longest, first_)), random_(seed) {}

milliseconds backoff::next(int failed_tries) {
  auto delay = first_;
  for (int i = 1; i < failed_tries && delay < longest_; ++i) delay = std::min(delay * 2, longest_);
  std::uniform_int_distribution<std::int64_t> jittered((delay.count() + 1) / 2, delay.count());
  return milliseconds{jittered(random_)};
}

} // namespace dr::kepco
