// An order to many users: until it is durable, until it is answered, until every response actor is alive, against the
// bare INSERT … SELECT of the same rows; alone, and beside campaigns that are open already.
#include "bench/cases.hpp"
#include "bench/commit_watch.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace dr::bench {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

double ms(steady::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

constexpr int orders_counted = 5; ///< the last ones before a number of open campaigns is reached

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
  std::int64_t rss_bytes = 0; ///< with all responses alive
};

/// Orders once and leaves the campaign open; its id.
std::int64_t order(server& platform, const database& data, int users, figures& into) {
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
  const auto after = platform.used();
  into.cpu_us.add((after.cpu_s - before.cpu_s) * 1e6 / users);
  into.rss_bytes = after.rss_bytes;
  return id;
}

void cancel(server& platform, const database& data, std::int64_t id) {
  platform.call("POST", fmt::format("/drs/{}/cancel", id), {{"reason", "measured"}});
  test::eventually(
      "its responses are gone", [&] { return platform.alive("responses") == 0; }, 10min);
  data.open().execute("CHECKPOINT");
}

case_result result_of(const std::string& name, params with, const series& ours, const figures& all) {
  case_result r;
  r.name = name;
  r.with = std::move(with);
  r.unit = "ms";
  r.ours = ours.median();
  r.bare = all.bare.median();
  r.spread = ours.spread();
  r.cpu_us = all.cpu_us.median();
  r.rss_bytes = all.rss_bytes;
  return r;
}

figures start_for(bench& on, int users) {
  database data(on.where);
  data.enrol(users);
  server platform(on.where, data);
  figures all;
  for (int i = 0; i < on.rounds(users >= 1'000'000); ++i) {
    all.bare.add(bare_insert_ms(data));
    cancel(platform, data, order(platform, data, users, all));
  }
  const auto add = [&](const char* name, const series& ours, std::vector<goal> goals) {
    auto r = result_of(name, {{"users", users}}, ours, all);
    r.goals = std::move(goals);
    on.add(r);
  };
  add("start-durable", all.durable, {{goal::of::ratio, goal::bound::at_most, 1.5}});
  add("start-answered", all.answered, {});
  add("start-alive", all.alive, {{goal::of::ratio, goal::bound::at_most, 3}});
  return all;
}

/// What a user of a large order costs, against one of a smaller order.
void compare_costs(bench& on, int few, const figures& of_few, int many, const figures& of_many) {
  const auto add = [&](const char* name, series figures::*figure) {
    const auto us = [&](const figures& of, int users) { return (of.*figure).median() * 1000 / users; };
    case_result r;
    r.name = name;
    r.with = {{"users", many}, {"against", few}};
    r.unit = "µs";
    r.ours = us(of_many, many);
    r.bare = us(of_few, few);
    r.goals = {{goal::of::ratio, goal::bound::at_most, 1.25}};
    on.add(r);
  };
  add("start-durable-per-user", &figures::durable);
  add("start-alive-per-user", &figures::alive);
}

} // namespace

void starting_a_campaign(bench& on) {
  std::map<int, figures> by_users;
  for (const int users : on.sizes({500, 2'000}, {10'000, 100'000, 1'000'000}, {1'000, 10'000, 100'000, 1'000'000}))
    by_users[users] = start_for(on, users);
  // Below ten thousand the time of one request and one commit is what counts.
  auto few = by_users.lower_bound(10'000);
  if (few == by_users.end()) few = by_users.begin();
  const auto& [many, of_many] = *by_users.rbegin();
  compare_costs(on, few->first, few->second, many, of_many);
}

void ordering_beside_open_campaigns(bench& on) {
  const int users = on.pick(100, 1'000);
  database data(on.where);
  data.enrol(users);
  server platform(on.where, data);
  figures first; // makes connections and plans that later orders find
  cancel(platform, data, order(platform, data, users, first));
  int open = 0;
  for (const int wanted : on.sizes({1, 3}, {1, 100}, {1, 10, 100, 1'000})) {
    figures last;
    for (; open < wanted; ++open) {
      const bool counts = wanted - open <= orders_counted;
      figures before;
      order(platform, data, users, counts ? last : before);
    }
    for (int i = 0; i < on.rounds(); ++i) last.bare.add(bare_insert_ms(data));
    const params with{{"open", open}, {"users_each", users}};
    on.add(result_of("campaigns-answered", with, last.answered, last));
    on.add(result_of("campaigns-alive", with, last.alive, last));
  }
}

} // namespace dr::bench
