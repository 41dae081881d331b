// How a store that cannot be used explains itself, and what an empty batch finds out without writing.
#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

namespace {

/// A store behind other libpq options than the tests' own.
std::unique_ptr<database> reached_by(const std::string& url) {
  postgres_options options;
  options.url = url;
  return make_postgres_database(options);
}

outage_cause cause_of(const std::string& url, std::int64_t epoch) {
  auto hot = reached_by(url)->open_writer(lane::hot, epoch);
  auto got = hot->commit("", {});
  REQUIRE_FALSE(got);
  CHECK(got.error().code == errc::store_unavailable);
  CHECK_FALSE(hot->last_outage().said.empty());
  return hot->last_outage().cause;
}

} // namespace

TEST_CASE("a batch without an id writes nothing and says whether one could be written", "[storage][outage]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto& hot = s.on(lane::hot);
  CHECK(hot.commit("", {}));
  CHECK(hot.last_outage().cause == outage_cause::none);
  CHECK(s.events().size() == 1);
  s.must<user>(change_user{{1}, {}, "lg", {}, {}, {}, {}, noon()}); // the next batch goes as always
  REQUIRE(s.db().take_lease("another process"));
  CHECK(hot.commit("", {}).error().code == errc::fenced);
}

TEST_CASE("a store in memory that is away says so and says when it is back", "[storage][outage]") {
  house s{kind::memory};
  s.memory()->faults().set_down(true);
  CHECK(s.on(lane::hot).commit("", {}).error().code == errc::store_unavailable);
  CHECK(s.on(lane::hot).last_outage().cause == outage_cause::unreachable);
  CHECK_FALSE(s.read().ping());
  CHECK(s.read().last_outage().cause == outage_cause::unreachable);
  s.memory()->faults().set_down(false);
  CHECK(s.on(lane::hot).commit("", {}));
  CHECK(s.on(lane::hot).last_outage().cause == outage_cause::none);
  CHECK(s.read().ping());
  CHECK(s.read().last_outage().cause == outage_cause::none);
}

TEST_CASE("a database that cannot be used says why", "[storage][postgres][outage]") {
  house s{kind::postgres};
  const auto url = s.postgres().url();
  CHECK(cause_of(test_database::with(url, "port", "1"), s.epoch()) == outage_cause::unreachable);
  CHECK(cause_of(test_database::with(url, "options", "-cdefault_transaction_read_only%3Don"), s.epoch()) ==
        outage_cause::read_only);
  auto wrong = test_database::with(test_database::with(url, "passfile", "/dev/null"), "password", "wrong");
  CHECK(cause_of(wrong, s.epoch()) == outage_cause::authentication);
  s.postgres().run("ALTER DATABASE " + s.postgres().name() + " CONNECTION LIMIT 0");
  s.postgres().run("CREATE ROLE " + s.postgres().name() + "_guest LOGIN PASSWORD 'guest'");
  auto guest =
      test_database::with(test_database::with(url, "user", s.postgres().name() + "_guest"), "password", "guest");
  guest = test_database::with(guest, "passfile", "/dev/null");
  CHECK(cause_of(guest, s.epoch()) == outage_cause::too_many_connections);
  s.postgres().run("DROP ROLE " + s.postgres().name() + "_guest");
}

TEST_CASE("a reader and a writer whose connections were ended reach the database again by themselves",
          "[storage][postgres][outage]") {
  house s{kind::postgres};
  s.enrol("samsung");
  s.postgres().end_connections();
  CHECK(s.read().ping());
  CHECK(s.read().last_outage().cause == outage_cause::none);
  CHECK(s.on(lane::hot).commit("", {}));
  CHECK(s.on(lane::hot).last_outage().cause == outage_cause::none);
  s.must<user>(change_user{{1}, {}, "lg", {}, {}, {}, {}, noon()});
  s.holds();
}
