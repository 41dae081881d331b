// The audit of everything that is stored: balances from the ledger, settlements from their metering data, counts from
// their rows, states from their events.
#pragma once

#include "audit/finding.hpp"
#include "domain/calendar.hpp"
#include "storage/audit.hpp"

#include <functional>

namespace dr::audit {

struct options {
  holiday_list holidays; ///< sorted; the ones that settlements go by
  int page = 200;        ///< users read at once
  std::size_t kept_per_kind = 100;
  std::function<void(std::int64_t users, std::int64_t of)> progress; ///< after every page; may be empty
};

/// What was looked at.
struct extent {
  std::int64_t users = 0;
  std::int64_t campaigns = 0;
  std::int64_t responses = 0;
  std::int64_t checks = 0;
  std::int64_t recomputed = 0; ///< of the checks
  std::int64_t queued = 0;
  std::int64_t entries = 0;
  std::int64_t events = 0;
  std::int64_t points = 0; ///< Σ of all balances
};

struct report {
  extent seen;
  findings found;
};

/// Audits all that the reader reads, page by page: memory does not grow with the number of users. Fails as the reader
/// does.
result<report> run(storage::audit_reader& from, const options& how);

} // namespace dr::audit
