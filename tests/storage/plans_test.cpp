// What a statement costs while the statistics know nothing of its table: Postgres then likes to walk all of it, and a
// writer that keeps its plans goes on doing so while the table grows.
#include "tests/storage/house.hpp"
#include "tests/support/process.hpp"

#include <string>

using namespace dr;
using namespace dr::test;

namespace {

/// Rows of a table that statements have looked at, of all sessions that are over.
std::int64_t rows_looked_at(const house& s, const std::string& table) {
  s.postgres().end_connections();
  const auto& database = s.postgres();
  eventually("its sessions are over", [&] {
    return database.run("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                        "pg_backend_pid()") == "0";
  });
  return std::stoll(database.run("SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM "
                                 "pg_stat_user_tables WHERE relname = '" +
                                 table + "'"));
}

} // namespace

TEST_CASE("keys that pile up are not walked through for every batch", "[storage][plans]") {
  house s{kind::postgres};
  auto u = s.enrol("samsung");
  s.postgres().run("ANALYZE keyed_request"); // as after a night in which all keys expired
  constexpr int batches = 70;                // expired keys are looked for in some of them
  constexpr int keys_each = 10;
  for (int i = 0; i < batches; ++i) {
    std::vector<storage::write> batch;
    batch.reserve(keys_each);
    for (int k = 0; k < keys_each; ++k)
      batch.push_back({withdraw_points{u.id, 1, noon()}, keyed(std::to_string(i) + "-" + std::to_string(k))});
    for (const auto& one : s.batch(s.next_id(), batch).results) REQUIRE(one.has_value());
  }
  CHECK(s.user_now(u.id).points == 1000 - batches * keys_each);
  CHECK(rows_looked_at(s, "keyed_request") < batches * keys_each);
}

TEST_CASE("a check's neighbours are found without a look at all responses of its user", "[storage][plans]") {
  house s{kind::postgres};
  constexpr std::int64_t users = 20;
  for (std::int64_t i = 0; i < users; ++i) s.enrol("user " + std::to_string(i));
  constexpr std::int64_t canceled = 60;
  for (std::int64_t i = 0; i < canceled; ++i) {
    auto other = s.open();
    s.must<campaign>(save_campaign{dr::canceled(other, "계통 회복", noon()).value(), other.version, noon()});
  }
  auto checked = s.open();
  auto neighbour = s.open();
  auto answered = [](std::int64_t id) { return choose_answer{{id}, answer::accept, {}, noon(1)}; };
  s.must<response_changed>(answered(users * canceled + 1));
  s.must<response_changed>(answered(users * canceled + users + 1));
  s.end(checked.id);
  s.freeze(checked.id);
  auto before = rows_looked_at(s, "response");
  for (int i = 0; i < 20; ++i) {
    auto materials = s.read().check_materials(std::vector{response_id{users * canceled + 1}});
    REQUIRE(materials);
    REQUIRE(materials->size() == 1);
    REQUIRE(materials->front().neighbours.size() == 1);
    CHECK(materials->front().neighbours.front().campaign.id == neighbour.id);
  }
  // The response itself, the neighbour, and the first and last response of each of the two campaigns.
  CHECK(rows_looked_at(s, "response") - before <= 20 * 10);
}

TEST_CASE("what is open for a customer is found without a look at all its responses", "[storage][plans]") {
  house s{kind::postgres};
  constexpr std::int64_t users = 20;
  std::vector<user_id> all;
  for (std::int64_t i = 0; i < users; ++i) all.push_back(s.enrol("user " + std::to_string(i)).id);
  constexpr std::int64_t canceled = 60;
  for (std::int64_t i = 0; i < canceled; ++i) {
    auto other = s.open();
    s.must<campaign>(save_campaign{dr::canceled(other, "계통 회복", noon()).value(), other.version, noon()});
  }
  auto open = s.open();
  auto before = rows_looked_at(s, "response");
  auto theirs = s.read().open_responses(all.front());
  REQUIRE(theirs);
  REQUIRE(theirs->size() == 1);
  CHECK(theirs->front().campaign.id == open.id);
  auto after = rows_looked_at(s, "response");
  CHECK(after - before <= 5);
  auto part = s.read().part_of(open.id, all);
  REQUIRE(part);
  CHECK(part->size() == users);
  CHECK(rows_looked_at(s, "response") - after <= 2 * users);
}

TEST_CASE("expired keys are thrown away, and no others", "[storage][plans]") {
  house s{kind::postgres};
  auto u = s.enrol("samsung");
  for (const char* key : {"old 1", "old 2"}) REQUIRE(s.attempt(withdraw_points{u.id, 1, noon()}, keyed(key)));
  constexpr int batches = 40; // expired keys are looked for in some of them
  for (int i = 0; i < batches; ++i)
    REQUIRE(s.attempt(withdraw_points{u.id, 1, noon(25 * 60)}, keyed(std::to_string(i))));
  CHECK(s.postgres().run("SELECT count(*) FROM keyed_request WHERE key LIKE 'old%'") == "0");
  CHECK(s.postgres().run("SELECT count(*) FROM keyed_request") == std::to_string(batches));
}

TEST_CASE("expired keys go as fast as new ones come, however many come at once", "[storage][plans]") {
  house s{kind::postgres};
  auto u = s.enrol("samsung", 1000, 1'000'000);
  constexpr int each = 500;
  const auto many = [&](const std::string& prefix, time_point at) {
    std::vector<storage::write> batch;
    batch.reserve(each);
    for (int i = 0; i < each; ++i) batch.push_back({withdraw_points{u.id, 1, at}, keyed(prefix + std::to_string(i))});
    for (const auto& one : s.batch(s.next_id(), batch).results) REQUIRE(one.has_value());
  };
  for (const char* old : {"old a", "old b", "old c", "old d"}) many(old, noon());
  for (const char* fresh : {"new a", "new b", "new c"}) many(fresh, noon(25 * 60)); // the first brings the new time
  CHECK(s.postgres().run("SELECT count(*) FROM keyed_request WHERE key LIKE 'old%'") == "0");
  CHECK(s.postgres().run("SELECT count(*) FROM keyed_request") == std::to_string(3 * each));
}

TEST_CASE("a clock that once ran ahead does not make today's keys old", "[storage][plans]") {
  house s{kind::postgres};
  auto u = s.enrol("samsung");
  REQUIRE(s.attempt(withdraw_points{u.id, 1, noon(60 * 24 * 60)}, keyed("from the future")));
  constexpr int batches = 70;
  for (int i = 0; i < batches; ++i) REQUIRE(s.attempt(withdraw_points{u.id, 1, noon()}, keyed(std::to_string(i))));
  CHECK(s.postgres().run("SELECT count(*) FROM keyed_request") == std::to_string(batches + 1));
}
