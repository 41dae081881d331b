// What an audit reads: everything that is stored, one account after the other, all as of one instant.
#pragma once

#include "storage/engine/rows.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dr::storage {

/// Everything that is stored of one user. Lists are in the order of their ids, events in that of their numbers.
struct account {
  dr::user user;
  std::vector<ledger_entry> entries;
  std::vector<response> responses; ///< as stored: `pending` and `expected_points` are derived elsewhere
  std::vector<reduction_check> checks;
  std::vector<queued_check> queued;      ///< by response
  std::vector<event> events;             ///< those that name the user
  std::map<korean_day, stored_day> days; ///< of the present custNo; read only for a user who has checks
};

/// A table's highest id, and the number that its sequence gave out last.
struct id_source {
  std::string table;
  std::int64_t highest = 0;
  std::int64_t given_out = 0;
};

/// The event log as a whole.
struct log_extent {
  std::int64_t count = 0;
  std::int64_t first = 0; ///< 0 when it is empty
  std::int64_t last = 0;
  std::int64_t counter = 0; ///< the number that the writers think was given last
};

/// Numbers that are missing in the event log, both ends included.
struct log_gap {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// Rows that refer to something that is not there.
struct stray_rows {
  std::string table;
  std::string refers_to; ///< "user", "campaign", "response"
  std::int64_t count = 0;
  std::int64_t example = 0; ///< the first one's id (the response's id for the queue)
};

/// One connection that reads all of one instant, whatever is written meanwhile. Used by one thread. Calls fail with
/// store_unavailable when the database is lost on the way.
class audit_reader {
public:
  virtual ~audit_reader() = default;
  /// Takes the instant; first of all calls. Fails also with invalid and a detail for the operator, when the database
  /// is none of this program's release.
  virtual result<void> begin() = 0;
  /// About how many users there are to come.
  virtual result<std::int64_t> user_count() = 0;
  virtual result<std::vector<campaign>> campaigns(campaign_id after, int limit) = 0;
  virtual result<std::vector<account>> accounts(user_id after, int limit) = 0;
  /// Events that are about no user: campaigns and imports. By number, behind `after`.
  virtual result<std::vector<event>> house_events(std::int64_t after, int limit) = 0;
  virtual result<log_extent> extent() = 0;
  virtual result<std::vector<log_gap>> gaps(int limit) = 0;
  virtual result<std::vector<id_source>> id_sources() = 0;
  virtual result<std::vector<stray_rows>> strays() = 0;
};

} // namespace dr::storage
