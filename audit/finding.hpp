// What an audit finds: what is wrong, where, what is stored, what it should be, and what that may mean.
#pragma once

#include "domain/ids.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace dr::audit {

enum class finding_kind : unsigned char {
  balance = 0,      ///< a user's points or owed points against the ledger
  ledger_chain,     ///< balance_after against the entry before
  ledger_entry,     ///< an entry that cannot be
  credit,           ///< the ledger against the points of a check
  double_credit,    ///< one quarter hour credited to two campaigns
  settlement,       ///< a check against its settlement computed anew
  check,            ///< a check that contradicts itself, its response or its event
  response,         ///< a response whose state its check does not explain, or one too many
  queue,            ///< the verification queue against the responses that wait
  campaign_counts,  ///< a campaign's numbers against its responses and checks
  event,            ///< a state that no event explains, or an event without its state
  event_numbers,    ///< the event log's numbering
  stray,            ///< rows that refer to something that is not there
  id_source,        ///< a sequence that would give out an id again
  refreshed,        ///< no difference in the books: today's metering data would settle otherwise
  not_recomputable, ///< no difference in the books: the metering data is not there
};
inline constexpr std::size_t finding_kinds = 16;

/// "balance", "ledger-chain", … as in the JSON report.
const char* to_string(finding_kind kind) noexcept;
/// What a finding of this kind may mean, and what to do, in one or two sentences.
const char* meaning(finding_kind kind) noexcept;
/// False for the kinds that say something about metering data, not about the books.
bool is_difference(finding_kind kind) noexcept;

/// The things that a finding is about; zero: none.
struct place {
  user_id user;
  campaign_id campaign;
  response_id response;
  check_id check;
  entry_id entry;
  std::int64_t event = 0;
};

struct finding {
  finding_kind kind = finding_kind::balance;
  place where;
  std::string what; ///< one sentence without a full stop
  std::string stored;
  std::string computed; ///< or expected
};

/// Counts every finding and keeps the first ones of each kind.
class findings {
public:
  explicit findings(std::size_t kept_per_kind = 100) : kept_per_kind_(kept_per_kind) {}
  void add(finding one);
  void add(finding_kind kind, place where, std::string what, std::string stored, std::string computed) {
    add({kind, where, std::move(what), std::move(stored), std::move(computed)});
  }
  void add(finding_kind kind, place where, std::string what, std::int64_t stored, std::int64_t computed) {
    add({kind, where, std::move(what), std::to_string(stored), std::to_string(computed)});
  }
  const std::vector<finding>& kept() const noexcept { return kept_; }
  std::int64_t count(finding_kind kind) const noexcept { return counts_[static_cast<std::size_t>(kind)]; }
  /// Of all kinds that are differences.
  std::int64_t differences() const noexcept;

private:
  std::size_t kept_per_kind_;
  std::array<std::int64_t, finding_kinds> counts_{};
  std::vector<finding> kept_;
};

/// "user 7, campaign 3, response 12".
std::string place_text(const place& where);

} // namespace dr::audit
