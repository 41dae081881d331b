// Postgres goes away and comes back.
#include "tests/system/own_postgres.hpp"
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace dr::test;
using namespace std::chrono_literals;

TEST_CASE("Postgres restarting in mid-campaign delays answers and loses none", "[system]") {
  own_postgres postgres;
  platform on(platform::setup{.variables = {{"DR_DATABASE_REQUEST_TIMEOUT_S", "2"}}, .database_url = postgres.url()});
  const int samsung = enrol(on, "samsung", 400, 1000);
  const int lg = enrol(on, "lg", 300, 1000);
  const int campaign = start_campaign(on);
  CHECK(accept(on, campaign, samsung) == 200);
  auto socket = on.socket_of(lg);
  REQUIRE(socket.receive());

  postgres.stop();
  const auto refused = on.call("PUT", "/responses/2/accept");
  CHECK(refused.status == 503);
  CHECK(refused.body.at("type").get<std::string>().find("/problems/") == 0);
  const auto not_ready = [&] { return on.call("GET", "/readyz").status == 503; };
  eventually("the server says that it is not ready", not_ready);
  CHECK(on.call("GET", "/livez").status == 200);
  const auto health = on.call("GET", "/health");
  CHECK(health.status == 503);
  CHECK(health.body.at("storage").at("state") != "up");

  postgres.start();
  on.wait_ready();
  const auto taken = [&] { return on.call("PUT", "/responses/2/accept").status == 200; };
  eventually("answers are taken again", taken);
  CHECK(response_of(on, campaign, samsung).at("answer") == "accept");
  reduce(on, campaign, samsung, 383);
  reduce(on, campaign, lg, 295);
  end_campaign(on, campaign);
  wait_settled(on, campaign);
  CHECK(check_of(on, campaign, samsung).at("isReal") == true);
  CHECK(check_of(on, campaign, lg).at("isReal") == true);
  CHECK_FALSE(socket.closed());
  require_books_balance(on);
  require_events_whole(on);
}

TEST_CASE("every backend severed while answers come in: all acknowledged ones are there", "[system]") {
  platform on;
  constexpr int users = 40;
  for (int i = 0; i < users; ++i) enrol(on, "site " + std::to_string(i + 1), 100);
  const int campaign = start_campaign(on);
  const std::string sever = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
                            "datname = current_database()";
  for (int user = 1; user <= users; ++user) {
    if (user % 10 == 0) run({"psql", "-X", "-q", "-d", on.database_url(), "-c", sever});
    const auto id = std::to_string(user);
    const auto acknowledged = [&] { return on.call("PUT", "/responses/" + id + "/accept").status == 200; };
    eventually("answer " + id + " is acknowledged", acknowledged);
  }
  CHECK(on.get("/drs/" + std::to_string(campaign) + "/summary").at("accept") == users);
  CHECK(on.get("/responses?answer=accept&drId=" + std::to_string(campaign)).at("page").at("totalElements") == users);
  require_events_whole(on);
}

TEST_CASE("a server started before its database waits for it", "[system]") {
  own_postgres postgres;
  const auto url = postgres.url();
  postgres.stop();
  platform on(platform::setup{.database_url = url, .started = false});
  auto variables = on.server_environment();
  variables["DR_HTTP_ADDRESS"] = "127.0.0.1:0";
  process early(
      process::options{{platform::program("drplatform"), "serve"}, variables, on.data_dir() / "server.log", -1});
  const auto waits = [&] { return on.log().find("waiting for the database of DR_DATABASE_URL") != std::string::npos; };
  eventually("the log names the database", waits);
  CHECK(early.running());
  early.signal(SIGTERM);
  CHECK(early.wait(20s) == 0);
  postgres.start();
  on.start_server();
  CHECK(enrol(on, "samsung", 400) == 1);
}
