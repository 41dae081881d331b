// Other sessions, and Postgres itself, get in the way of the server's transactions: locks, conflicts, backends that
// hang, a database that only reads.
#include "tests/system/database_tools.hpp"
#include "tests/system/own_postgres.hpp"
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <future>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

const environment quick_watchdog{{"DR_DATABASE_REQUEST_TIMEOUT_S", "1"}};

json_answer withdraw(platform& on, int user, const std::string& key) {
  return on.call("POST", "/users/" + std::to_string(user) + "/withdraw", {{"amount", 100}}, {{"Idempotency-Key", key}});
}

std::future<json_answer> calling(platform& on, const std::string& method, const std::string& path,
                                 const json& body = nullptr) {
  return std::async(std::launch::async, [&on, method, path, body] { return on.call(method, path, body); });
}

void wait_until_blocked(platform& on) {
  eventually("the server waits for the lock", [&] { return waits_for_lock(on.database_url(), backend::hot_writer); });
}

int count_in_log(platform& on, const std::string& text) {
  const auto log = on.log();
  int count = 0;
  for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
  return count;
}

} // namespace

TEST_CASE("a writer's backend that hangs is given up by the watchdog, and the next one carries on", "[system]") {
  platform on(platform::setup{.variables = quick_watchdog});
  const int user = enrol(on, "samsung", 400, 1000);
  paused_backends asleep(on.database_url(), backend::hot_writer);
  const auto first = withdraw(on, user, "hanging");
  CHECK(first.status == 503);
  CHECK(first.body.at("type") == "/problems/outcome-unknown");
  json_answer again;
  eventually("the retry is answered while the old backend still hangs",
             [&] { return (again = withdraw(on, user, "hanging")).status != 503; });
  CHECK(again.status == 201);
  CHECK(count_in_log(on, "its connection is broken off") > 0);
  asleep.resume();
  CHECK(withdraw(on, user, "hanging").body == again.body);
  CHECK(on.get("/users/1").at("point") == 900);
  require_books_balance(on);
  require_events_whole(on);
}

TEST_CASE("a writer's backend that hangs with its locks holds writes up until it goes on, and nothing happens twice",
          "[system]") {
  platform on(platform::setup{.variables = quick_watchdog});
  const int user = enrol(on, "samsung", 400, 1000);
  sql_session other(on.database_url());
  other.run("BEGIN");
  other.run("SELECT 1 FROM writer_state FOR UPDATE");
  auto first = std::async(std::launch::async, [&] { return withdraw(on, user, "hanging"); });
  wait_until_blocked(on);
  paused_backends asleep(on.database_url(), backend::hot_writer); // in the queue for the counter row
  other.run("ROLLBACK");
  CHECK(first.get().status == 503);
  CHECK(withdraw(on, user, "hanging").status == 503);
  CHECK(on.call("GET", "/users/1").status == 200); // reads go on
  asleep.resume();
  json_answer again;
  eventually("the retry is answered", [&] { return (again = withdraw(on, user, "hanging")).status != 503; });
  CHECK(again.status == 201);
  CHECK(on.get("/users/1").at("point") == 900);
  const auto left_behind = [&] { return backends(on.database_url(), backend::hot_writer).size(); };
  eventually("no backend is left behind", [&] { return left_behind() == 1; });
  require_books_balance(on);
  require_events_whole(on);
}

TEST_CASE("a reader's backend that hangs costs the query it had, then reads go on beside it", "[system]") {
  platform on(platform::setup{.variables = {{"DR_DATABASE_REQUEST_TIMEOUT_S", "1"}, {"DR_DATABASE_READERS", "2"}}});
  enrol(on, "samsung", 400);
  const auto readers = [&] { return backends(on.database_url(), backend::reader).size() == 2; };
  eventually("both readers are connected", [&] {
    auto second = calling(on, "GET", "/users");
    on.get("/users");
    second.get();
    return readers();
  });
  paused_backends asleep(on.database_url(), backend::reader);
  CHECK(on.call("GET", "/users/1").status == 503);
  eventually("reads are answered again", [&] { return on.call("GET", "/users/1").status == 200; });
  for (int i = 0; i < 10; ++i) CHECK(on.call("GET", "/users").status == 200);
  CHECK(on.call("PATCH", "/users/1", {{"name", "lg"}}).status == 200);
}

TEST_CASE("a lock that another session holds delays the answer and no more", "[system]") {
  platform on;
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  sql_session other(on.database_url());
  other.run("BEGIN");
  other.run("SELECT 1 FROM response WHERE id = 1 FOR UPDATE");
  auto answer = calling(on, "PUT", "/responses/1/accept");
  wait_until_blocked(on);
  other.run("COMMIT");
  CHECK(answer.get().status == 200);
  CHECK(response_of(on, campaign, user).at("answer") == "accept");
}

TEST_CASE("a deadlock with another session is resolved by doing the batch again", "[system]") {
  platform on;
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  sql_session other(on.database_url());
  other.run("SET deadlock_timeout = '1min'"); // so that Postgres finds it in the server's session
  other.run("BEGIN");
  other.run("SELECT 1 FROM response WHERE id = 1 FOR UPDATE");
  auto answer = calling(on, "PUT", "/responses/1/accept");
  wait_until_blocked(on); // it has the campaign, and wants the response
  other.run("SELECT 1 FROM campaign WHERE id = 1 FOR UPDATE");
  other.run("COMMIT");
  CHECK(answer.get().status == 200);
  CHECK(count_in_log(on, "lost a race") >= 1);
  CHECK(response_of(on, campaign, user).at("answer") == "accept");
  require_events_whole(on);
}

TEST_CASE("a race for a customer number has one winner, whoever commits first", "[system]") {
  platform on;
  sql_session other(on.database_url());
  const json wanted{{"name", "lg"}, {"capacity", 300}, {"custNo", "0000000077"}};
  const std::string rival = "INSERT INTO users (capacity_w, points, created_at, version, enrolled, name, cust_no) "
                            "VALUES (1000, 0, now(), 1, true, 'rival', '0000000077')";
  other.run("BEGIN");
  other.run(rival);
  auto lucky = calling(on, "POST", "/users", wanted);
  wait_until_blocked(on);
  other.run("ROLLBACK");
  CHECK(lucky.get().status == 201);
  REQUIRE(sql(on.database_url(), "DELETE FROM users WHERE cust_no = '0000000077'").empty());

  other.run("BEGIN");
  other.run(rival);
  auto late = calling(on, "POST", "/users", wanted);
  wait_until_blocked(on);
  other.run("COMMIT");
  const auto refused = late.get();
  CHECK(refused.status == 409);
  CHECK(refused.body.at("type") == "/problems/cust-no-taken");
  CHECK(enrol(on, "another", 100) > 0);
}

TEST_CASE("a database whose default is serializable changes nothing", "[system]") {
  platform on(platform::setup{.started = false});
  sql(on.database_url(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = "
                         "serializable', current_database()); END $$");
  on.start_server();
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  sql_session other(on.database_url());
  for (int i = 0; i < 6; ++i) { // more often than a conflict is tried again
    other.run("BEGIN");
    other.run("UPDATE response SET method = method WHERE id = 1");
    auto answer = calling(on, "PUT", i % 2 ? "/responses/1/deny" : "/responses/1/accept");
    wait_until_blocked(on);
    other.run("COMMIT");
    CHECK(answer.get().status == 200);
  }
  CHECK(count_in_log(on, "lost a race") == 0);
  CHECK(response_of(on, campaign, user).at("answer") == "deny");
}

TEST_CASE("a standby behind the address is refused in clear words; once it is promoted everything goes on",
          "[system]") {
  own_postgres postgres;
  platform on(platform::setup{.variables = {{"DR_DATABASE_REQUEST_TIMEOUT_S", "2"}}, .database_url = postgres.url()});
  const int user = enrol(on, "samsung", 400);
  const int campaign = start_campaign(on);
  auto socket = on.socket_of(user);
  REQUIRE(socket.receive());
  postgres.stop();
  std::ofstream(postgres.data() / "standby.signal").flush();
  postgres.start();

  const auto refused = on.call("PUT", "/responses/1/accept");
  CHECK(refused.status == 503);
  CHECK(on.call("GET", "/readyz").status == 503);
  CHECK(count_in_log(on, "read-only standby") > 0);

  sql(postgres.url(), "SELECT pg_promote()");
  eventually("answers are taken", [&] { return on.call("PUT", "/responses/1/accept").status == 200; });
  on.wait_ready();
  CHECK(response_of(on, campaign, user).at("answer") == "accept");
  CHECK(hear(socket, "response.changed").at("response").at("answer") == "accept");
  require_events_whole(on);
}

TEST_CASE("a database switched to read-only under the server is refused in clear words until it is switched back",
          "[system]") {
  platform on(platform::setup{.variables = {{"DR_DATABASE_REQUEST_TIMEOUT_S", "1"}}});
  enrol(on, "samsung", 400);
  const auto set = [&](const std::string& value) {
    sql_session session(on.database_url());
    session.run("SET default_transaction_read_only = off");
    session.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = " + value +
                "', current_database()); END $$");
    session.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                "pg_backend_pid()");
  };
  set("on");
  CHECK(on.call("POST", "/users", {{"name", "lg"}, {"capacity", 300}}).status == 503);
  CHECK(count_in_log(on, "read-only") > 0);
  set("off");
  eventually("users are enrolled", [&] {
    return on.call("POST", "/users", {{"name", "lg"}, {"capacity", 300}}).status == 201;
  });
  CHECK(on.get("/users").at("page").at("totalElements") == 2);
}
