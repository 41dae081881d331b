// A user: a site that can reduce. And its points.
#pragma once

#include "domain/baseline_method.hpp"
#include "domain/ids.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace dr {

struct user {
  user_id id;
  std::string name;                      ///< UTF-8, 1 … 200 characters
  std::int64_t capacity_w = 0;           ///< committed reduction in W (the API says kW, up to three decimals)
  std::int64_t points = 0;               ///< balance; the sum of the user's ledger entries
  std::int64_t owed_points = 0;          ///< taken back by a recheck but already spent; recovered from later credits
  std::string cust_no;                   ///< KEPCO's ten digits, empty when unknown
  std::optional<baseline_method> method; ///< the user's choice; none: the programme's
  std::optional<bool> saa;               ///< the user's choice; none: the programme's
  bool enrolled = true;                  ///< false once withdrawn from the programme
  std::optional<time_point> token_created_at; ///< set while the user has an access token
  time_point created_at{};
  std::int64_t version = 1; ///< grows with every visible change
  friend bool operator==(const user&, const user&) = default;
};

enum class entry_kind : unsigned char { opening = 1, credit, withdrawal, reversal };
/// "opening", "credit", "withdrawal", "reversal".
const char* to_string(entry_kind kind) noexcept;

/// One line of the append-only points ledger. Amounts are signed: credits positive, withdrawals and reversals negative.
struct ledger_entry {
  entry_id id;
  user_id user;
  entry_kind kind = entry_kind::credit;
  std::int64_t amount = 0;
  std::int64_t balance_after = 0;
  campaign_id campaign;             ///< none for openings and withdrawals
  response_id response;             ///< none for openings and withdrawals
  int revision = 0;                 ///< of the reduction check that made it; 0 for openings and withdrawals
  std::optional<entry_id> reverses; ///< the entry that a reversal takes back
  time_point at{};
  friend bool operator==(const ledger_entry&, const ledger_entry&) = default;
};

} // namespace dr
