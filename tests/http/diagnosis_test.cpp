// The words for what is wrong: one case for each problem there is, and what the log makes of them.
#include "http/diagnosis.hpp"

#include <catch2/catch.hpp>

#include <functional>

namespace {

using namespace dr;
using namespace dr::http;
using namespace std::chrono_literals;
using actors::kepco_state;
using actors::storage_state;
using actors::tree_node;
using storage::outage_cause;

const time_point began = *parse_rfc3339("2026-07-01T05:00:00Z");
const time_point seen = began + 1min;

/// A server that is well.
health_report healthy() {
  health_report r;
  r.at = seen;
  r.tree.name = "root";
  r.tree.supervisor = true;
  for (const char* group : {"storage", "metering", "dispatch", "front"}) {
    tree_node node;
    node.name = group;
    node.supervisor = true;
    r.tree.children.push_back(node);
  }
  r.storage.queue_max = 100;
  r.checks = storage::check_queue{};
  r.checks_due_before = began;
  return r;
}

void storage_away(health_report& r, outage_cause cause) {
  r.storage.state = storage_state::condition::recovering;
  r.storage.cause = cause;
  r.storage.failing_since = began;
  r.storage.last_error = "said the database";
}

void child_in_trouble(health_report& r, std::size_t group, tree_node::condition state) {
  tree_node node;
  node.name = "worker";
  node.state = state;
  node.restarts = 7;
  node.trouble_since = began;
  node.last_error = "the parser tripped";
  r.tree.children[group].children.push_back(node);
}

struct expectation {
  const char* name;
  std::function<void(health_report&)> spoil;
  const char* part;
  severity how_bad;
  const char* what; ///< a piece of it
  const char* todo; ///< a piece of it
};

std::vector<expectation> all_problems() {
  using enum severity;
  auto away = [](outage_cause cause) { return [cause](health_report& r) { storage_away(r, cause); }; };
  return {
      {"unreachable", away(outage_cause::unreachable), "storage", critical, "cannot be reached", "DR_DATABASE_URL"},
      {"credentials", away(outage_cause::authentication), "storage", critical, "credentials", "user and password"},
      {"standby", away(outage_cause::read_only), "storage", critical, "read-only", "primary"},
      {"disk", away(outage_cause::disk_full), "storage", critical, "disk is full", "Make room"},
      {"connections", away(outage_cause::too_many_connections), "storage", critical, "no connection left",
       "max_connections"},
      {"starting", away(outage_cause::starting), "storage", critical, "starting", "Wait"},
      {"hanging", away(outage_cause::hanging), "storage", critical, "in time", "locks"},
      {"other", away(outage_cause::other), "storage", critical, "does not work", "log"},
      {"silent store", [](health_report& r) { r.storage_answers = false; }, "storage", critical, "does not answer",
       "restart the server"},
      {"fenced",
       [](health_report& r) {
         r.storage.fenced = true;
         r.storage.since = began;
         r.storage.state = storage_state::condition::down;
       },
       "storage", critical, "taken over", "only one server"},
      {"queue", [](health_report& r) { r.storage.crowded_since = began; }, "storage", critical, "nearly full", "load"},
      {"open",
       [](health_report& r) {
         r.kepco.circuit = kepco_state::circuit_state::open;
         r.kepco.circuit_since = began;
       },
       "kepco", warning, "circuit is open", "network"},
      {"half-open",
       [](health_report& r) {
         r.kepco.circuit = kepco_state::circuit_state::half_open;
         r.kepco.circuit_since = began;
       },
       "kepco", warning, "being tried again", "network"},
      {"silent gate", [](health_report& r) { r.kepco_answers = false; }, "kepco", warning, "gate", "log"},
      {"slow", [](health_report& r) { r.kepco.slow_since = began; }, "kepco", warning, "slowly", "concurrency"},
      {"refusing", [](health_report& r) { r.kepco.refusing_since = began; }, "kepco", warning, "refuses",
       "DR_KEPCO_SERVICE_KEY"},
      {"unset", [](health_report& r) { r.kepco.unset_since = began; }, "kepco", warning, "not configured",
       "DR_KEPCO_BASE_URL"},
      {"KEPCO's queue", [](health_report& r) { r.kepco.crowded_since = began; }, "kepco", warning, "nearly full", ""},
      {"parked",
       [](health_report& r) {
         r.checks->parked = {{{7}, 2, began}, {{9}, 1, began + 1h}};
       },
       "checks", warning, "3 reduction checks are parked",
       "POST /drs/7/retry-checks (2), POST /drs/9/retry-checks (1)"},
      {"overdue", [](health_report& r) { r.checks->oldest_due = began - 1ms, r.checks_due_before = began; }, "checks",
       warning, "overdue", "storage"},
      {"restarting", [](health_report& r) { child_in_trouble(r, 2, tree_node::condition::restarting); },
       "dispatch/worker", warning, "worker crashed and is restarted (7 restarts", "log"},
      {"between two crashes", [](health_report& r) { child_in_trouble(r, 2, tree_node::condition::up); },
       "dispatch/worker", warning, "7 restarts", "log"},
      {"down", [](health_report& r) { child_in_trouble(r, 2, tree_node::condition::down); }, "dispatch/worker",
       critical, "is down", "defect"},
      {"down in metering", [](health_report& r) { child_in_trouble(r, 1, tree_node::condition::down); },
       "metering/worker", warning, "is down", "defect"},
      {"silent tree", [](health_report& r) { r.tree_answers = false; }, "process", critical, "does not answer",
       "Restart"},
      {"connections refused", [](health_report& r) { r.refusing_since = began; }, "front", critical, "refused",
       "ulimit"},
      {"draining", [](health_report& r) { r.draining = true; }, "process", info, "draining", ""},
      {"calendar",
       [](health_report& r) {
         r.calendar_until = korean_day_of(*parse_rfc3339("2026-12-31T00:00:00Z"));
         r.today = *r.calendar_until - std::chrono::days{59};
         r.process_since = began;
       },
       "process", warning, "ends on 2026-12-31", "DR_HOLIDAYS_FILE"},
      {"clock set back", [](health_report& r) { r.clock_stands = seen; }, "process", critical,
       "stands still until it is 2026-07-01T05:01:00Z", "restart"},
      {"virtual clock",
       [](health_report& r) {
         r.virtual_rate = 60;
         r.process_since = began;
       },
       "process", info, "60 times", "DR_CLOCK_RATE"},
  };
}

bool has(const std::string& text, const std::string& piece) { return text.find(piece) != std::string::npos; }

} // namespace

TEST_CASE("a server that is well has no problem", "[http][health]") { CHECK(diagnose(healthy()).empty()); }

TEST_CASE("each problem says what it is, since when, what is done about it and what to do", "[http][health]") {
  for (const auto& expected : all_problems()) {
    INFO(expected.name);
    auto report = healthy();
    expected.spoil(report);
    const auto found = diagnose(report);
    REQUIRE(found.size() == 1);
    const auto& one = found.front();
    CHECK(one.part == expected.part);
    CHECK(one.how_bad == expected.how_bad);
    INFO(one.what << " / " << one.doing << " / " << one.todo);
    CHECK(has(one.what, expected.what));
    CHECK(has(one.todo, expected.todo));
    CHECK_FALSE(one.doing.empty());
    CHECK((one.since >= began - 1ms && one.since <= seen));
    // What everybody may read holds nobody's own words.
    CHECK_FALSE(has(one.what + one.doing, "said the database"));
    CHECK_FALSE(has(one.what + one.doing, "parser"));
    CHECK_FALSE(has(one.what + one.doing, "/drs/"));
  }
}

TEST_CASE("a calendar that goes on for two months is none", "[http][health]") {
  auto report = healthy();
  report.calendar_until = korean_day_of(*parse_rfc3339("2026-12-31T00:00:00Z"));
  report.today = *report.calendar_until - std::chrono::days{60};
  CHECK(diagnose(report).empty());
}

TEST_CASE("problems come one by one, the worst first", "[http][health]") {
  auto report = healthy();
  report.draining = true;
  report.kepco.slow_since = began;
  storage_away(report, outage_cause::unreachable);
  const auto found = diagnose(report);
  REQUIRE(found.size() == 3);
  CHECK(found[0].part == "storage");
  CHECK(found[0].said == "said the database");
  CHECK(found[1].part == "kepco");
  CHECK(found[2].part == "process");
}

TEST_CASE("a check that is due in time is not overdue", "[http][health]") {
  auto report = healthy();
  report.checks->oldest_due = began;
  CHECK(diagnose(report).empty());
}

TEST_CASE("the log says once that a problem begins and once that it is over, however it flickers", "[http][health]") {
  auto report = healthy();
  storage_away(report, outage_cause::unreachable);
  const auto there = diagnose(report);
  problem_log log;
  const problem_log::instant start{};
  auto lines = log.update(there, start);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].begins);
  CHECK(has(lines[0].text(), "storage: The database cannot be reached. (said the database)"));
  CHECK(has(lines[0].text(), "To do: Check that Postgres runs"));
  CHECK(log.update(there, start + 2s).empty());
  CHECK(log.update({}, start + 4s).empty()); // it may come back
  CHECK(log.update(there, start + 6s).empty());
  CHECK(log.update({}, start + 8s).empty());
  lines = log.update({}, start + 16s);
  REQUIRE(lines.size() == 1);
  CHECK_FALSE(lines[0].begins);
  CHECK(lines[0].text() == "storage: over after 6 s: The database cannot be reached.");
  CHECK(log.update({}, start + 30s).empty());
  CHECK(log.update(there, start + 40s).size() == 1);
}

TEST_CASE("a line of the log stays one line whatever a part says", "[http][health]") {
  auto report = healthy();
  storage_away(report, outage_cause::other);
  report.storage.last_error = "first\nsecond";
  const auto lines = problem_log().update(diagnose(report), {});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].text().find('\n') == std::string::npos);
}
