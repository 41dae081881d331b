#include "domain/points.hpp"
#include "storage/engine/apply.hpp"
#include "storage/engine/event_data.hpp"

namespace dr::storage::rules {

namespace {

verification outcome_of(const reduction_check& check) {
  if (check.quality == check_quality::unverifiable) return verification::unverifiable;
  return check.is_real ? verification::real : verification::unreal;
}

/// Adds (or, with −1, takes back) one check's share in its campaign's numbers.
void count(campaign_counts& counts, const reduction_check& check, std::int64_t sign) {
  switch (outcome_of(check)) {
  case verification::real:
    counts.real += sign;
    break;
  case verification::unreal:
    counts.unreal += sign;
    break;
  default:
    counts.unverifiable += sign;
    break;
  }
  counts.reduction_wh += sign * check.reduction_wh;
  counts.credited_wh += sign * check.credited_wh;
  counts.points_credited += sign * check.adjust_points;
}

/// Unreal turns an accept to deny, real turns it back, unverifiable leaves it. The choice keeps its time.
response turned(response r, const reduction_check& check) {
  r.verification = outcome_of(check);
  if (r.verification == verification::unreal && r.answer == answer::accept) {
    r.answer = answer::deny;
    r.turned = true;
  } else if (r.verification == verification::real && r.turned) {
    r.answer = answer::accept;
    r.turned = false;
  }
  return r;
}

/// The ledger entries of a settlement: first the credit, then what is taken back.
std::vector<ledger_entry> enter(const reduction_check& check, const reduction_check* before,
                                const points_change& change, rows& over) {
  std::vector<ledger_entry> entries;
  // A credit that was taken back already is not named again.
  bool stands = before && before->adjust_points > 0;
  auto former = stands && change.reversal > 0 ? over.last_credit(check.response) : std::nullopt;
  ledger_entry entry;
  entry.user = check.user;
  entry.campaign = check.campaign;
  entry.response = check.response;
  entry.revision = check.revision;
  entry.at = check.checked_at;
  if (change.credit > 0) {
    entry.id = over.new_entry_id();
    entry.kind = entry_kind::credit;
    entry.amount = change.credit;
    entry.balance_after = change.balance + change.reversal;
    entries.push_back(entry);
  }
  if (change.reversal > 0) {
    // Without a former credit of this response, what is owed from elsewhere is taken out of the credit just made.
    if (former)
      entry.reverses = former->id;
    else if (!entries.empty())
      entry.reverses = entries.front().id;
    entry.id = over.new_entry_id();
    entry.kind = entry_kind::reversal;
    entry.amount = -change.reversal;
    entry.balance_after = change.balance;
    entries.push_back(entry);
  }
  for (const auto& made : entries) over.add(made);
  return entries;
}

/// The campaign's numbers, and whether this was its last open check.
bool count_settled(const reduction_check* former, const reduction_check& check, rows& over) {
  const auto* of = over.find_campaign(check.campaign);
  campaign_counts moved;
  if (former)
    count(moved, *former, -1);
  else if (of->counts.pending > 0)
    moved.pending = -1;
  count(moved, check, +1);
  bool last = !former && of->frozen && of->counts.pending + moved.pending == 0 &&
              of->settlement == settlement_status::verifying;
  over.add_counts(check.campaign, moved);
  if (!last) return false;
  auto settled = *over.find_campaign(check.campaign);
  settled.settlement = settlement_status::settled;
  ++settled.version;
  over.put(settled);
  return true;
}

response settle_response(const response& before, const reduction_check& check, bool first, rows& over) {
  auto r = turned(before, check);
  r.version += first ? 2 : 1; // see presented()
  over.put(r);
  return presented(r, *over.find_campaign(r.campaign), false);
}

/// The check as it is stored: with the ids of its response, and with its own id and version.
reduction_check identified(reduction_check check, const response& r, const reduction_check* former, rows& over) {
  check.campaign = r.campaign;
  check.user = r.user;
  check.user_name = r.user_name;
  check.id = former ? former->id : over.new_check_id();
  check.version = former ? former->version + 1 : 1;
  return check;
}

} // namespace

result<written> apply(const settle_check& what, rows& over, events_out& events) {
  const auto* found = over.find_response(what.check.response);
  const auto* of = found ? over.find_campaign(found->campaign) : nullptr;
  const auto* who = of ? over.find_user(found->user) : nullptr;
  if (!who) return fail(errc::not_found, "there is no such response");
  keep(what.days, over);
  std::optional<reduction_check> former;
  if (const auto* kept = over.check_of(found->id)) former = *kept;
  if (former && what.check.revision <= former->revision)
    return written{check_settled{*former, presented(*found, *of, false), {}, who->user.points, false, false}};

  auto before = *found;
  auto account = *who;
  auto check = identified(what.check, before, former ? &*former : nullptr, over);
  auto change = settle_points(account.user.points, account.user.owed_points, former ? former->adjust_points : 0,
                              check.adjust_points);
  check_settled outcome;
  outcome.entries = enter(check, former ? &*former : nullptr, change, over);
  auto moved = change.balance - account.user.points;
  bool touched = !outcome.entries.empty() || change.owed != account.user.owed_points;
  account.user.points = change.balance;
  account.user.owed_points = change.owed;
  if (touched) {
    ++account.user.version;
    over.put(account);
  }
  over.put(check);
  const auto* job = over.find_queued(before.id);
  if (job && job->revision <= check.revision) over.erase_queued(before.id);
  outcome.campaign_settled = count_settled(former ? &*former : nullptr, check, over);
  outcome.response = settle_response(before, check, !former, over);
  outcome.check = check;
  outcome.points = account.user.points;
  outcome.changed = true;
  events.push_back(check_event(check, outcome.response.answer));
  if (touched) events.push_back(points_changed_event(check, moved, account.user));
  return written{std::move(outcome)};
}

result<written> apply(const postpone_checks& what, rows& over, events_out& events) {
  done moved;
  for (const auto& one : what.checks) {
    keep(one.days, over);
    const auto* found = over.find_queued(one.id);
    if (!found) continue;
    auto job = *found;
    bool newly_parked = one.parked && !job.parked;
    job.next_try_at = one.next_try_at;
    job.attempts = one.attempts;
    job.parked = one.parked;
    job.reason = one.reason;
    over.put(job);
    if (newly_parked) events.push_back(queue_event(event_types::check_parked, job, what.at));
    ++moved.count;
  }
  return written{moved};
}

result<written> apply(const retry_check& what, rows& over, events_out& events) {
  if (!over.find_response(what.id)) return fail(errc::not_found, "there is no such response");
  const auto* found = over.find_queued(what.id);
  if (!found || !found->parked) return written{done{0}};
  auto job = *found;
  events.push_back(queue_event(event_types::check_retried, job, what.at));
  job.next_try_at = job.queued_at = what.at;
  job.attempts = 0;
  job.parked = false;
  job.reason.clear();
  over.put(job);
  return written{done{1}};
}

result<written> apply(const order_recheck& what, rows& over, events_out& events) {
  const auto* check = over.find_check(what.id);
  if (!check) return fail(errc::not_found, "there is no such reduction check");
  const auto* waiting = over.find_queued(check->response);
  if (waiting && !waiting->parked) return written{done{0}};
  queued_check job;
  job.response = check->response;
  job.campaign = check->campaign;
  job.user = check->user;
  job.revision = check->revision + 1;
  job.next_try_at = job.queued_at = what.at;
  job.fresh = true;
  over.put(job);
  events.push_back(queue_event(event_types::recheck_ordered, job, what.at));
  return written{done{1}};
}

} // namespace dr::storage::rules
