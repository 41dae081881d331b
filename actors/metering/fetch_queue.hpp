// The questions that wait at KEPCO's gate: two priorities, bounded, and each customer-day only once however many ask.
#pragma once

#include "actors/ask.hpp"
#include "actors/interfaces.hpp"

#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dr::actors {

using fetch_promise = caf::typed_response_promise<fetched_day>;
using gate_time = std::chrono::steady_clock::time_point;

/// One customer's day.
struct fetch_key {
  std::string cust_no;
  korean_day day{};
  friend bool operator==(const fetch_key&, const fetch_key&) = default;
  friend auto operator<=>(const fetch_key&, const fetch_key&) = default;
};

/// Belongs to one actor. A question is queued, then running, then answered; while it is queued or running a second one
/// for the same customer-day joins it.
class fetch_queue {
public:
  /// At most `most` customer-days wait; history gets at most half of that, so that it is refused first.
  explicit fetch_queue(std::size_t most) : most_(most) {}

  /// Takes a question; a check that joins history's question makes it a check's. False: refused, the queue is full.
  bool add(const fetch_day& what, const fetch_promise& asker, gate_time now);
  /// The next customer-day to ask for, checks first; it is running from now on.
  std::optional<fetch_key> start_next(bool history_too);
  /// The running customer-day could not be asked for after all: it is the next one again.
  void put_back(const fetch_key& key);
  /// True while the running customer-day was started for history.
  bool runs_for_history(const fetch_key& key) const;
  /// Answers everybody who asked for the customer-day and forgets it.
  void answer(const fetch_key& key, const fetched_day& with);
  /// Answers all that are queued (not running) with this failure.
  void refuse_queued(const meter_error& why);
  /// Answers the queued questions about one customer with this failure.
  void refuse_customer(const std::string& cust_no, const meter_error& why);
  /// Answers those that were queued at or before `since` with this failure.
  void refuse_older(gate_time since, const meter_error& why);
  /// Fails everybody, for the end of the gate.
  void abandon(const caf::error& why);

  std::size_t queued() const noexcept { return checks_.size() + history_.size(); }
  bool checks_waiting() const noexcept { return !checks_.empty(); }
  bool history_waiting() const noexcept { return !history_.empty(); }

private:
  using line = std::list<fetch_key>;
  struct entry {
    std::vector<kept_promise<fetched_day>> askers;
    fetch_priority priority = fetch_priority::check;
    bool running = false;
    gate_time since{};
    line::iterator place; ///< in its line while queued
  };
  line& line_of(fetch_priority priority) noexcept { return priority == fetch_priority::check ? checks_ : history_; }
  bool join(entry& found, const fetch_day& what, const fetch_promise& asker);
  void refuse_older(line& waiting, gate_time since, const meter_error& why);

  std::size_t most_;
  std::map<fetch_key, entry> entries_;
  line checks_;
  line history_;
};

} // namespace dr::actors
