#include "audit/account_view.hpp"
#include "storage/engine/event_data.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace dr::audit {

namespace {

using std::to_string;

/// The ledger's movement of one revision of one check.
struct movement {
  std::int64_t amount = 0;
  std::int64_t balance_after = 0;
};

place at_event(place where, const event& e) {
  where.event = e.seq;
  return where;
}

void missing(const response_file& file, const std::string& type, std::string state, findings& out) {
  out.add(finding_kind::event, file.where(), "no " + type + " event explains it", std::move(state), type);
}

void audit_choice(const response_file& file, findings& out) {
  auto told = answer::ignore;
  for (const auto* e : file.events) {
    if (e->type == event_types::accept_chosen) told = answer::accept;
    if (e->type == event_types::deny_chosen) told = answer::deny;
  }
  auto frozen = file.response->frozen_answer();
  if (told != frozen)
    out.add(finding_kind::event, file.where(), "the answer is not the one that the events tell", to_string(frozen),
            to_string(told));
}

std::string figures(bool is_real, std::int64_t points, std::int64_t baseline_wh, std::int64_t metered_wh,
                    std::int64_t reduction_wh, std::int64_t credited_wh, const std::string& quality) {
  return std::string(is_real ? "real" : "not real") + ", " + to_string(points) + " points, baseline " +
         to_string(baseline_wh) + " Wh, metered " + to_string(metered_wh) + " Wh, reduction " +
         to_string(reduction_wh) + " Wh, credited " + to_string(credited_wh) + " Wh, " + quality;
}

/// The check as it stands against the event of its last revision.
void audit_told_check(const response_file& file, const event& e, const storage::told_check& told, findings& out) {
  const auto& k = *file.check;
  auto stored = figures(k.is_real, k.adjust_points, k.baseline_wh, k.metered_wh, k.reduction_wh, k.credited_wh,
                        to_string(k.quality));
  auto in_event = figures(told.is_real, told.adjust_points, told.baseline_wh, told.metered_wh, told.reduction_wh,
                          told.credited_wh, told.quality);
  auto where = at_event(file.where(), e);
  where.check = k.id;
  if (stored != in_event || told.id != k.id.value)
    out.add(finding_kind::check, where, "the check is not what its event tells", stored, in_event);
  if (told.answer != to_string(file.response->answer))
    out.add(finding_kind::response, where, "the answer is not the one that the check's event tells",
            to_string(file.response->answer), told.answer);
}

/// Each revision has one ReductionCheck event, in order. Returns the points that each of them credited.
std::map<int, std::int64_t> audit_revisions(const response_file& file, findings& out) {
  std::map<int, std::int64_t> points;
  int last = 0;
  for (const auto* e : file.events) {
    if (e->type != event_types::reduction_check) continue;
    auto told = storage::read_check_event(*e);
    if (!told || told->revision <= last || !file.check || told->revision > file.check->revision) {
      out.add(finding_kind::event, at_event(file.where(), *e), "a ReductionCheck event tells of no revision there is",
              told ? "revision " + to_string(told->revision) : "unreadable",
              "after revision " + to_string(last) + " of " + to_string(file.check ? file.check->revision : 0));
      continue;
    }
    last = told->revision;
    points[last] = told->adjust_points;
    if (last == file.check->revision) audit_told_check(file, *e, *told, out);
  }
  for (int revision = 1; file.check && revision <= file.check->revision; ++revision)
    if (!points.contains(revision))
      missing(file, event_types::reduction_check, "revision " + to_string(revision) + " of the check", out);
  return points;
}

std::map<int, movement> movements(const response_file& file) {
  std::map<int, movement> all;
  for (const auto* entry : file.entries) {
    auto& one = all[entry->revision];
    one.amount += entry->amount;
    one.balance_after = entry->balance_after;
  }
  return all;
}

/// The PointChanged events against what the ledger moved.
void audit_movements(const response_file& file, findings& out) {
  auto in_ledger = movements(file);
  std::int64_t checked_at = 0;
  for (const auto* e : file.events) {
    if (e->type == event_types::reduction_check) checked_at = e->seq;
    if (e->type != event_types::point_changed) continue;
    auto told = storage::read_points_event(*e);
    auto found = told ? in_ledger.find(told->revision) : in_ledger.end();
    auto amount = found == in_ledger.end() ? 0 : found->second.amount;
    auto where = at_event(file.where(), *e);
    if (!told || told->amount != amount)
      out.add(finding_kind::event, where, "the ledger does not move what a PointChanged event tells",
              to_string(amount) + " points", told ? to_string(told->amount) + " points" : "unreadable");
    else if (found != in_ledger.end() && told->balance_after != found->second.balance_after)
      out.add(finding_kind::event, where, "a PointChanged event tells another balance than the ledger",
              found->second.balance_after, told->balance_after);
    if (checked_at == 0)
      out.add(finding_kind::event, where, "a PointChanged event comes before its ReductionCheck", "before", "after");
    if (found != in_ledger.end()) in_ledger.erase(found);
  }
  for (const auto& [revision, one] : in_ledger)
    missing(file, event_types::point_changed,
            to_string(one.amount) + " points moved for revision " + to_string(revision), out);
}

/// Each credit is what the event of its revision says.
void audit_credits(const response_file& file, const std::map<int, std::int64_t>& points, findings& out) {
  for (const auto* entry : file.entries) {
    auto told = points.find(entry->revision);
    if (entry->kind != entry_kind::credit || told == points.end() || told->second == entry->amount) continue;
    auto where = file.where();
    where.entry = entry->id;
    out.add(finding_kind::credit, where, "a credit is not what the event of its revision tells", entry->amount,
            told->second);
  }
}

void audit_job_events(const response_file& file, findings& out) {
  if (!file.queued) return;
  auto has = [&](const char* type) {
    return std::any_of(file.events.begin(), file.events.end(), [&](const event* e) { return e->type == type; });
  };
  if (file.queued->revision > 1 && !has(event_types::recheck_ordered))
    missing(file, event_types::recheck_ordered, "a queued recheck", out);
  if (file.queued->parked && !has(event_types::check_parked))
    missing(file, event_types::check_parked, "a parked check", out);
}

/// Openings and withdrawals: each entry has its event, each event its entry.
void audit_own_events(const storage::account& of, findings& out) {
  std::map<std::int64_t, std::int64_t> withdrawals;
  std::int64_t opening = 0;
  for (const auto& entry : of.entries) {
    if (entry.kind == entry_kind::withdrawal) withdrawals[entry.id.value] = entry.amount;
    if (entry.kind == entry_kind::opening) opening += entry.amount;
  }
  for (const auto& e : of.events) {
    place where{of.user.id, {}, {}, {}, {}, e.seq};
    if (e.type == event_types::user_enrolled) {
      if (auto told = storage::told_number(e, "point"); told.value_or(-1) != opening)
        out.add(finding_kind::event, where, "the opening entry is not what the enrolment's event tells", opening,
                told.value_or(-1));
    } else if (e.type == event_types::point_withdrawn) {
      auto found = withdrawals.find(storage::told_number(e, "entryId").value_or(0));
      auto told = storage::told_number(e, "amount").value_or(0);
      auto amount = found == withdrawals.end() ? 0 : found->second;
      if (amount != told)
        out.add(finding_kind::event, where, "the ledger does not hold the withdrawal that an event tells", amount,
                told);
      if (found != withdrawals.end()) withdrawals.erase(found);
    }
  }
  for (const auto& [id, amount] : withdrawals)
    out.add(finding_kind::event, {of.user.id, {}, {}, {}, entry_id{id}, 0}, "no PointWithdrawn event explains it",
            to_string(amount) + " points", event_types::point_withdrawn);
}

} // namespace

void audit_events(const account_view& view, findings& out) {
  audit_own_events(view.account, out);
  for (const auto& [id, file] : view.files) {
    audit_choice(file, out);
    auto points = audit_revisions(file, out);
    audit_credits(file, points, out);
    audit_movements(file, out);
    audit_job_events(file, out);
  }
}

} // namespace dr::audit
