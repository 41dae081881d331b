// Five thousand customers lose their connection at once and come back at once.
#include "tests/support/ws_crowd.hpp"
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sys/resource.h>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t customers = 5000;

/// Both sides of every connection live here: as many descriptors as this process may have, handed on to the server.
bool enough_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max >= customers + 1000;
}

void import_customers(platform& on) {
  std::string csv = "name,capacity,custNo\n";
  for (std::size_t i = 1; i <= customers; ++i) csv += "site " + std::to_string(i) + ",100,\n";
  http_client client(on.port());
  REQUIRE(client.post("/users/import", csv, {{"Content-Type", "text/csv"}}).status == 200);
}

/// Asks and answers beside the storm, each within its own deadline, until the condition holds.
template <class Condition> std::chrono::milliseconds served_until(platform& on, Condition met) {
  using clock = std::chrono::steady_clock;
  auto slowest = 0ms;
  const auto until = clock::now() + 90s;
  http_client over(on.port(), "127.0.0.1", 15s);
  for (int i = 0; !met(); ++i) {
    REQUIRE(clock::now() < until);
    const auto begun = clock::now();
    CHECK(over.get("/livez").status == 200);
    CHECK(over.put(i % 2 ? "/responses/1/accept" : "/responses/1/deny").status == 200);
    slowest = std::max(slowest, std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begun));
  }
  return slowest;
}

} // namespace

TEST_CASE("five thousand customers who come back all at once are whole again, and the server answers meanwhile",
          "[system]") {
  if (!enough_descriptors()) {
    WARN("skipped: the limit of descriptors is too low here for five thousand connections");
    return;
  }
  platform on(platform::setup{.simulator = false});
  import_customers(on);
  const int first = start_campaign(on, {{"name", "before the storm"}});
  std::vector<std::string> targets;
  for (std::size_t i = 1; i <= customers; ++i) targets.push_back("/ws?userId=" + std::to_string(i));
  ws_crowd crowd(on.port(), std::move(targets));
  const auto all = [&crowd](auto holds) { return crowd.count(holds) == customers; };
  const auto has = [](const std::string& said, const char* text) { return said.find(text) != std::string::npos; };
  const auto arriving =
      served_until(on, [&] { return all([&](const std::string& said) { return has(said, "before the storm"); }); });
  const auto connected = [&] { return on.get("/overview").at("users").at("connected") == customers; };
  eventually("the server counts them all", connected);

  on.kill_and_restart();
  start_campaign(on, {{"name", "in the storm"}}); // an alert for some, part of the snapshot for the others
  const auto storming =
      served_until(on, [&] { return all([&](const std::string& said) { return has(said, "in the storm"); }); });
  CHECK(crowd.connections() >= 2 * customers);
  eventually("the server counts them all", connected);
  WARN("slowest livez and answer beside " << customers << " arrivals: " << arriving.count() << " ms, after a kill: "
                                          << storming.count() << " ms; refused upgrades: " << crowd.refused());
  end_campaign(on, first);
  // Told, or come back into a snapshot without it.
  std::string unaware; // the first of those, with all it has heard
  const auto knows = [&](const std::string& said) {
    if (has(said, "campaign.ended") || (has(said, "snapshot") && !has(said, "before the storm"))) return true;
    if (unaware.empty()) unaware = said;
    return false;
  };
  const auto aware = [&] {
    unaware.clear();
    return crowd.count(knows);
  };
  try {
    eventually(
        "everybody knows of the end", [&] { return aware() == customers; }, 90s);
  } catch (const std::exception& why) {
    FAIL(why.what() << "; " << customers - aware() << " do not, one of whom has heard only: " << unaware);
  }
}
