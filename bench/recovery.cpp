// Recovery: how long until the server takes answers again after kill -9, and commits again after Postgres was away.
#include "bench/crowd.hpp"

#include <fmt/format.h>

#include <atomic>
#include <future>
#include <thread>

namespace dr::bench {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Asks again and again, at once when refused and soon when nobody listens, until the answer is 2xx; when that was.
class persistent_client {
public:
  persistent_client(const server& of) : port_(of.port()), token_(of.token()) {}
  steady::time_point until_ok(const std::string& method, const std::string& target,
                              std::chrono::seconds at_most) const {
    const auto deadline = steady::now() + at_most;
    while (steady::now() < deadline) {
      try {
        test::http_client client(port_, "127.0.0.1", at_most);
        if (client.request(method, target, {}, {{"Authorization", "Bearer " + token_}}).status / 100 == 2)
          return steady::now();
      } catch (const test::client_error&) {
        // not yet
      }
      std::this_thread::sleep_for(1ms);
    }
    throw std::runtime_error(target + " did not succeed in time");
  }

private:
  std::uint16_t port_;
  std::string token_;
};

double ms_between(steady::time_point from, steady::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

case_result result_of(const char* name, const params& with, const series& ours, const char* unit = "ms") {
  case_result r;
  r.name = name;
  r.with = with;
  r.unit = unit;
  r.ours = ours.median();
  r.spread = ours.spread();
  return r;
}

/// The rows of all open responses, read as fast as one connection gives them.
double bare_load_ms(const crowd& of) {
  auto sql = of.data.open();
  const auto since = steady::now();
  sql.last_number(fmt::format("SELECT id, user_id, capacity_w, answer, version FROM response WHERE campaign_id = {} "
                              "ORDER BY id",
                              of.campaign));
  return seconds_since(since) * 1000;
}

void kill_and_recover(bench& on, int users) {
  crowd all(on.where, users);
  server platform(on.where, all.data);
  all.dispatch(platform);
  const persistent_client client(platform);
  series ready, first_answer, revived, bare;
  const bool million = users >= 1'000'000;
  for (int i = 0; i < on.rounds(million); ++i) {
    bare.add(bare_load_ms(all));
    const auto killed = steady::now();
    platform.kill();
    platform.launch();
    const auto target = fmt::format("/responses/{}/{}", all.first_response + users / 2, i % 2 == 0 ? "accept" : "deny");
    auto answered = std::async(std::launch::async, [&] { return client.until_ok("PUT", target, 120s); });
    ready.add(ms_between(killed, client.until_ok("GET", "/readyz", 120s)));
    first_answer.add(ms_between(killed, answered.get()));
    test::eventually(
        "every response is alive again", [&] { return platform.alive("responses") >= users; }, 5min);
    revived.add(ms_between(killed, steady::now()));
  }
  const params with{{"pending", users}};
  auto add = [&](const char* name, const series& figures, double limit) {
    auto r = result_of(name, with, figures);
    r.bare = bare.median();
    if (million) r.goals = {{goal::of::ratio, goal::bound::at_most, limit}};
    r.rss_bytes = platform.used().rss_bytes;
    on.add(r);
  };
  add("recovery-kill-ready", ready, 3);
  add("recovery-kill-first-answer", first_answer, 3);
  add("recovery-kill-revived", revived, 15);
}

/// Connects again and again; when Postgres took one.
steady::time_point until_postgres_answers(const std::string& url) {
  for (;;) {
    try {
      sql_session(url).execute("SELECT 1");
      return steady::now();
    } catch (const std::exception&) {
      std::this_thread::sleep_for(2ms);
    }
  }
}

} // namespace

void recovery_from_kill(bench& on) {
  for (const int users : on.sizes({2'000}, {100'000, 1'000'000}, {10'000, 100'000, 1'000'000}))
    kill_and_recover(on, users);
}

void recovery_of_postgres(bench& on) {
  if (on.where.postgres.empty()) throw std::runtime_error("the Postgres to restart is not given (--postgres)");
  const int users = on.pick(500, 10'000);
  crowd all(on.where, users);
  server platform(on.where, all.data);
  all.dispatch(platform);
  const persistent_client client(platform);
  series first_commit;
  for (int i = 0; i < on.rounds(); ++i) {
    postgres(on.where, "stop");
    auto back = std::async(std::launch::async, [&] { return until_postgres_answers(all.data.url()); });
    const auto target = fmt::format("/responses/{}/accept", all.first_response + i);
    auto committed = std::async(std::launch::async, [&] { return client.until_ok("PUT", target, 120s); });
    std::this_thread::sleep_for(on.quick ? 300ms : 3s); // long enough for the server to have given up more than once
    postgres(on.where, "start");
    const auto since = back.get();
    first_commit.add(std::max(0.0, ms_between(since, committed.get())));
  }
  auto r = result_of("recovery-postgres", {{"away_s", on.quick ? 0.3 : 3.0}}, first_commit);
  r.goals = {{goal::of::ours, goal::bound::at_most, 1'000}};
  on.add(r);
}

} // namespace dr::bench
