#include "simulator/stats.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace dr::sim {

const char* to_string(operation op) noexcept {
  switch (op) {
  case operation::day:
    return "getDayLpData";
  case operation::minute:
    return "getMinuteLpData";
  case operation::customers:
    return "getCustNoList";
  case operation::period:
    return "getAllCustPeriodData";
  }
  return "";
}

const char* list_of(operation op) noexcept {
  switch (op) {
  case operation::day:
    return "dayLpDataInfoList";
  case operation::minute:
    return "minuteLpDataInfoList";
  case operation::customers:
    return "custNoInfoList";
  case operation::period:
    return "allCustPeriodDataInfoList";
  }
  return "";
}

void call_stats::begin(operation op) {
  std::lock_guard lock(mutex_);
  ++calls_[static_cast<std::size_t>(op)];
  peak_ = std::max(peak_, ++in_flight_);
}

void call_stats::end() {
  std::lock_guard lock(mutex_);
  --in_flight_;
}

void call_stats::injected(mishap kind) {
  std::lock_guard lock(mutex_);
  ++mishaps_[static_cast<std::size_t>(kind)];
}

std::string call_stats::json(const std::string& now) const {
  std::lock_guard lock(mutex_);
  nlohmann::ordered_json calls;
  std::uint64_t total = 0;
  for (auto op : all_operations) {
    calls[to_string(op)] = calls_[static_cast<std::size_t>(op)];
    total += calls_[static_cast<std::size_t>(op)];
  }
  nlohmann::ordered_json faults;
  for (auto kind : {mishap::down, mishap::error, mishap::hang, mishap::garbage, mishap::truncate})
    faults[to_string(kind)] = mishaps_[static_cast<std::size_t>(kind)];
  return nlohmann::ordered_json{{"calls", calls},           {"total", total},   {"inFlight", in_flight_},
                                {"concurrencyPeak", peak_}, {"faults", faults}, {"now", now}}
      .dump();
}

} // namespace dr::sim
