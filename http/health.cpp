#include "http/health.hpp"

#include "http/reads.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::http {

namespace {

using condition = actors::tree_node::condition;
using circuit = actors::kepco_state::circuit_state;
constexpr std::chrono::milliseconds part_timeout{1500}; // more than the patience of the tree itself
constexpr const char* silent = "does not answer";
/// A check whose turn came so long ago (real time) is overdue.
constexpr std::chrono::minutes overdue_after{5};

const char* to_string(condition state) noexcept {
  switch (state) {
  case condition::up:
    return "up";
  case condition::restarting:
    return "restarting";
  case condition::down:
    return "down";
  }
  return "down";
}

const char* to_string(circuit state) noexcept {
  switch (state) {
  case circuit::closed:
    return "closed";
  case circuit::open:
    return "open";
  case circuit::half_open:
    return "half-open";
  }
  return "open";
}

const char* to_string(actors::storage_state::condition state) noexcept {
  switch (state) {
  case actors::storage_state::condition::up:
    return "up";
  case actors::storage_state::condition::recovering:
    return "recovering";
  case actors::storage_state::condition::down:
    return "down";
  }
  return "down";
}

/// What only the operator is shown.
void operator_field(json_writer& out, std::string_view name, const std::string& text, bool shown) {
  if (text.empty() || !shown)
    out.key(name).null();
  else
    out.field(name, text);
}

void write_node(json_writer& out, const actors::tree_node& node, bool with_errors) {
  out.begin_object().field("name", node.name).field("kind", node.supervisor ? "supervisor" : "actor");
  out.field("state", to_string(node.state)).field("restarts", node.restarts);
  operator_field(out, "lastError", node.last_error, with_errors);
  out.field("since", node.since).key("children").begin_array();
  for (const auto& child : node.children) write_node(out, child, with_errors);
  out.end_array().key("dynamic").begin_object();
  for (const auto& [name, count] : node.dynamic) out.field(name, count);
  out.end_object().end_object();
}

/// The worst state in a tree; metering's troubles never count for more than a restart.
condition worst(const actors::tree_node& node) noexcept {
  auto state = node.state;
  for (const auto& child : node.children) state = std::max(state, worst(child));
  return node.name == "metering" && state == condition::down ? condition::restarting : state;
}

template <class Reply, class Handle, class Message>
awaitable<result<Reply>> ask_part(front_context& app, const Handle& part, Message what) {
  return ask<Reply>(app.system, part, std::move(what), part_timeout);
}

} // namespace

const char* to_string(health_status status) noexcept {
  switch (status) {
  case health_status::up:
    return "up";
  case health_status::degraded:
    return "degraded";
  case health_status::down:
    return "down";
  }
  return "down";
}

health_status judge(const health_report& report) noexcept {
  const auto tree = worst(report.tree);
  if (report.storage.state != actors::storage_state::condition::up || tree == condition::down)
    return health_status::down;
  if (report.kepco.circuit != circuit::closed || tree != condition::up) return health_status::degraded;
  return health_status::up;
}

namespace {

/// Clocks that are kept in step are set back by less.
constexpr std::chrono::seconds clock_jitter{5};

korean_day end_of_year(korean_day day) {
  return korean_day{std::chrono::year_month_day{day}.year() / std::chrono::December / 31};
}

void note_process(const front_context& app, health_report& made) {
  made.at = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  made.process_since = app.since;
  made.draining = app.draining;
  const auto now = app.now();
  made.today = korean_day_of(now);
  if (!app.config->holidays.empty()) made.calendar_until = end_of_year(app.config->holidays.back());
  made.checks_due_before = now - (app.time->after_real(overdue_after) - now);
  if (app.time->is_virtual())
    made.virtual_rate = std::chrono::duration<double>(app.time->after_real(std::chrono::seconds{1}) - now).count();
  else if (now > made.at + clock_jitter)
    made.clock_stands = now;
  if (const auto front = app.running.lock()) {
    const auto counts = front->counters();
    made.connections = counts.connections;
    made.max_connections = front->max_connections();
    made.refusing_since = counts.refusing_since;
  }
}

/// Only a storage that works is asked.
awaitable<void> note_checks(front_context& app, health_report& made) {
  if (made.storage.state != actors::storage_state::condition::up) co_return;
  auto reading = read_check_queue(app);
  auto found = co_await std::move(reading);
  if (found) made.checks = std::move(*found);
}

} // namespace

awaitable<health_report> ask_health(front_context& app) {
  health_report made;
  note_process(app, made);
  auto tree_pending = ask_part<actors::tree_node>(app, app.services.root, actors::get_tree{});
  auto tree = co_await std::move(tree_pending);
  auto gate_pending = ask_part<actors::kepco_state>(app, app.services.gate, actors::get_kepco_state{});
  auto gate = co_await std::move(gate_pending);
  auto store_pending = ask_part<actors::storage_state>(app, app.services.store, actors::get_storage_state{});
  auto store = co_await std::move(store_pending);
  if (tree) {
    made.tree = std::move(*tree);
  } else {
    made.tree_answers = false;
    made.tree.name = "root";
    made.tree.supervisor = true;
    made.tree.state = condition::down;
    made.tree.last_error = silent;
    made.tree.since = app.since;
  }
  if (gate) {
    made.kepco = std::move(*gate);
  } else {
    made.kepco_answers = false;
    made.kepco.circuit = circuit::open;
    made.kepco.last_error = silent;
  }
  if (store) {
    made.storage = std::move(*store);
  } else {
    made.storage_answers = false;
    made.storage.state = actors::storage_state::condition::down;
    made.storage.last_error = silent;
  }
  made.status = judge(made);
  auto counting = note_checks(app, made);
  co_await std::move(counting);
  co_return made;
}

namespace {

std::int64_t parked_in(const health_report& report) {
  std::int64_t sum = 0;
  if (report.checks)
    for (const auto& of : report.checks->parked) sum += of.count;
  return sum;
}

void write_problems(json_writer& out, const health_report& report, bool with_errors) {
  out.key("problems").begin_array();
  for (const auto& one : diagnose(report)) {
    out.begin_object().field("part", one.part).field("severity", to_string(one.how_bad)).field("what", one.what);
    out.field("since", one.since).field("doing", one.doing);
    operator_field(out, "todo", one.todo, with_errors);
    operator_field(out, "lastError", one.said, with_errors);
    out.end_object();
  }
  out.end_array();
}

void write_report(json_writer& out, const health_report& report, const front_context& app, bool with_errors) {
  write_problems(out, report, with_errors);
  out.key("kepco").begin_object().field("circuit", to_string(report.kepco.circuit));
  out.field("queued", report.kepco.queued).field("parked", parked_in(report));
  out.field("simulated", app.config->kepco.simulated);
  operator_field(out, "lastError", report.kepco.last_error, with_errors);
  out.end_object();
  out.key("storage").begin_object().field("state", to_string(report.storage.state));
  out.field("queued", report.storage.queued).field("commitMsP50", report.storage.commit_ms_p50);
  out.field("commitMsP99", report.storage.commit_ms_p99);
  operator_field(out, "lastError", report.storage.last_error, with_errors);
  out.end_object();
}

} // namespace

std::string to_json(const health_report& report, const front_context& app, bool with_errors) {
  std::string text;
  json_writer out(text);
  out.begin_object().field("status", to_string(report.status)).field("version", app.version);
  out.field("since", app.since).field("clock", app.time->is_virtual() ? "virtual" : "real");
  write_node(out.key("tree"), report.tree, with_errors);
  write_report(out, report, app, with_errors);
  out.end_object();
  return text;
}

awaitable<void> watch_health(context_ptr app) {
  struct one_at_a_time {
    std::atomic<bool>& busy;
    const bool first = !busy.exchange(true);
    ~one_at_a_time() {
      if (first) busy = false;
    }
  };
  const one_at_a_time turn{app->watching};
  if (!turn.first) co_return; // the last look still waits for somebody
  auto asking = ask_health(*app);
  auto found = std::make_shared<timed_report>();
  found->report = co_await std::move(asking);
  found->at = std::chrono::steady_clock::now();
  app->last_look = found;
  const auto& report = found->report;
  for (const auto& line : app->problems.update(diagnose(report), std::chrono::steady_clock::now())) {
    using spdlog::level::level_enum;
    const auto how_bad = line.problem.how_bad;
    auto level = how_bad == severity::critical ? level_enum::err : level_enum::warn;
    if (!line.begins || how_bad == severity::info) level = level_enum::info;
    spdlog::log(level, "{}", line.text());
  }
}

namespace {

void write_parked(json_writer& out, const storage::parked_check& one) {
  out.begin_object().field("responseId", one.response.value).field("drId", one.campaign.value);
  out.field("userId", one.user.value).field("userName", one.user_name).field("since", one.since);
  out.field("attempts", one.attempts).field("reason", one.reason).end_object();
}

} // namespace

awaitable<result<overview_text>> overview_json(front_context& app, std::string head,
                                               std::optional<std::string> origin) {
  auto reading = read_overview(app);
  auto rows = co_await std::move(reading);
  if (!rows) co_return rows.error();
  auto hub = ask_part<actors::push_state>(app, app.services.hub, actors::get_push_state{});
  const auto push = co_await std::move(hub);
  auto asking = ask_health(app);
  const auto health = co_await std::move(asking);
  overview_text made;
  if (!rows->events.empty()) made.last_event = rows->events.back().seq;
  json_writer out(made.json);
  const auto* link_origin = origin ? &*origin : nullptr;
  out.begin_object();
  if (!head.empty()) out.field("type", head);
  out.field("at", app.now()).key("campaigns").begin_array();
  for (const auto& c : rows->running) write_summary(out, c, true, link_origin);
  out.end_array();
  out.key("users").begin_object().field("enrolled", rows->counts.enrolled);
  out.field("connected", push ? push->customers : 0).end_object();
  out.key("checks").begin_object().field("pending", rows->counts.checks_pending);
  out.field("parked", rows->counts.checks_parked).key("parkedChecks").begin_array();
  for (const auto& one : rows->parked) write_parked(out, one);
  out.end_array().end_object();
  out.key("health").begin_object().field("status", to_string(health.status));
  write_report(out, health, app, true);
  out.end_object().key("events").begin_array();
  for (const auto& e : rows->events) write_event(out, e);
  out.end_array();
  if (origin) {
    out.key("_links").begin_object();
    write_link(out, "self", *origin, "/overview");
    out.end_object();
  }
  out.end_object();
  co_return made;
}

} // namespace dr::http
