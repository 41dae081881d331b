// What a settlement must come to, worked out from the market's rules (annex 28) and the meters alone. Written apart
// from domain/, and shares no line with it: where the two disagree, one of them is wrong.
#pragma once

#include "tests/chaos/meters.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dr::chaos {

/// A quarter hour by its number since 1970.
using quarter_number = std::int64_t;

/// One order as far as a user's settlement depends on it. Times are milliseconds since 1970.
struct model_event {
  std::int64_t campaign = 0;
  std::string programme;
  std::int64_t starts_ms = 0;
  std::optional<std::int64_t> ends_ms;
  std::int64_t ended_ms = 0;
  std::int64_t capacity_w = 0;
  std::string chosen_method; ///< the user's wish; empty: none
  std::optional<bool> chosen_saa;

  quarter_number first() const;
  quarter_number last() const; ///< included
};

struct expectation {
  bool real = false;
  std::string method;
  bool saa = false;
  std::int64_t baseline_wh = 0;
  std::int64_t metered_wh = 0;
  std::int64_t reduction_wh = 0;
  std::int64_t most_wh = 0; ///< that can be credited, before overlap: min(reduction, cap), never negative
  std::map<quarter_number, std::int64_t> reductions; ///< by quarter; whole Wh that add up to the reduction
};

/// Of two orders, true if `a` credits before `b`.
bool goes_first(const model_event& a, const model_event& b);

/// What a customer used on a day.
using usage_of = std::function<const quarters&(const std::string& cust_no, local_day day)>;

class settlement_model {
public:
  settlement_model(usage_of usage, std::set<local_day> holidays)
      : usage_(std::move(usage)), holidays_(std::move(holidays)) {}

  /// `others`: the user's other events; their days are no reference days, the first one of a day decides its
  /// adjustment.
  expectation settle(const std::string& cust_no, const model_event& event,
                     const std::vector<model_event>& others) const;

  /// What `event` can still be credited of the most that it may be, when so much of each quarter is taken.
  static std::int64_t credit_of(const expectation& what, const std::map<quarter_number, std::int64_t>& taken);
  /// The quarters that a credit takes: pro rata to what was left of each, to the Wh or so.
  static std::map<quarter_number, std::int64_t>
  spread(const expectation& what, const std::map<quarter_number, std::int64_t>& taken, std::int64_t credited_wh);

private:
  struct hour;
  std::vector<local_day> similar_days(const std::string& cust_no, const hour& of, const std::string& method,
                                      const std::set<local_day>& event_days) const;
  std::int64_t used(const std::string& cust_no, local_day day, int first, int count) const;

  usage_of usage_;
  std::set<local_day> holidays_;
};

/// The holidays of a calendar file: one ISO date a line, # comments.
std::set<local_day> read_holidays(const std::string& file);

} // namespace dr::chaos
