#include "storage/postgres/migrations.hpp"
#include "tests/storage/house.hpp"

#include <algorithm>
#include <future>

using namespace dr;
using namespace dr::test;

namespace {

std::unique_ptr<database> connect(const test_database& to) {
  postgres_options options;
  options.url = to.url();
  return make_postgres_database(options);
}

} // namespace

TEST_CASE("migrations are applied once", "[storage][migrations]") {
  test_database empty;
  auto db = connect(empty);
  CHECK(db->open_reader()->find_user({1}).error().code == errc::store_unavailable);
  auto first = db->migrate();
  REQUIRE(first);
  CHECK(!first->empty());
  CHECK(std::is_sorted(first->begin(), first->end()));
  CHECK(db->migrate()->empty());
  CHECK(empty.run("SELECT count(*) FROM migration") == std::to_string(first->size()));
  CHECK(empty.run("SELECT length(checksum) FROM migration LIMIT 1") == "64");
}

TEST_CASE("instants cross the border exactly, and without a call for each", "[storage][migrations]") {
  test_database empty;
  REQUIRE(connect(empty)->migrate());
  // From the year 1 to 9999, with odd milliseconds.
  CHECK(empty.run("SELECT count(*) FROM generate_series(-62135596800000, 253402300799999, 31553789759917) AS t(ms) "
                  "WHERE dr_ms(dr_instant(ms)) <> ms") == "0");
  CHECK(empty.run("SELECT dr_ms(timestamptz '2026-11-22 12:00:00.007+00')") == "1795348800007");
  CHECK_THAT(empty.run("EXPLAIN (VERBOSE, FORMAT JSON) SELECT dr_ms(created_at), dr_instant(id) FROM users"),
             Catch::Contains("date_part") && !Catch::Contains("dr_ms") && !Catch::Contains("dr_instant"));
}

TEST_CASE("names from before are composed", "[storage][migrations]") {
  test_database old;
  auto db = connect(old);
  REQUIRE(db->migrate());
  old.run("INSERT INTO users (name, capacity_w, points, version, enrolled, created_at) "
          "SELECT name, 1, 0, 1, true, now() FROM (VALUES (U&'\\1109\\1161\\11B7'), ('LG')) AS them(name)");
  old.run("DELETE FROM migration WHERE version >= 5");
  const auto rows = old.run("SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM users WHERE name = 'LG'");
  REQUIRE(db->migrate());
  CHECK(old.run("SELECT string_agg(name, ' ' ORDER BY id) FROM users") == "삼 LG");
  CHECK(old.run("SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM users WHERE name = 'LG'") == rows); // not touched
}

TEST_CASE("a role that may not make tables is told so, instead of trying again and again", "[storage][migrations]") {
  test_database empty;
  const auto weak = empty.run("SELECT current_database()") + "_weak";
  empty.run("CREATE ROLE " + weak);
  postgres_options options;
  options.url = test_database::with(empty.url(), "options", "-crole%3D" + weak);
  const auto refused = make_postgres_database(options)->migrate();
  empty.run("DROP ROLE " + weak);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == errc::invalid);
  CHECK_THAT(refused.error().detail, Catch::Contains("own the database"));
}

TEST_CASE("an address that libpq cannot read is named as such, without a word of it", "[storage]") {
  for (const std::string fine : {"postgresql://u:p%40ss@h:5432/db", "postgres:///db?host=/tmp", "host=/tmp dbname=db"})
    CHECK_FALSE(wrong_address(fine));
  for (const std::string wrong :
       {"postgresql://u:sec%zzret@h/db", "host=h password='secret", "secret", "dbname=db sec=ret"}) {
    const auto why = wrong_address(wrong);
    REQUIRE(why);
    CHECK_THAT(*why, !Catch::Contains("sec") && !Catch::Contains("zz"));
  }
}

TEST_CASE("two programs that migrate at once do not get into each other's way", "[storage][migrations]") {
  test_database empty;
  auto run = [&] { return connect(empty)->migrate(); };
  auto one = std::async(std::launch::async, run);
  auto two = std::async(std::launch::async, run);
  auto first = one.get();
  auto second = two.get();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->empty() != second->empty());
}

TEST_CASE("beside a running server only the migrations up to the first that would disturb it are applied",
          "[storage][migrations]") {
  test_database empty;
  postgres_options options;
  options.url = empty.url();
  connection over{options, "migration", options.bulk_statement_timeout, workload::bulk};
  const std::vector<migration> known{{1, "V001__a.sql", "a", "CREATE TABLE a ()", true},
                                     {2, "V002__b.sql", "b", "CREATE TABLE b ()", false},
                                     {3, "V003__c.sql", "c", "CREATE TABLE c ()", true}};
  CHECK(migrate(over, known, migration_scope::beside).value() == std::vector{1});
  CHECK(migrate(over, known, migration_scope::beside).value().empty());
  CHECK(migrate(over, known).value() == std::vector{2, 3});
  CHECK_FALSE(migrate(over, std::vector{known[0]}, migration_scope::beside).has_value()); // an older release
  test_database other;
  CHECK(connect(other)->migrate_beside().value().empty()); // the first one makes everything
}

TEST_CASE("beside a running server no migration waits long for a table, as the server would wait behind it",
          "[storage][migrations]") {
  test_database some;
  postgres_options options;
  options.url = some.url();
  connection over{options, "migration", options.bulk_statement_timeout, workload::bulk};
  const std::vector<migration> known{{1, "V001__a.sql", "a", "CREATE TABLE a ()", true},
                                     {2, "V002__b.sql", "b", "ALTER TABLE a ADD COLUMN b int", true}};
  REQUIRE(migrate(over, std::vector{known[0]}));
  pqxx::connection other{some.url()};
  pqxx::work backup{other};
  backup.exec("LOCK TABLE a IN ACCESS SHARE MODE");
  CHECK(migrate(over, known, migration_scope::beside).error().code == errc::store_unavailable);
  backup.abort();
  CHECK(migrate(over, known, migration_scope::beside).value() == std::vector{2});
}

TEST_CASE("a changed migration is refused in words", "[storage][migrations]") {
  house s{kind::postgres};
  s.postgres().run("UPDATE migration SET checksum = 'other' WHERE version = 1");
  auto refused = s.db().migrate();
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::internal);
  CHECK_THAT(refused.error().detail, Catch::Contains("V001__initial_schema.sql"));
}

TEST_CASE("a schema of a newer release is refused in words", "[storage][migrations]") {
  house s{kind::postgres};
  s.postgres().run("INSERT INTO migration VALUES (999, 'V999__later.sql', 'x')");
  auto refused = s.db().migrate();
  REQUIRE(!refused);
  CHECK_THAT(refused.error().detail, Catch::Contains("newer release"));
}

TEST_CASE("a database that cannot be reached fails soon and in words", "[storage][migrations]") {
  postgres_options options;
  options.url = "postgresql://nobody:secret@127.0.0.1:1/none";
  auto db = make_postgres_database(options);
  for (const auto& why : {db->migrate().error(), db->take_lease("x").error(), db->open_reader()->ping().error(),
                          db->open_writer(lane::hot, 1)->commit("b", {}).error()}) {
    CHECK(why.code == errc::store_unavailable);
    CHECK_THAT(why.detail, !Catch::Contains("secret"));
  }
}
