#include "audit/audit.hpp"

#include "audit/campaign_books.hpp"
#include "storage/engine/event_data.hpp"

#include <algorithm>

namespace dr::audit {

namespace {

constexpr int campaigns_page = 500;
constexpr int events_page = 5000;
constexpr int gaps_named = 100;

/// Users who came by imports have no event of their own, but each import tells how many and with how many points.
struct imports {
  std::int64_t users = 0;
  std::int64_t opening_points = 0;
  std::int64_t told_users = 0;
  std::int64_t told_points = 0;
};

result<campaign_map> read_campaigns(storage::audit_reader& from) {
  campaign_map all;
  for (campaign_id after;;) {
    auto page = from.campaigns(after, campaigns_page);
    if (!page) return page.error();
    if (page->empty()) return all;
    after = page->back().id;
    for (auto& c : *page) all.emplace(c.id, std::move(c));
  }
}

void count_enrolment(const storage::account& of, imports& into) {
  bool enrolled = std::any_of(of.events.begin(), of.events.end(),
                              [](const event& e) { return e.type == event_types::user_enrolled; });
  if (enrolled) return;
  ++into.users;
  for (const auto& entry : of.entries)
    if (entry.kind == entry_kind::opening) into.opening_points += entry.amount;
}

void count(const storage::account& of, extent& seen) {
  auto size = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  ++seen.users;
  seen.responses += size(of.responses);
  seen.checks += size(of.checks);
  seen.queued += size(of.queued);
  seen.entries += size(of.entries);
  seen.points += of.user.points;
}

result<void> audit_accounts(storage::audit_reader& from, const options& how, campaign_books& books, imports& imported,
                            report& out) {
  auto total = from.user_count();
  if (!total) return total.error();
  recomputed done;
  for (user_id after;;) {
    auto page = from.accounts(after, how.page);
    if (!page) return page.error();
    if (page->empty()) break;
    for (const auto& account : *page) {
      auto view = view_of(account, books.campaigns(), out.found);
      audit_ledger(view, out.found);
      audit_responses(view, out.found);
      audit_events(view, out.found);
      audit_settlements(view, how.holidays, out.found, done);
      for (const auto& [id, file] : view.files) books.count(file);
      count_enrolment(account, imported);
      count(account, out.seen);
    }
    after = page->back().user.id;
    if (how.progress) how.progress(out.seen.users, *total);
  }
  out.seen.recomputed = done.checks;
  return {};
}

result<void> audit_house_events(storage::audit_reader& from, campaign_books& books, imports& imported, report& out) {
  for (std::int64_t after = 0;;) {
    auto page = from.house_events(after, events_page);
    if (!page) return page.error();
    if (page->empty()) break;
    for (const auto& e : *page) {
      if (e.type == event_types::users_imported) {
        imported.told_users += storage::told_number(e, "created").value_or(0);
        imported.told_points += storage::told_number(e, "point").value_or(0);
      } else {
        books.note(e, out.found);
      }
    }
    after = page->back().seq;
  }
  if (imported.users != imported.told_users)
    out.found.add(finding_kind::event, {}, "users who are neither enrolled nor imported by any event, or told and gone",
                  imported.users, imported.told_users);
  if (imported.opening_points != imported.told_points)
    out.found.add(finding_kind::event, {}, "the opening points of imported users are not what the imports tell",
                  imported.opening_points, imported.told_points);
  return {};
}

result<void> audit_numbers(storage::audit_reader& from, report& out) {
  auto log = from.extent();
  if (!log) return log.error();
  out.seen.events = log->count;
  if (log->count != log->last || (log->count > 0 && log->first != 1)) {
    auto gaps = from.gaps(gaps_named);
    if (!gaps) return gaps.error();
    for (const auto& gap : *gaps)
      out.found.add(finding_kind::event_numbers, {{}, {}, {}, {}, {}, gap.first}, "events are missing", "none",
                    gap.first == gap.last ? std::to_string(gap.first)
                                          : std::to_string(gap.first) + " to " + std::to_string(gap.last));
  }
  if (log->last != log->counter)
    out.found.add(finding_kind::event_numbers, {{}, {}, {}, {}, {}, log->last},
                  "the last event is not the one that the counter gave out", log->last, log->counter);
  auto sources = from.id_sources();
  if (!sources) return sources.error();
  for (const auto& one : *sources)
    if (one.given_out < one.highest)
      out.found.add(finding_kind::id_source, {}, "the sequence of " + one.table + " is behind its rows", one.given_out,
                    one.highest);
  auto strays = from.strays();
  if (!strays) return strays.error();
  for (const auto& rows : *strays)
    out.found.add(finding_kind::stray, {},
                  "rows of " + rows.table + " refer to a " + rows.refers_to + " that is not there",
                  std::to_string(rows.count) + ", the first is " + std::to_string(rows.example), "0");
  return {};
}

} // namespace

result<report> run(storage::audit_reader& from, const options& how) {
  if (auto begun = from.begin(); !begun) return begun.error();
  auto campaigns = read_campaigns(from);
  if (!campaigns) return campaigns.error();
  report out{{}, findings(how.kept_per_kind)};
  out.seen.campaigns = static_cast<std::int64_t>(campaigns->size());
  campaign_books books(std::move(*campaigns));
  imports imported;
  if (auto done = audit_accounts(from, how, books, imported, out); !done) return done.error();
  if (auto done = audit_house_events(from, books, imported, out); !done) return done.error();
  books.conclude(out.found);
  if (auto done = audit_numbers(from, out); !done) return done.error();
  return out;
}

} // namespace dr::audit
