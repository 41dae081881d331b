#include "simulator/faults.hpp"

#include "simulator/generator.hpp"

namespace dr::sim {

namespace {

/// 0 ≤ value < 1 from the upper 53 bits, the same on every machine.
double unit(std::uint64_t random) noexcept { return static_cast<double>(random >> 11) * 0x1p-53; }

} // namespace

const char* to_string(mishap kind) noexcept {
  switch (kind) {
  case mishap::none:
    return "none";
  case mishap::down:
    return "down";
  case mishap::error:
    return "error";
  case mishap::hang:
    return "hang";
  case mishap::garbage:
    return "garbage";
  case mishap::truncate:
    return "truncate";
  }
  return "none";
}

bool call_fate::value_missing(std::uint64_t n) const noexcept {
  return missing_rate > 0 && unit(mixed(missing_seed, n)) < missing_rate;
}

std::int32_t call_fate::changed(std::uint64_t n, std::int32_t wh) const noexcept {
  if (change_rate <= 0 || unit(mixed(change_seed, n)) >= change_rate) return wh;
  auto percent = static_cast<std::int64_t>(mixed(change_seed + 1, n) % 11) - 5;
  return static_cast<std::int32_t>(wh + wh * percent / 100);
}

/// The settings as they stand now: none when their time is over, and flapping is down or up.
faults fault_dice::at(instant now) const {
  auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(now - since_);
  if (faults_.last.count() > 0 && gone >= faults_.last) return {};
  auto there = faults_;
  if (there.flap.count() > 0) there.down = there.down || (gone / there.flap) % 2 == 0;
  return there;
}

void fault_dice::set(const faults& wanted, instant now) {
  std::lock_guard lock(mutex_);
  faults_ = wanted;
  since_ = now;
  random_.seed(seed_);
}

faults fault_dice::get(instant now) const {
  std::lock_guard lock(mutex_);
  return at(now);
}

call_fate fault_dice::throw_for_call(instant now) {
  std::lock_guard lock(mutex_);
  auto there = at(now);
  call_fate fate;
  fate.latency = there.latency;
  fate.lag = there.lag;
  fate.spread = there.spread;
  fate.missing_rate = there.missing_rate;
  fate.missing_seed = random_();
  fate.change_rate = there.change_rate;
  fate.change_seed = mixed(fate.missing_seed, 1);
  fate.variant = random_();
  // Every die is thrown for every call, so that one rate does not shift the row of another.
  bool hang = unit(random_()) < there.hang_rate;
  bool error = unit(random_()) < there.error_rate;
  bool garbage = unit(random_()) < there.garbage_rate;
  bool truncate = unit(random_()) < there.truncate_rate;
  if (there.down)
    fate.kind = mishap::down;
  else if (hang)
    fate.kind = mishap::hang;
  else if (error)
    fate.kind = mishap::error;
  else if (garbage)
    fate.kind = mishap::garbage;
  else if (truncate)
    fate.kind = mishap::truncate;
  return fate;
}

} // namespace dr::sim
