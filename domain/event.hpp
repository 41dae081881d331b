// The event log: what happened, in order, without gaps.
#pragma once

#include "domain/ids.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <string>

namespace dr {

/// `type` is one of the names in event_types; `data` is a JSON object as text, made by storage's codec.
struct event {
  std::int64_t seq = 0;
  time_point at{};
  std::string type;
  campaign_id campaign;
  user_id user;
  response_id response;
  std::string data = "{}";
  friend bool operator==(const event&, const event&) = default;
};

/// Every event type there is.
namespace event_types {
inline constexpr const char* dr_started = "DRstarted"; ///< ordered (announced or started at once)
inline constexpr const char* list_made = "Listmade";   ///< one response per enrolled user is there
inline constexpr const char* dr_begun = "DrBegun";     ///< a scheduled campaign reached its start
inline constexpr const char* dr_changed = "DrChanged";
inline constexpr const char* accept_chosen = "AcceptChosen";
inline constexpr const char* deny_chosen = "DenyChosen";
inline constexpr const char* dr_ended = "DrEnded";
inline constexpr const char* dr_canceled = "DrCanceled";
inline constexpr const char* list_saved = "Listsaved"; ///< answers frozen and counted, checks queued
inline constexpr const char* reduction_check = "ReductionCheck";
inline constexpr const char* point_changed = "PointChanged";
inline constexpr const char* point_withdrawn = "PointWithdrawn";
inline constexpr const char* check_parked = "CheckParked";   ///< set aside until somebody asks, for what `reason` says
inline constexpr const char* check_retried = "CheckRetried"; ///< somebody asked: of one response, or a whole campaign
inline constexpr const char* recheck_ordered = "RecheckOrdered";
inline constexpr const char* user_enrolled = "UserEnrolled";
inline constexpr const char* user_changed = "UserChanged";
inline constexpr const char* user_withdrawn = "UserWithdrawn";
inline constexpr const char* users_imported = "UsersImported"; ///< one per chunk
inline constexpr const char* token_issued = "TokenIssued";
inline constexpr const char* token_revoked = "TokenRevoked";
inline constexpr const char* all[] = {
    dr_started,      list_made,     dr_begun,        dr_changed,     accept_chosen,   deny_chosen,  dr_ended,
    dr_canceled,     list_saved,    reduction_check, point_changed,  point_withdrawn, check_parked, check_retried,
    recheck_ordered, user_enrolled, user_changed,    user_withdrawn, users_imported,  token_issued, token_revoked};
} // namespace event_types

} // namespace dr
