// What happened in a run, as its clients saw it: every request with every attempt, every WebSocket session with every
// message. The judge reads it afterwards; nothing here knows whether it was right.
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace dr::chaos {

using json = nlohmann::json;
using steady = std::chrono::steady_clock;

/// What one attempt tells its client. unknown: the connection was lost before the answer, or the answer said so.
enum class outcome : unsigned char { acknowledged, refused, unknown };
const char* to_string(outcome what) noexcept;

struct attempt {
  steady::time_point begun{};
  steady::time_point ended{};
  unsigned status = 0; ///< 0: no answer
  json body;           ///< the answer's; what was said instead where there was none
  outcome result = outcome::unknown;
};

/// Sorts an answer by the contract: 2xx acknowledged; 503 that says that nothing was done, and 4xx, refused; the rest
/// unknown.
outcome outcome_of(unsigned status, const json& body);

enum class operation_kind : unsigned char {
  enrol,
  import_list,
  withdraw_user,
  order_campaign,
  change_campaign,
  end_campaign,
  cancel_campaign,
  answer,
  withdraw_points,
  recheck
};
const char* to_string(operation_kind what) noexcept;

/// One thing that somebody wanted done. With a key it is tried until the outcome is known; without, once.
struct operation {
  operation_kind kind = operation_kind::answer;
  std::string method;
  std::string path;
  std::string key;       ///< Idempotency-Key; empty: none
  json wanted;           ///< the request's body, or the text of a list
  std::int64_t user = 0; ///< the user or
  std::int64_t campaign = 0;
  std::int64_t response = 0; ///< the response it is about; 0: none
  std::vector<attempt> attempts;

  /// Acknowledged if any attempt was; refused if the last one was refused and no earlier one of the same key is open in
  /// a way that the refusal does not settle; else unknown.
  outcome result() const;
  /// The body of the first acknowledged attempt; null when there is none.
  const json& acknowledged_body() const;
};

/// A POST that nobody has tried yet.
operation posted(operation_kind kind, std::string path, json wanted);

struct message {
  steady::time_point at{};
  json body;
};

/// One WebSocket connection of a customer, from the upgrade to its end.
struct session {
  std::int64_t user = 0;
  steady::time_point opened{};
  steady::time_point whole{}; ///< when the snapshot was here
  steady::time_point closed{};
  std::uint16_t close_code = 0;
  bool left = false;  ///< the customer went by itself
  bool ended = false; ///< false: alive when the run was judged
  json snapshot;      ///< null: none came
  std::deque<message> messages;
};

/// A campaign's summary beside what its responses add up to, when nothing was in flight.
struct moment {
  std::int64_t campaign = 0;
  json summary;
  json counted; ///< {dispatched, accept, deny, ignore, delivered}
};

/// Collects from many threads. The references it hands out stay valid; each belongs to the thread that made it until
/// that thread is done.
class history {
public:
  operation& begin(operation what);
  session& begin(session what);
  void add(moment what);
  /// The operator's operations whose outcome is still unknown. Nobody may be at work on one.
  std::vector<operation*> unresolved();

  const std::deque<operation>& operations() const noexcept { return operations_; }
  const std::deque<session>& sessions() const noexcept { return sessions_; }
  const std::deque<moment>& moments() const noexcept { return moments_; }

  /// One JSON object a line, for people who look for the cause of a finding.
  void write(const std::filesystem::path& file) const;

private:
  std::mutex mutex_;
  std::deque<operation> operations_;
  std::deque<session> sessions_;
  std::deque<moment> moments_;
};

} // namespace dr::chaos
