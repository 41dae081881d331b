#include "bench/bare/rows.hpp"

#include "storage/postgres/postgres_database.hpp"

#include <fmt/format.h>
#include <pqxx/pqxx>

#include <chrono>
#include <stdexcept>
#include <vector>

namespace dr::bench {
namespace {

time_point now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

/// One prepared statement that commits by itself, planned once and by the index, as the product's hot writer does.
class one_statement {
public:
  one_statement(const std::string& url, const char* sql, const char* planner) : connection_(url) {
    pqxx::nontransaction session{connection_};
    for (const char* setting : {"SET jit = off", "SET random_page_cost = 1.1", "SET enable_seqscan = off",
                                "SET max_parallel_workers_per_gather = 0", planner})
      session.exec(setting);
    connection_.prepare("batch", sql);
  }
  template <class... Values> void run(const Values&... values) {
    pqxx::nontransaction in{connection_};
    in.exec_prepared("batch", values...);
  }

private:
  pqxx::connection connection_;
};

template <class Value> std::string literal(std::span<const bare_row> batch, Value value) {
  std::string text = "{";
  for (const auto& row : batch) {
    if (text.size() > 1) text += ',';
    text += value(row);
  }
  return text + "}";
}

std::string id_text(const bare_row& row) { return std::to_string(row.id); }

constexpr const char* by_index = "SET enable_hashjoin = off; SET enable_mergejoin = off; "
                                 "SET plan_cache_mode = 'force_generic_plan'";
constexpr const char* with_hashes = "SET plan_cache_mode = 'force_generic_plan'"; ///< a batch is joined with itself

constexpr const char* lean_answers = R"(
WITH changed AS (
  UPDATE response r SET answer = d.answer, answered_at = dr_instant($3), version = r.version + 1
  FROM unnest($1::bigint[], $2::smallint[]) AS d(id, answer) WHERE r.id = d.id
  RETURNING r.id, r.campaign_id, r.user_id, r.answer, r.capacity_w
), counted AS (
  UPDATE campaign c SET accept = c.accept + n.accepts, deny = c.deny + n.denies, committed_w = c.committed_w + n.watts
  FROM (SELECT campaign_id, count(*) FILTER (WHERE answer = 1) AS accepts, count(*) FILTER (WHERE answer = 2) AS denies,
               sum(capacity_w)::bigint AS watts FROM changed GROUP BY campaign_id) n
  WHERE c.id = n.campaign_id
), numbered AS (
  UPDATE writer_state SET last_seq = last_seq + (SELECT count(*) FROM changed) RETURNING last_seq
)
INSERT INTO event (seq, at, type, campaign_id, user_id, response_id, data)
SELECT numbered.last_seq - row_number() OVER () + 1, dr_instant($3),
       CASE answer WHEN 1 THEN 'AcceptChosen' ELSE 'DenyChosen' END, campaign_id, user_id, id,
       CASE answer WHEN 1 THEN '{"answer":"accept","before":"ignore"}' ELSE '{"answer":"deny","before":"accept"}' END::json
FROM changed, numbered)";

constexpr const char* lean_withdrawals = R"(
WITH given AS (SELECT id, key, n FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS d(id, key, n)),
changed AS (
  UPDATE users u SET points = u.points - d.amount, version = u.version + 1
  FROM (SELECT id, count(*) AS amount FROM given GROUP BY id) d WHERE u.id = d.id AND u.points >= d.amount
  RETURNING u.id, u.points
), entered AS (
  INSERT INTO ledger (user_id, amount, balance_after, at, revision, kind)
  SELECT g.id, -1, c.points + count(*) OVER (PARTITION BY g.id) - row_number() OVER (PARTITION BY g.id ORDER BY g.n),
         dr_instant($3), 0, 3
  FROM given g JOIN changed c ON c.id = g.id RETURNING id, user_id
), kept AS (
  INSERT INTO keyed_request (principal, method, path, key, body_hash, answer, created_at)
  SELECT 'admin', 'POST', '/users/' || id || '/withdraw', key, repeat('0', 64), repeat('x', 300), dr_instant($3) FROM given
), numbered AS (
  UPDATE writer_state SET last_seq = last_seq + (SELECT count(*) FROM entered) RETURNING last_seq
)
INSERT INTO event (seq, at, type, user_id, data)
SELECT numbered.last_seq - row_number() OVER () + 1, dr_instant($3), 'PointWithdrawn', user_id,
       '{"amount":-1,"balanceAfter":1000,"entryId":1000}'::json
FROM entered, numbered)";

/// The product's own writer, which gets a change for each row.
store_rows by_the_writer(const std::string& url, std::function<storage::write(const bare_row&)> change) {
  const std::shared_ptr<storage::database> database = storage::make_postgres_database({.url = url});
  const auto epoch = database->take_lease("dr-bench-bare");
  if (!epoch) throw std::runtime_error("no lease: " + epoch.error().detail);
  const std::shared_ptr<storage::writer> writer = database->open_writer(storage::lane::hot, *epoch);
  return [database, writer, change = std::move(change),
          number = std::int64_t{0}](std::span<const bare_row> batch) mutable {
    std::vector<storage::write> changes;
    for (const auto& row : batch) changes.push_back(change(row));
    const auto done = writer->commit("bare-" + std::to_string(++number), changes);
    if (!done) throw std::runtime_error("the writer failed: " + done.error().detail);
    for (const auto& one : done->results)
      if (!one) throw std::runtime_error("a change was refused: " + one.error().detail);
  };
}

} // namespace

store_rows answers_by_the_writer(const std::string& url) {
  return by_the_writer(url, [](const bare_row& row) -> storage::write {
    return {storage::choose_answer{{row.id}, row.accept ? answer::accept : answer::deny, {}, now()}, nullptr};
  });
}

store_rows withdrawals_by_the_writer(const std::string& url) {
  return by_the_writer(url, [](const bare_row& row) -> storage::write {
    storage::keyed_request keyed{
        "admin", "POST", fmt::format("/users/{}/withdraw", row.id), row.key, std::string(64, '0'), [](const auto&) {
          return std::string(300, 'x');
        }};
    return {storage::withdraw_points{{row.id}, 1, now()}, std::make_shared<storage::keyed_request>(std::move(keyed))};
  });
}

store_rows answers_by_one_statement(const std::string& url) {
  return [session = std::make_shared<one_statement>(url, lean_answers, by_index)](std::span<const bare_row> batch) {
    session->run(literal(batch, id_text), literal(batch, [](const bare_row& r) { return r.accept ? "1" : "2"; }),
                 now().time_since_epoch().count());
  };
}

store_rows withdrawals_by_one_statement(const std::string& url) {
  return
      [session = std::make_shared<one_statement>(url, lean_withdrawals, with_hashes)](std::span<const bare_row> batch) {
        session->run(literal(batch, id_text), literal(batch, [](const bare_row& r) { return r.key; }),
                     now().time_since_epoch().count());
      };
}

} // namespace dr::bench
