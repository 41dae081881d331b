// An order to many users: until it is durable, until it is answered, until every response actor is alive, against the
// bare INSERT … SELECT of the same rows.
#include "bench/cases.hpp"
#include "bench/commit_watch.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace dr::bench {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

double ms(steady::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

/// The same rows into a table alike, in one transaction; thrown away afterwards.
double bare_insert_ms(const database& data) {
  auto sql = data.open();
  sql.execute("CREATE TABLE IF NOT EXISTS bare_response (LIKE response INCLUDING ALL)");
  sql.execute("SET jit = off");
  const auto since = steady::now();
  sql.execute("INSERT INTO bare_response (campaign_id,user_id,capacity_w,method,saa) "
              "SELECT 1, u.id, u.capacity_w, coalesce(u.method, 1::smallint), coalesce(u.saa, false) "
              "FROM users u WHERE u.enrolled ORDER BY u.id");
  const auto took = ms(steady::now() - since);
  sql.execute("TRUNCATE bare_response");
  sql.execute("CHECKPOINT");
  return took;
}

struct figures {
  series durable, answered, alive, bare, cpu_us;
};

void order_once(server& platform, const database& data, int users, figures& into) {
  const auto alive_before = platform.alive("responses");
  const auto before = platform.used();
  commit_watch watch(data);
  const auto since = steady::now();
  const auto id = platform.start_campaign();
  const auto answered = steady::now();
  into.answered.add(ms(answered - since));
  into.durable.add(ms(std::min(watch.wait(), answered) - since)); // what was answered is durable
  test::eventually(
      "every response is alive", [&] { return platform.alive("responses") >= alive_before + users; }, 10min);
  into.alive.add(ms(steady::now() - since));
  into.cpu_us.add((platform.used().cpu_s - before.cpu_s) * 1e6 / users);
  platform.call("POST", fmt::format("/drs/{}/cancel", id), {{"reason", "measured"}});
  test::eventually(
      "its responses are gone", [&] { return platform.alive("responses") <= alive_before; }, 10min);
  data.open().execute("CHECKPOINT");
}

void start_for(bench& on, int users) {
  database data(on.where);
  data.enrol(users);
  server platform(on.where, data);
  figures all;
  const int rounds = users >= 1'000'000 ? 3 : on.rounds();
  for (int i = 0; i < rounds; ++i) {
    all.bare.add(bare_insert_ms(data));
    order_once(platform, data, users, all);
  }
  const auto add = [&](const char* name, const series& ours, std::vector<goal> goals) {
    case_result r;
    r.name = name;
    r.with = {{"users", users}};
    r.unit = "ms";
    r.ours = ours.median();
    r.bare = all.bare.median();
    r.spread = ours.spread();
    r.cpu_us = all.cpu_us.median();
    r.rss_bytes = platform.used().rss_bytes;
    r.goals = std::move(goals);
    on.add(r);
  };
  add("start-durable", all.durable, {{goal::of::ratio, goal::bound::at_most, 1.5}});
  add("start-answered", all.answered, {});
  add("start-alive", all.alive, {{goal::of::ratio, goal::bound::at_most, 3}});
}

} // namespace

void starting_a_campaign(bench& on) {
  if (on.quick) return start_for(on, 2'000);
  for (const int users : {10'000, 100'000, 1'000'000}) start_for(on, users);
}

} // namespace dr::bench
