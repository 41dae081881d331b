#include "app/verify.hpp"

#include "app/serve.hpp"
#include "audit/audit.hpp"
#include "config/flags.hpp"
#include "storage/postgres/pg_audit.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace dr {
namespace {

using namespace std::chrono_literals;

constexpr auto verify_progress_every = 2s;
constexpr std::int64_t notes_shown = 10;
constexpr auto audit_statement_timeout = 30min; ///< one statement may have to read a whole table

int cannot_run(const error& why) {
  fmt::print(stderr, "drplatform verify: {}\n", why.detail);
  return exit_configuration_refused;
}

/// Tells how far the audit is, now and then.
class progress_line {
public:
  void operator()(std::int64_t users, std::int64_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < verify_progress_every) return;
    last_ = now;
    fmt::print(stderr, "verified {} of {} users\n", users, of);
  }

private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

const char* plural(std::int64_t count) { return count == 1 ? "" : "s"; }

void print_kind(const audit::report& all, audit::finding_kind kind) {
  const auto count = all.found.count(kind);
  if (count == 0) return;
  const bool difference = audit::is_difference(kind);
  fmt::print("\n{}: {} {}{}\n  {}\n", to_string(kind), count, difference ? "difference" : "note", plural(count),
             audit::meaning(kind));
  std::int64_t shown = 0;
  for (const auto& one : all.found.kept()) {
    if (one.kind != kind || (!difference && shown == notes_shown)) continue;
    ++shown;
    const auto where = place_text(one.where);
    fmt::print("  - {}{}{}\n      stored:   {}\n      computed: {}\n", where, where.empty() ? "" : ": ", one.what,
               one.stored, one.computed);
  }
  if (shown < count) fmt::print("  … and {} more\n", count - shown);
}

void print_text(const audit::report& all) {
  const auto& n = all.seen;
  fmt::print("Verified {} user{} with {} points, {} ledger entr{}, {} campaign{}, {} response{}, {} reduction check{} "
             "({} computed anew), {} queued check{}, {} event{}.\n",
             n.users, plural(n.users), n.points, n.entries, n.entries == 1 ? "y" : "ies", n.campaigns,
             plural(n.campaigns), n.responses, plural(n.responses), n.checks, plural(n.checks), n.recomputed, n.queued,
             plural(n.queued), n.events, plural(n.events));
  for (std::size_t i = 0; i < audit::finding_kinds; ++i) print_kind(all, static_cast<audit::finding_kind>(i));
  const auto differences = all.found.differences();
  if (differences == 0)
    fmt::print("No differences.\n");
  else
    fmt::print("\n{} difference{}.\n", differences, plural(differences));
}

nlohmann::json as_object(const audit::finding& one) {
  nlohmann::json out{{"kind", to_string(one.kind)},
                     {"difference", audit::is_difference(one.kind)},
                     {"what", one.what},
                     {"stored", one.stored},
                     {"computed", one.computed},
                     {"meaning", audit::meaning(one.kind)}};
  const auto add = [&](const char* name, std::int64_t id) {
    if (id != 0) out[name] = id;
  };
  add("userId", one.where.user.value);
  add("drId", one.where.campaign.value);
  add("responseId", one.where.response.value);
  add("checkId", one.where.check.value);
  add("entryId", one.where.entry.value);
  add("seq", one.where.event);
  return out;
}

void print_json(const audit::report& all) {
  const auto& n = all.seen;
  nlohmann::json out{{"differences", all.found.differences()},
                     {"verified",
                      {{"users", n.users},
                       {"points", n.points},
                       {"ledgerEntries", n.entries},
                       {"campaigns", n.campaigns},
                       {"responses", n.responses},
                       {"checks", n.checks},
                       {"checksRecomputed", n.recomputed},
                       {"queued", n.queued},
                       {"events", n.events}}},
                     {"counts", nlohmann::json::object()},
                     {"findings", nlohmann::json::array()}};
  for (std::size_t i = 0; i < audit::finding_kinds; ++i) {
    const auto kind = static_cast<audit::finding_kind>(i);
    if (const auto count = all.found.count(kind); count > 0) out["counts"][to_string(kind)] = count;
  }
  for (const auto& one : all.found.kept()) out["findings"].push_back(as_object(one));
  fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

} // namespace

int verify(const loaded_settings& loaded, bool as_json) {
  const auto& s = loaded.settings;
  set_up_logging(s.log);
  if (s.database.url.empty()) return cannot_run(fail(errc::invalid, "no database is given: set DR_DATABASE_URL"));
  const auto reader = storage::open_postgres_audit({.url = s.database.url.reveal(),
                                                    .statement_timeout = s.database.statement_timeout,
                                                    .bulk_statement_timeout = audit_statement_timeout});
  audit::options how;
  how.holidays = s.holidays;
  how.progress = progress_line{};
  const auto all = audit::run(*reader, how);
  if (!all) return cannot_run(all.error());
  as_json ? print_json(*all) : print_text(*all);
  return all->found.differences() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace dr
