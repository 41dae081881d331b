// The rules of every change, the same for each kind of store.
#pragma once

#include "storage/engine/rows.hpp"

#include <vector>

namespace dr::storage {

/// Carries out one write on the rows: the key first, then the change, then the record of its answer. The events of a
/// change that succeeds are appended (without numbers); a failed one changes nothing. Throws only what `over` or the
/// write's `render` throws.
result<written> execute(const write& what, rows& over, std::vector<event>& events);

/// The business time that a change carries; nothing for a remember_answer without one.
std::optional<time_point> time_of(const change& what) noexcept;

/// A response as the world sees it: with the points to expect, and pending while its first check is queued.
/// A pending response counts one version more than is stored, and settling it counts two, so that every visible change
/// has a version of its own without a write per response when a campaign is frozen.
response presented(response stored, const campaign& of, bool queued);

/// What is known of a day after `news`: known values are never replaced by missing ones, and a closed day stays closed.
void merge(stored_day& into, const stored_day& news) noexcept;

namespace rules {
using events_out = std::vector<event>;
result<written> apply(const create_user& what, rows& over, events_out& events);
result<written> apply(const change_user& what, rows& over, events_out& events);
result<written> apply(const withdraw_user& what, rows& over, events_out& events);
result<written> apply(const set_token& what, rows& over, events_out& events);
result<written> apply(const withdraw_points& what, rows& over, events_out& events);
result<written> apply(const import_users& what, rows& over, events_out& events);
result<written> apply(const open_campaign& what, rows& over, events_out& events);
result<written> apply(const save_campaign& what, rows& over, events_out& events);
result<written> apply(const freeze_campaign& what, rows& over, events_out& events);
result<written> apply(const choose_answer& what, rows& over, events_out& events);
result<written> apply(const mark_delivered& what, rows& over, events_out& events);
result<written> apply(const settle_check& what, rows& over, events_out& events);
result<written> apply(const postpone_checks& what, rows& over, events_out& events);
result<written> apply(const order_recheck& what, rows& over, events_out& events);
result<written> apply(const retry_parked& what, rows& over, events_out& events);
result<written> apply(const retry_check& what, rows& over, events_out& events);
result<written> apply(const save_profile& what, rows& over, events_out& events);
result<written> apply(const remember_answer& what, rows& over, events_out& events);
/// Keeps each of the days.
void keep(const std::vector<save_profile>& days, rows& over);
} // namespace rules

} // namespace dr::storage
