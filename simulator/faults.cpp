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

void fault_dice::set(const faults& wanted) {
  std::lock_guard lock(mutex_);
  faults_ = wanted;
  random_.seed(seed_);
}

faults fault_dice::get() const {
  std::lock_guard lock(mutex_);
  return faults_;
}

call_fate fault_dice::throw_for_call() {
  std::lock_guard lock(mutex_);
  call_fate fate;
  fate.latency = faults_.latency;
  fate.lag = faults_.lag;
  fate.missing_rate = faults_.missing_rate;
  fate.missing_seed = random_();
  fate.variant = random_();
  // Every die is thrown for every call, so that one rate does not shift the row of another.
  bool hang = unit(random_()) < faults_.hang_rate;
  bool error = unit(random_()) < faults_.error_rate;
  bool garbage = unit(random_()) < faults_.garbage_rate;
  bool truncate = unit(random_()) < faults_.truncate_rate;
  if (faults_.down)
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
