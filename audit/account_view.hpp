// One user's account, sorted by response: what every part of its audit looks at.
#pragma once

#include "audit/finding.hpp"
#include "domain/calendar.hpp"
#include "storage/audit.hpp"

#include <map>
#include <vector>

namespace dr::audit {

using campaign_map = std::map<campaign_id, campaign>;

/// All that belongs to one response; pointers into the account and the campaigns.
struct response_file {
  const dr::response* response = nullptr;
  const dr::campaign* of = nullptr; ///< none when the campaign's row is gone
  const reduction_check* check = nullptr;
  const storage::queued_check* queued = nullptr;
  std::vector<const ledger_entry*> entries; ///< credits and reversals, by id
  std::vector<const event*> events;         ///< by number
  place where() const { return {response->user, response->campaign, response->id, {}, {}, 0}; }
};

struct account_view {
  const storage::account& account;
  const campaign_map& campaigns;
  std::map<response_id, response_file> files;
};

/// Sorts the account; a check, entry or event of a response that is not the user's is found here.
account_view view_of(const storage::account& from, const campaign_map& campaigns, findings& out);

/// The ledger in itself, against the balance, and against the points of the checks.
void audit_ledger(const account_view& view, findings& out);
/// One response per campaign; each response against its check and its place in the queue.
void audit_responses(const account_view& view, findings& out);
/// Every state of the account has the events that explain it, in their order, and no event is without its state.
void audit_events(const account_view& view, findings& out);

/// How many checks could be computed anew.
struct recomputed {
  std::int64_t checks = 0;
};
/// Every check in itself, and against its settlement computed anew by domain's own arithmetic from the days that are
/// kept and the terms that were frozen; and no quarter hour credited twice. A check whose data has changed since is
/// `refreshed`, not a difference; its figures still have to agree with its event, its ledger entries and themselves.
void audit_settlements(const account_view& view, const holiday_list& holidays, findings& out, recomputed& done);

} // namespace dr::audit
