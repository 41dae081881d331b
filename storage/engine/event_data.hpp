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

} // namespace dr::storage
