// The codec of the event log: what each event tells, as a JSON object. Field names follow the API.
#pragma once

#include "storage/engine/rows.hpp"

namespace dr::storage {

event user_enrolled_event(const user& who, time_point at);
event user_changed_event(const user& before, const user& after, time_point at);
event user_withdrawn_event(const user& who, time_point at);
event token_event(const char* type, const user& who, time_point at);
event points_withdrawn_event(const ledger_entry& entry);
event users_imported_event(const imported& outcome, std::int64_t opening_points, time_point at);
event campaign_event(const char* type, const campaign& what, time_point at);
event list_made_event(const campaign& what, time_point at);
event list_saved_event(const campaign& what, std::int64_t queued, time_point at);
event answer_event(const response& after, dr::answer before, time_point at);
event check_event(const reduction_check& check, dr::answer answer_now);
event points_changed_event(const reduction_check& check, std::int64_t moved, const user& after);
event checks_retried_event(campaign_id campaign, std::int64_t count, time_point at);
event queue_event(const char* type, const queued_check& job, time_point at);

// ---- and back: nothing when the text is not what this program writes -----------------------------------------------

/// What a ReductionCheck event tells; quality and answer in the API's words.
struct told_check {
  std::int64_t id = 0;
  int revision = 0;
  bool is_real = false;
  std::int64_t adjust_points = 0;
  std::int64_t baseline_wh = 0;
  std::int64_t metered_wh = 0;
  std::int64_t reduction_wh = 0;
  std::int64_t credited_wh = 0;
  std::string quality;
  std::string answer; ///< the response's, after it
};
std::optional<told_check> read_check_event(const event& from);

/// What a PointChanged event tells.
struct told_points {
  std::int64_t amount = 0;
  std::int64_t balance_after = 0;
  std::int64_t owed_points = 0;
  int revision = 0;
};
std::optional<told_points> read_points_event(const event& from);

/// A whole number that an event tells under this name.
std::optional<std::int64_t> told_number(const event& from, const char* field);
/// Does the event tell anything under this name?
bool tells(const event& from, const char* field);

} // namespace dr::storage
