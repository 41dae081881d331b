#include "storage/postgres/pg_writer.hpp"

#include "storage/engine/apply.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace dr::storage {

namespace {

constexpr int max_conflicts = 5;
/// Expired keys are thrown away with every so many commits that carry keys, or behind so many keys: at least so many,
/// and twice as many as came since.
constexpr std::int64_t purge_every = 32;
constexpr std::int64_t purge_after_keys = 256;
constexpr std::int64_t purged_at_least = 200;

/// The lease is somebody else's.
class lease_lost : public std::exception {
public:
  const char* what() const noexcept override { return "the writer lease was taken over"; }
};

/// The SQLSTATE that the server answered with; empty: it did not, or not with one that the library keeps.
std::string state_of(const std::exception& why) {
  const auto* refused = dynamic_cast<const pqxx::sql_error*>(&why);
  return refused ? refused->sqlstate() : std::string{};
}

/// The server itself said no. What the client library complains of has no SQLSTATE; nor have two kinds of refusal.
bool is_refusal(const std::exception& why) {
  return !state_of(why).empty() || dynamic_cast<const pqxx::transaction_rollback*>(&why) ||
         dynamic_cast<const pqxx::insufficient_privilege*>(&why);
}

/// What touches nothing but responses and the numbers of their campaigns.
bool is_light(const change& what) {
  return std::holds_alternative<choose_answer>(what) || std::holds_alternative<mark_delivered>(what);
}

const char* name_of(lane which) { return which == lane::hot ? "hot writer" : "bulk writer"; }

/// The latest business time that a change of the batch carries.
time_point latest_of(std::span<const write> batch) {
  time_point latest{};
  for (const auto& one : batch) latest = std::max(latest, time_of(one.what).value_or(time_point{}));
  return latest;
}

void add_events(parameters& values, const std::vector<event>& events) {
  array_literal c[6];
  for (const auto& e : events) {
    c[0].add(e.at);
    c[1].add(std::string_view{e.type});
    c[2].add_nonzero(e.campaign.value);
    c[3].add_nonzero(e.user.value);
    c[4].add_nonzero(e.response.value);
    c[5].add(std::string_view{e.data});
  }
  for (auto& column : c) values.add(column);
}

} // namespace

pg_writer::pg_writer(postgres_options options, lane which, std::int64_t epoch)
    : connection_(options, name_of(which),
                  which == lane::hot ? options.statement_timeout : options.bulk_statement_timeout,
                  which == lane::hot ? workload::rows_by_key : workload::bulk),
      lane_(which), epoch_(epoch) {}

result<committed> pg_writer::commit(const std::string& batch_id, std::span<const write> batch) {
  connection_.begin_call();
  if (batch_id.empty() && batch.empty()) return look();
  if (!batch_id.empty() && batch_id == last_id_) return last_;
  if (!plan_ || plan_->batch_id != batch_id) start(batch_id, batch.size());
  while (!plan_->todo.empty())
    if (auto why = advance(batch)) return *why;
  return finish();
}

/// Reads the epoch: costs no write, and tells of a lost connection, a standby and a lost lease.
result<committed> pg_writer::look() {
  for (bool stale = connection_.is_open();; stale = false) { // one that died while idle is made again, once
    try {
      if (!connection_.is_open()) resolved_ = false; // before the next batch the marker is read again
      pqxx::nontransaction in{connection_.use()};
      auto found = connection_.run(in, sql::read_epoch);
      if (found.empty()) throw unusable_database("the writer's row is missing: the schema is damaged");
      connection_.works();
      if (column_cursor{found[0]}.number() != epoch_)
        return fail(errc::fenced, "another server process has taken over the writing");
      return committed{};
    } catch (const std::exception& why) {
      auto kind = connection_.explain(why);
      connection_.drop();
      if (kind == failure::lost && stale && !connection_.aborted()) continue;
      return outside_view(kind == failure::refused ? failure::unavailable : kind);
    }
  }
}

void pg_writer::start(const std::string& batch_id, std::size_t size) {
  plan_ = plan{};
  plan_->batch_id = batch_id;
  plan_->results.resize(size);
  plan_->todo.push_back({0, size});
}

/// One transaction, or one step of getting back to where one can be tried. An error ends the call.
std::optional<error> pg_writer::advance(std::span<const write> batch) {
  try {
    if (!connection_.is_open() || !resolved_) connect_and_resolve();
    if (plan_->todo.empty()) return std::nullopt;
    const auto of = plan_->todo.front();
    const auto part = batch.subspan(of.from, of.to - of.from);
    const bool light = std::ranges::all_of(part, [](const write& one) { return is_light(one.what); });
    if (light && plan_->conflicts == 0)
      commit_at_once(of, part);
    else
      commit_transaction(of, part);
    return std::nullopt;
  } catch (const lease_lost& why) {
    spdlog::error("storage: {}: {}", connection_.purpose(), why.what());
    return fenced_out();
  } catch (const std::exception& why) {
    return recover(why);
  }
}

error pg_writer::fenced_out() {
  const bool some_committed = plan_->some_committed;
  plan_.reset();
  if (some_committed) return fail(errc::outcome_unknown, "another server process has taken over meanwhile");
  return fail(errc::fenced, "another server process has taken over the writing");
}

/// By another process, or by a later connection of this lane. That one is left alone: to begin anew would end it, and
/// so on by turns.
error pg_writer::session_ended() {
  const auto seen = look();
  if (!seen && seen.error().code == errc::fenced) return fenced_out();
  spdlog::warn("storage: {}: a later connection of this lane writes now", connection_.purpose());
  connection_.drop();
  return interrupted(fail(errc::store_unavailable, "another connection has taken over"));
}

/// Whatever earlier connections of the lane have sent is over from here on: done, or never done.
void pg_writer::connect_and_resolve() {
  resolved_ = false;
  pqxx::work in{connection_.use()};
  auto found = connection_.run(in, lane_ == lane::hot ? sql::begin_hot_session : sql::begin_bulk_session,
                               parameters{}.add(epoch_));
  if (found.empty()) throw unusable_database("the writer's row is missing: the schema is damaged");
  column_cursor at{found[0]};
  auto epoch = at.number();
  session_ = at.number();
  auto batch = at.text();
  auto done = static_cast<std::size_t>(at.number());
  plan_->last_seq = std::max(plan_->last_seq, at.number());
  in.commit();
  resolve(batch == plan_->batch_id ? done : 0);
  resolved_ = true;
  if (epoch != epoch_) throw lease_lost{};
}

/// `done`: how many changes of the present batch were committed, as the lane's marker says.
void pg_writer::resolve(std::size_t done) {
  if (auto doubtful = std::exchange(plan_->in_doubt, std::nullopt)) {
    bool committed_after_all = done >= doubtful->of.to && done > 0;
    spdlog::info("storage: {}: a commit of unknown outcome {}", connection_.purpose(),
                 committed_after_all ? "had happened" : "had not happened; it is repeated");
    if (committed_after_all) believe(std::move(*doubtful));
  }
  // Whatever else the marker covers was committed by a writer that is no more: its results are lost.
  auto& todo = plan_->todo;
  while (!todo.empty() && todo.front().from < done) {
    auto& first = todo.front();
    auto to = std::min(first.to, done);
    for (auto i = first.from; i < to; ++i)
      plan_->results[i] = fail(errc::outcome_unknown, "this was stored before, but its answer is lost: read it again");
    first.from = to;
    if (first.from == first.to) todo.pop_front();
    plan_->some_committed = true;
  }
}

void pg_writer::commit_at_once(range of, std::span<const write> part) {
  pqxx::nontransaction in{connection_.use()};
  pg_rows rows{connection_, in, guarding::by_version};
  std::vector<event> events;
  auto made = decide(rows, of, part, events);
  auto end = end_of(of, part, events);
  rows.gather(); // what cannot be said to Postgres at all shows here, while nothing is in doubt
  plan_->in_doubt = std::move(made);
  plan_->in_doubt->last_seq = store(rows, std::move(end));
  believe(*std::exchange(plan_->in_doubt, std::nullopt));
}

void pg_writer::commit_transaction(range of, std::span<const write> part) {
  pqxx::work in{connection_.use()};
  pg_rows rows{connection_, in, guarding::by_lock};
  std::vector<event> events;
  auto made = decide(rows, of, part, events);
  made.last_seq = store(rows, end_of(of, part, events));
  plan_->in_doubt = std::move(made);
  in.commit();
  believe(*std::exchange(plan_->in_doubt, std::nullopt));
}

/// Reads what the changes are about and carries them out on it, in memory.
pg_writer::outcome pg_writer::decide(pg_rows& rows, range of, std::span<const write> part, std::vector<event>& events) {
  rows.prefetch(part);
  outcome made;
  made.of = of;
  std::int64_t keys = 0;
  for (const auto& one : part) {
    made.results.push_back(execute(one, rows, events));
    if (one.keyed) ++keys;
  }
  if (keys > 0) purge_keys(keys, latest_of(part), rows);
  made.campaigns = rows.standings();
  return made;
}

/// Expired is what is a day older than both the present changes and the latest ones there ever were: a clock that once
/// ran ahead must not make today's keys old.
void pg_writer::purge_keys(std::int64_t more, time_point present, pg_rows& rows) {
  keys_since_purge_ += more;
  if (present == time_point{}) return; // nothing in the batch tells the time
  if (commits_with_keys_++ % purge_every != 0 && keys_since_purge_ < purge_after_keys) return;
  rows.purge_requests(std::min(present, rows.latest_time()), std::max(purged_at_least, 2 * keys_since_purge_));
  keys_since_purge_ = 0;
}

/// The events and the mark.
parameters pg_writer::end_of(range of, std::span<const write> part, const std::vector<event>& events) const {
  parameters values;
  values.add(static_cast<std::int64_t>(events.size()))
      .add(std::string_view{plan_->batch_id})
      .add(static_cast<std::int64_t>(of.to))
      .add(latest_of(part))
      .add(epoch_)
      .add(session_);
  add_events(values, events);
  return values;
}

/// Writes all that was changed, the events with their numbers, and the mark, in one statement: whoever holds the
/// counter of the events holds up everybody. Returns the last of the numbers.
std::int64_t pg_writer::store(pg_rows& rows, parameters end) {
  return rows.flush_with(lane_ == lane::hot ? sql::end_hot_batch : sql::end_bulk_batch, std::move(end),
                         sql::last_number);
}

void pg_writer::believe(outcome made) {
  for (std::size_t i = 0; i < made.results.size(); ++i) plan_->results[made.of.from + i] = std::move(made.results[i]);
  plan_->last_seq = std::max(plan_->last_seq, made.last_seq);
  for (const auto& one : made.campaigns) plan_->campaigns[one.id] = one;
  plan_->some_committed = true;
  connection_.works();
  plan_->conflicts = 0;
  plan_->todo.pop_front();
}

std::optional<error> pg_writer::recover(const std::exception& why) {
  auto kind = connection_.explain(why);
  bool rejected = resolved_ && is_refusal(why) && connection_.is_open();
  if (plan_->in_doubt && rejected) plan_->in_doubt.reset(); // the server itself said no
  bool hopeless = kind == failure::lost || kind == failure::unavailable || !resolved_;
  if (plan_->in_doubt || hopeless) {
    connection_.drop();
    return interrupted(outside_view(kind == failure::refused ? failure::unavailable : kind));
  }
  if (state_of(why) == sqlstate::session_over) return session_ended();
  if (kind == failure::conflict && ++plan_->conflicts < max_conflicts) return std::nullopt;
  split_or_blame(kind);
  return std::nullopt;
}

/// Halves the range that cannot be stored; of one change alone it is known that it is the guilty one.
void pg_writer::split_or_blame(failure kind) {
  plan_->conflicts = 0;
  auto guilty = plan_->todo.front();
  plan_->todo.pop_front();
  if (guilty.to - guilty.from <= 1) {
    if (guilty.from == guilty.to) return;
    plan_->results[guilty.from] =
        kind == failure::conflict ? outside_view(kind) : fail(errc::internal, "the change could not be stored");
    return;
  }
  auto middle = guilty.from + (guilty.to - guilty.from) / 2;
  plan_->todo.push_front({middle, guilty.to});
  plan_->todo.push_front({guilty.from, middle});
}

/// "Nothing happened" must be true when it is said.
error pg_writer::interrupted(error otherwise) const {
  if (!plan_->in_doubt && !plan_->some_committed) return otherwise;
  return fail(errc::outcome_unknown, "the connection was lost before the database confirmed the change");
}

committed pg_writer::finish() {
  committed all;
  all.last_seq = plan_->last_seq;
  for (const auto& [id, standing] : plan_->campaigns) all.campaigns.push_back(standing);
  for (auto& one : plan_->results)
    all.results.push_back(one ? std::move(*one)
                              : result<written>{fail(errc::internal, "the change could not be stored")});
  last_id_ = plan_->batch_id;
  last_ = all;
  plan_.reset();
  return all;
}

} // namespace dr::storage
