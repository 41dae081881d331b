#include "http/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dr::http {

namespace {

using storage::outage_cause;
using circuit = actors::kepco_state::circuit_state;
using condition = actors::tree_node::condition;
using problems = std::vector<health_problem>;

/// So long before it ends a calendar is warned of.
constexpr std::chrono::days calendar_notice{60};
/// Campaigns named at most in one piece of advice.
constexpr std::size_t campaigns_named = 5;

// ---- storage -------------------------------------------------------------------------------------------------------

struct outage_words {
  const char* what;
  const char* todo;
};

outage_words words_of(outage_cause cause) noexcept {
  switch (cause) {
  case outage_cause::authentication:
    return {"The database refuses our credentials.",
            "Correct user and password in DR_DATABASE_URL, or the database's access rules (pg_hba.conf); "
            "then stop and start the server."};
  case outage_cause::read_only:
    return {"The database is read-only, most likely a standby.",
            "Point DR_DATABASE_URL at the primary, then stop and start the server, or promote this database."};
  case outage_cause::disk_full:
    return {"The database's disk is full.",
            "Make room on the disk of the database. Nothing needs a restart: writing goes on by itself."};
  case outage_cause::too_many_connections:
    return {"The database has no connection left for us.",
            "End other clients of the database or raise its max_connections; we need database.readers + 2."};
  case outage_cause::starting:
    return {"The database is starting, stopping or recovering.",
            "Wait. If it lasts longer than its recovery should, read the database's own log."};
  case outage_cause::hanging:
    return {"The database does not answer in time.",
            "Look for a stopped or overloaded database, for locks (pg_stat_activity), or a slow disk."};
  case outage_cause::none:
  case outage_cause::unreachable:
    return {"The database cannot be reached.",
            "Check that Postgres runs, that DR_DATABASE_URL names it, and the network in between."};
  case outage_cause::other:
    break;
  }
  return {"The database does not work.", "Read lastError and the database's own log."};
}

void storage_outage(const health_report& r, problems& out) {
  const auto& s = r.storage;
  if (!r.storage_answers) {
    out.push_back({"storage", "storage", severity::critical, "The store does not answer.", r.at,
                   "Its supervisor restarts it; changes and reads are refused with 503 until it is back.",
                   "Wait some seconds. If it lasts, read the log and restart the server.", s.last_error});
    return;
  }
  if (s.fenced) {
    out.push_back({"fenced", "storage", severity::critical, "Another server process has taken over the writing.",
                   s.since, "This process writes nothing any more and stops.",
                   "Nothing, if it was replaced on purpose. Else see to it that only one server uses this database.",
                   s.last_error});
    return;
  }
  if (s.state == actors::storage_state::condition::up) return;
  const auto words = words_of(s.cause);
  out.push_back({"storage", "storage", severity::critical, words.what, s.failing_since.value_or(s.since),
                 fmt::format("It is tried again at least every second. Changes wait ({} of at most {}); who waits too "
                             "long gets 503 with Retry-After. WebSockets stay open.",
                             s.queued, s.queue_max),
                 words.todo, s.last_error});
}

void storage_queue(const health_report& r, problems& out) {
  const auto& s = r.storage;
  if (!s.crowded_since) return;
  out.push_back(
      {"storage queue",
       "storage",
       severity::critical,
       "The queue of changes is nearly full.",
       *s.crowded_since,
       fmt::format("{} of at most {} changes wait; when it is full, callers get 503 with Retry-After at once.",
                   s.queued, s.queue_max),
       "See whether the database is slow or away. Otherwise the load is more than it can take: spread it.",
       {}});
}

// ---- KEPCO ---------------------------------------------------------------------------------------------------------

constexpr const char* checks_wait =
    "Reduction checks wait in the durable queue; alerts, answers and campaigns are not affected.";

health_problem of_kepco(const health_report& r, const char* key, std::string what, time_point since, std::string doing,
                        std::string todo) {
  return {key,
          "kepco",
          severity::warning,
          std::move(what),
          since,
          std::move(doing) + " " + checks_wait,
          std::move(todo),
          r.kepco.last_error};
}

void kepco_calls(const health_report& r, problems& out) {
  const auto& k = r.kepco;
  if (k.unset_since)
    out.push_back(of_kepco(r, "kepco unset", "KEPCO's address or the service key is not configured.", *k.unset_since,
                           "No call is made.",
                           "Set DR_KEPCO_BASE_URL and DR_KEPCO_SERVICE_KEY, then stop and start the server."));
  if (k.refusing_since)
    out.push_back(of_kepco(
        r, "kepco refuses", "KEPCO refuses our calls.", *k.refusing_since, "Each check asks again, ever more slowly.",
        "Most likely the service key is wrong or has expired: read lastError, correct "
        "DR_KEPCO_SERVICE_KEY, then stop and start the server (`drplatform restart` keeps the environment "
        "of the first start), or ask KEPCO."));
  if (k.slow_since)
    out.push_back(of_kepco(r, "kepco slow", "KEPCO answers slowly.", *k.slow_since,
                           fmt::format("A typical call takes {} ms.", k.call_ms_p50),
                           "Nothing at first. If checks become overdue: kepco.concurrency allows more calls at once."));
  if (k.crowded_since)
    out.push_back(of_kepco(r, "kepco queue", "The queue of questions to KEPCO is nearly full.", *k.crowded_since,
                           fmt::format("{} questions wait; more are refused and asked later.", k.queued),
                           "Nothing, if KEPCO is away or a large campaign has just ended."));
}

void kepco_circuit(const health_report& r, problems& out) {
  if (!r.kepco_answers) {
    out.push_back(of_kepco(r, "kepco gate", "The gate to KEPCO does not answer.", r.at, "Its supervisor restarts it.",
                           "Wait some seconds. If it lasts, read the log."));
    return;
  }
  if (r.kepco.circuit == circuit::closed) return;
  const bool open = r.kepco.circuit == circuit::open;
  out.push_back(of_kepco(
      r, "kepco circuit",
      open ? "KEPCO does not answer: the circuit is open." : "KEPCO did not answer: it is being tried again.",
      r.kepco.circuit_since.value_or(r.at),
      open ? "No call is made for a while, then one is tried." : "One call at a time, until one succeeds.",
      "Nothing, if KEPCO is known to be down. Else read lastError, and check KEPCO's address and the network."));
}

// ---- checks --------------------------------------------------------------------------------------------------------

std::string retry_advice(const storage::check_queue& queue) {
  std::string calls;
  for (std::size_t i = 0; i < std::min(queue.parked.size(), campaigns_named); ++i)
    calls += fmt::format("{}POST /drs/{}/retry-checks ({})", i ? ", " : "", queue.parked[i].campaign.value,
                         queue.parked[i].count);
  if (queue.parked.size() > campaigns_named)
    calls += fmt::format(" and {} more campaigns", queue.parked.size() - campaigns_named);
  return "GET /overview names them and why. When the reason is mended: " + calls +
         ", or POST /responses/{id}/retry-check for one.";
}

void parked_checks(const health_report& r, problems& out) {
  if (!r.checks || r.checks->parked.empty()) return;
  std::int64_t count = 0;
  auto since = time_point::max();
  for (const auto& of : r.checks->parked) {
    count += of.count;
    since = std::min(since, of.since);
  }
  out.push_back({"checks parked",
                 "checks",
                 severity::warning,
                 count == 1 ? "1 reduction check is parked." : fmt::format("{} reduction checks are parked.", count),
                 since,
                 "They are set aside and hold up nobody. One that is still parked at its verification deadline is "
                 "settled as unverifiable: the answer stays, nothing is credited.",
                 retry_advice(*r.checks),
                 {}});
}

void overdue_checks(const health_report& r, problems& out) {
  if (!r.checks || !r.checks->oldest_due || !r.checks_due_before) return;
  if (*r.checks->oldest_due >= *r.checks_due_before) return;
  out.push_back({"checks overdue",
                 "checks",
                 severity::warning,
                 "Reduction checks are overdue.",
                 *r.checks->oldest_due,
                 "The queue is worked off in order, as fast as KEPCO's rate and the store allow.",
                 "Nothing right after a large campaign. Else see what else is reported here about KEPCO, storage or "
                 "metering.",
                 {}});
}

// ---- the tree of supervisors ---------------------------------------------------------------------------------------

const char* meaning_of(const std::string& group) noexcept {
  if (group == "storage") return "Changes and reads wait meanwhile, or are refused with 503.";
  if (group == "metering") return checks_wait;
  if (group == "dispatch") return "Commands are refused with 503 meanwhile; campaigns take up their course afterwards.";
  if (group == "front") return "Connections may be lost meanwhile; clients reconnect into a snapshot.";
  return "";
}

void walk(const health_report& r, const actors::tree_node& node, const std::string& group, const std::string& path,
          problems& out) {
  if (node.trouble_since) {
    const bool down = node.state == condition::down;
    auto what = down ? fmt::format("{} keeps crashing and is down.", node.name)
                     : fmt::format("{} crashed and is restarted ({} restarts so far).", node.name, node.restarts);
    auto doing = std::string(down ? "It is tried again every half a minute or so. "
                                  : "Its supervisor starts it anew, after a pause that grows with every crash. ");
    out.push_back({"tree " + path, path, down && group != "metering" ? severity::critical : severity::warning,
                   std::move(what), *node.trouble_since, doing + meaning_of(group),
                   down ? "Read lastError and the log: something it needs is missing, or it has a defect. It comes "
                          "back by itself when the cause is gone."
                        : "Nothing, if it does not come back again. Else read lastError and the log.",
                   node.last_error});
  }
  for (const auto& child : node.children)
    walk(r, child, group.empty() ? child.name : group, path.empty() ? child.name : path + "/" + child.name, out);
}

void tree(const health_report& r, problems& out) {
  if (!r.tree_answers)
    out.push_back({"tree", "process", severity::critical, "The tree of supervisors does not answer.", r.at,
                   "Nothing can be done from inside.", "Restart the server; open campaigns go on where they stood.",
                   r.tree.last_error});
  walk(r, r.tree, {}, {}, out);
}

// ---- the process ---------------------------------------------------------------------------------------------------

void process(const health_report& r, problems& out) {
  if (r.refusing_since)
    out.push_back({"front full",
                   "front",
                   severity::critical,
                   "New connections are refused: there are too many.",
                   *r.refusing_since,
                   fmt::format("{} of at most {} are open; more get 503 with Retry-After until others end.",
                               r.connections, r.max_connections),
                   "Raise the hard limit of open files (ulimit -Hn, LimitNOFILE), or find out who opens so many.",
                   {}});
  if (r.draining)
    out.push_back({"draining",
                   "process",
                   severity::info,
                   "The server is draining: it was told to stop.",
                   r.at,
                   "Requests under way are finished; /readyz answers 503.",
                   "Nothing.",
                   {}});
  if (r.calendar_until && r.today + calendar_notice > *r.calendar_until)
    out.push_back({"calendar",
                   "process",
                   severity::warning,
                   fmt::format("The calendar of public holidays ends on {}.", format_day(*r.calendar_until)),
                   r.process_since,
                   "Later holidays are taken for working days: baselines may take them for reference days, and orders "
                   "on them are not warned of.",
                   "Add the next years to the file of DR_HOLIDAYS_FILE (as shipped config/holidays.txt), and restart.",
                   {}});
  if (r.clock_stands)
    out.push_back(
        {"clock stands",
         "process",
         severity::critical,
         fmt::format("The system's clock was set back: business time stands still until it is {} again.",
                     format_rfc3339(*r.clock_stands)),
         r.at,
         "Starts, ends and deadlines wait until then; alerts and answers of what has begun go on.",
         "Set the clock right. If it is right now, restart the server (drplatform restart): it goes by it then.",
         {}});
  if (r.virtual_rate)
    out.push_back({"clock",
                   "process",
                   severity::info,
                   fmt::format("The clock is virtual and runs at {:g} times real time.", *r.virtual_rate),
                   r.process_since,
                   "Starts, ends and deadlines follow it.",
                   "For real operation unset DR_CLOCK_START and DR_CLOCK_RATE.",
                   {}});
}

std::string one_line(std::string text) {
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return text;
}

} // namespace

const char* to_string(severity how_bad) noexcept {
  switch (how_bad) {
  case severity::critical:
    return "critical";
  case severity::warning:
    return "warning";
  case severity::info:
    return "info";
  }
  return "critical";
}

std::vector<health_problem> diagnose(const health_report& report) {
  problems out;
  storage_outage(report, out);
  storage_queue(report, out);
  tree(report, out);
  process(report, out);
  kepco_circuit(report, out);
  kepco_calls(report, out);
  parked_checks(report, out);
  overdue_checks(report, out);
  std::ranges::stable_sort(out, {}, &health_problem::how_bad);
  return out;
}

std::string problem_log::line::text() const {
  if (!begins) return fmt::format("{}: over after {} s: {}", problem.part, lasted.count(), problem.what);
  auto said = problem.said.empty() ? std::string{} : " (" + problem.said + ")";
  return one_line(fmt::format("{}: {}{} {} To do: {}", problem.part, problem.what, said, problem.doing, problem.todo));
}

std::vector<problem_log::line> problem_log::update(const std::vector<health_problem>& there, instant now) {
  std::vector<line> lines;
  for (const auto& problem : there) {
    auto [at, fresh] = open_.try_emplace(problem.key, open{problem, now, now});
    at->second.last = now;
    if (fresh) lines.push_back({problem, true});
  }
  for (auto at = open_.begin(); at != open_.end();) {
    const auto& [problem, first, last] = at->second;
    if (now - last < quiet) {
      ++at;
      continue;
    }
    // At least the time of one look, so that it does not read as nothing.
    lines.push_back(
        {problem, false, std::max(std::chrono::ceil<std::chrono::seconds>(last - first), std::chrono::seconds{1})});
    at = open_.erase(at);
  }
  return lines;
}

} // namespace dr::http
