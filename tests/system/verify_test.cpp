// drplatform verify, as an operator runs it.
#include "tests/system/safety_support.hpp"

#include <catch2/catch.hpp>

using namespace dr::test;

TEST_CASE("verify finds nothing after a walk through everything, beside the running server", "[system][verify]") {
  platform on;
  walk_everything(on);
  const auto report = verify_report(on.database_url());
  INFO(report.dump(2));
  CHECK(report.at("differences") == 0);
  const auto& seen = report.at("verified");
  CHECK(seen.at("users") == 3);
  CHECK(seen.at("campaigns") == 4);
  CHECK(seen.at("responses") == 12);
  CHECK(seen.at("checks") == 4);
  // samsung's two are computed anew; the other days were asked for again after the check, or by the rechecks.
  CHECK(seen.at("checksRecomputed").get<int>() >= 2);
  const auto events = on.get("/events?after=0&size=1000").at("_embedded").at("events").size();
  CHECK(seen.at("events").get<std::size_t>() == events);
}

TEST_CASE("verify says in words what was changed, where, and exits with 1", "[system][verify]") {
  platform on;
  const int user = enrol(on, "samsung", 400, 1000);
  query(on.database_url(), "UPDATE users SET points = points + 7");
  const auto text = verify(on.database_url(), {});
  INFO(text.output << text.errors);
  CHECK(text.status == 1);
  CHECK(text.output.find("user 1: the balance is not the sum of the ledger") != std::string::npos);
  CHECK(text.output.find("stored:   1007") != std::string::npos);
  CHECK(text.output.find("computed: 1000") != std::string::npos);
  CHECK(text.output.find("1 difference.") != std::string::npos);
  const auto report = verify_report(on.database_url(), 1);
  CHECK(report.at("findings").at(0).at("kind") == "balance");
  CHECK(report.at("findings").at(0).at("userId") == user);
}

TEST_CASE("verify is content with a database in which nothing has happened yet", "[system][verify]") {
  platform on;
  CHECK(verify_report(on.database_url()).at("verified").at("users") == 0);
}

TEST_CASE("verify that cannot run says why and exits with 78", "[system][verify]") {
  const auto refused = [](const std::string& url, const std::string& why) {
    const auto done = verify(url);
    INFO(done.output << done.errors);
    CHECK(done.status == 78);
    CHECK(done.output.empty());
    CHECK(done.errors.find(why) != std::string::npos);
  };
  refused("", "no database is given");
  refused("postgresql://nobody@127.0.0.1:1/none", "the database cannot be reached");
  refused("this is no address", "the database address cannot be read");
  refused(required_variable("DR_TEST_DATABASE_URL"), "does not have the DR Platform's tables");
}
