#include "storage/engine/apply.hpp"
#include "storage/engine/event_data.hpp"

namespace dr::storage::rules {

namespace {

error no_such_campaign() { return fail(errc::not_found, "there is no such campaign"); }

const char* event_of(const campaign& before, const campaign& after) {
  if (before.status == after.status) return event_types::dr_changed;
  switch (after.status) {
  case campaign_status::running:
    return event_types::dr_begun;
  case campaign_status::end:
    return event_types::dr_ended;
  case campaign_status::canceled:
    return event_types::dr_canceled;
  case campaign_status::scheduled:
    break;
  }
  return event_types::dr_changed;
}

} // namespace

result<written> apply(const open_campaign& what, rows& over, events_out& events) {
  auto c = what.planned;
  c.id = over.new_campaign_id();
  c.version = 1;
  c.frozen = false;
  c.counts = {};
  over.put(c);
  c.counts.dispatched = over.make_responses(c);
  over.put(c);
  events.push_back(campaign_event(event_types::dr_started, c, what.at));
  events.push_back(list_made_event(c, what.at));
  return written{c};
}

result<written> apply(const save_campaign& what, rows& over, events_out& events) {
  const auto* found = over.find_campaign(what.next.id);
  if (!found) return no_such_campaign();
  if (found->version != what.expected_version)
    return fail(errc::version_conflict,
                "the campaign was changed in the meantime: read it again, then repeat the change");
  auto before = *found;
  auto next = what.next;
  next.counts = before.counts;
  next.frozen = before.frozen;
  if (before.frozen) next.settlement = before.settlement;
  if (next == before) return written{before};
  next.version = std::max(next.version, before.version + 1);
  over.put(next);
  events.push_back(campaign_event(event_of(before, next), next, what.at));
  return written{next};
}

result<written> apply(const freeze_campaign& what, rows& over, events_out& events) {
  const auto* found = over.find_campaign(what.id);
  if (!found) return no_such_campaign();
  if (found->open()) return fail(errc::campaign_scheduled, "the campaign is still open");
  if (found->frozen || found->status == campaign_status::canceled) return written{*found};
  auto c = *found;
  auto counted = over.freeze(c.id, !c.test, what.first_try_at, what.at);
  // Receipts of delivery may have come in while the answers were counted.
  c = *over.find_campaign(what.id);
  c.frozen = true;
  c.counts.accept = counted.accept;
  c.counts.deny = counted.deny;
  c.counts.committed_w = counted.committed_w;
  c.counts.pending = counted.queued;
  if (c.test)
    c.settlement = settlement_status::none;
  else
    c.settlement = counted.queued > 0 ? settlement_status::verifying : settlement_status::settled;
  ++c.version;
  over.put(c);
  events.push_back(list_saved_event(c, counted.queued, what.at));
  return written{c};
}

result<written> apply(const retry_parked& what, rows& over, events_out& events) {
  if (!over.find_campaign(what.id)) return no_such_campaign();
  auto count = over.unpark(what.id, what.at);
  if (count > 0) events.push_back(checks_retried_event(what.id, count, what.at));
  return written{done{count}};
}

} // namespace dr::storage::rules
