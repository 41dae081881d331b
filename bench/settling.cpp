// Settlement of an order that everybody accepted: with the metered days already in the store, against reading the same
// days and the set-based SQL alone; and with kepco-sim asked for them, against the same number of bare calls.
#include "bench/crowd.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dr::bench {
namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int chunk = 5'000;      ///< users in one set-based transaction
constexpr int days_kept = 15;     ///< the event day and two weeks before it
constexpr int usual_wh = 25'000;  ///< in a quarter hour
constexpr int reduced_wh = 2'500; ///< on the event day

/// How KEPCO is asked: calls under way at once, and how long each is made to take.
struct asking {
  int concurrency = 8; ///< the default of kepco.concurrency
  std::chrono::milliseconds latency{0};
};

/// An order that is forgotten again after each round, so that all rounds are alike.
class settlement {
public:
  settlement(bench& on, int users, const server::setup& with) : on_(on), crowd_(on.where, users), with_(with) {}

  database& data() { return crowd_.data; }
  int users() const { return crowd_.users; }

  /// Orders, lets everybody accept behind the server's back, and returns a fresh server that knows them.
  server accepted() {
    {
      server first(on_.where, crowd_.data, with_);
      crowd_.dispatch(first);
      first.stop();
    }
    auto sql = crowd_.data.open();
    sql.execute("UPDATE response SET answer = 1, answered_at = now(), version = version + 1");
    sql.execute("UPDATE campaign SET accept = dispatched, committed_w = dispatched * 100000");
    crowd_.data.settle_down();
    return server(on_.where, crowd_.data, with_);
  }

  /// Ends it; seconds until it is settled.
  double end(server& by) {
    const auto since = steady::now();
    by.call("POST", fmt::format("/drs/{}/end", crowd_.campaign), nullptr);
    test::eventually(
        "the order is settled",
        [&] { return by.get(fmt::format("/drs/{}", crowd_.campaign)).value("settlement", "") == "settled"; }, 1h);
    return seconds_since(since);
  }

  /// As before the order; with `days`, the metered days too.
  void forget(bool days) {
    auto sql = crowd_.data.open();
    sql.execute("TRUNCATE campaign, response, verification, reduction_check");
    sql.execute("DELETE FROM ledger WHERE kind <> 1");
    sql.execute("UPDATE users SET points = 1000000 WHERE points <> 1000000");
    if (days) sql.execute("TRUNCATE day_profile");
    crowd_.data.settle_down();
  }
  void require_all_real() {
    const auto real = crowd_.data.open().number("SELECT count(*) FROM reduction_check WHERE is_real");
    if (real != users()) throw std::runtime_error(fmt::format("{} of {} checks are real", real, users()));
  }

private:
  bench& on_;
  crowd crowd_;
  server::setup with_;
};

void keep_days(database& data) {
  data.open().execute(
      fmt::format("INSERT INTO day_profile (cust_no, day, closed, fetched_at, wh) "
                  "SELECT u.cust_no, ((now() AT TIME ZONE 'Asia/Seoul')::date - d), true, now(), "
                  "array_fill(CASE d WHEN 0 THEN {} ELSE {} END, ARRAY[96]) FROM users u, generate_series(0, {}) d "
                  "ORDER BY u.cust_no, d",
                  reduced_wh, usual_wh, days_kept - 1));
  data.settle_down();
}

constexpr const char* settle_chunk = R"(
WITH due AS (
  DELETE FROM verification v USING response r WHERE r.id = v.response_id AND v.user_id BETWEEN {0} AND {1}
  RETURNING r.id, r.campaign_id, r.user_id
), checked AS (
  INSERT INTO reduction_check (campaign_id,user_id,response_id,revision,response_answer,is_real,adjust_points,method,saa,
    baseline_wh,metered_wh,reduction_wh,credited_wh,quality,detail,spread,checked_at,version)
  SELECT campaign_id,user_id,id,1,1,true,22,1,false,25000,2500,22500,22500,1,'','[{{"q":1,"wh":22500}}]',now(),1 FROM due
  RETURNING campaign_id,user_id,response_id
), paid AS (
  UPDATE users u SET points = points + 22, version = version + 1 FROM due WHERE u.id = due.user_id RETURNING u.id, u.points
), entered AS (
  INSERT INTO ledger (user_id,kind,amount,balance_after,campaign_id,response_id,revision,at)
  SELECT d.user_id,2,22,p.points,d.campaign_id,d.id,1,now() FROM due d JOIN paid p ON p.id = d.user_id
), turned AS (
  UPDATE response r SET verification = 2, version = version + 2 FROM due WHERE r.id = due.id
), counted AS (
  UPDATE campaign c SET real = real + n.n, pending = pending - n.n FROM (SELECT campaign_id, count(*) AS n FROM due
  GROUP BY campaign_id) n WHERE c.id = n.campaign_id
), numbered AS (
  UPDATE writer_state SET last_seq = last_seq + 2 * (SELECT count(*) FROM due) RETURNING last_seq
)
INSERT INTO event (seq,at,type,campaign_id,user_id,response_id,data)
SELECT numbered.last_seq - row_number() OVER () + 1,now(),t.type,campaign_id,user_id,response_id,
  '{{"checkId":100000,"revision":1,"isReal":true,"adjustPoint":22,"quality":"final"}}'
FROM checked, numbered, (VALUES ('ReductionCheck'),('PointChanged')) t(type))";

/// Reads every day and settles every response, chunk by chunk, with verdicts that cost nothing. Seconds.
double bare_settlement_s(settlement& of) {
  auto sql = of.data().open();
  sql.execute("SET jit = off; SET random_page_cost = 1.1");
  sql.execute("INSERT INTO verification (response_id,campaign_id,user_id,next_try_at,queued_at,revision) "
              "SELECT id,campaign_id,user_id,now(),now(),1 FROM response");
  of.data().settle_down();
  const auto since = steady::now();
  for (int from = 1; from <= of.users(); from += chunk) {
    const int to = from + chunk - 1;
    sql.last_number(fmt::format("SELECT u.id,d.cust_no,d.day,d.closed,d.fetched_at,d.wh FROM users u "
                                "JOIN day_profile d ON d.cust_no = u.cust_no WHERE u.id BETWEEN {} AND {}",
                                from, to));
    sql.execute(fmt::format(settle_chunk, from, to));
  }
  return seconds_since(since);
}

void settle(bench& on, int users) {
  settlement all(on, users, {.variables = {{"DR_METERING_COLLECT_HISTORY", "false"}}});
  keep_days(all.data());
  series ours, bare, cpu;
  std::int64_t rss = 0;
  for (int i = 0; i < (users >= 1'000'000 ? 1 : on.rounds(true)); ++i) {
    {
      auto platform = all.accepted();
      const auto before = platform.used();
      ours.add(users / all.end(platform));
      cpu.add(cpu_us_per(before, platform.used(), users));
      rss = platform.used().rss_bytes;
      all.require_all_real();
      platform.stop();
    }
    all.forget(false);
    {
      auto platform = all.accepted();
      platform.stop();
    }
    bare.add(users / bare_settlement_s(all));
    all.forget(false);
  }
  case_result r;
  r.name = "settle";
  r.with = {{"users", users}, {"days", days_kept}};
  r.unit = "users/s";
  r.ours = ours.median();
  r.bare = bare.median();
  r.spread = ours.spread();
  r.cpu_us = cpu.median();
  r.rss_bytes = rss;
  r.goals = {{goal::of::ratio, goal::bound::at_least, 0.7}};
  on.add(r);
}

/// Calls that the simulator has taken.
std::int64_t calls_of(simulator& sim) {
  return sim.call("GET", "/_sim/stats", nullptr).at("total").get<std::int64_t>();
}

double bare_calls_per_s(const simulator& sim, std::int64_t calls, int concurrency) {
  load_options load;
  load.port = sim.port();
  load.connections = concurrency;
  load.at_most = calls;
  load.warm_up = 0ms;
  load.time = 5min;
  const request_writer requests(sim.port(), "");
  load.next = [&](std::int64_t index, std::string& out) {
    requests.write(
        out, "GET",
        fmt::format("/OpenAPI/getDayLpData.do?serviceKey=key&returnType=02&custNo={:010}&date=20260105", index + 1));
  };
  return all_good(run_load(load), "bare calls to kepco-sim").per_s();
}

void fetch(bench& on, const asking& how) {
  const int users = on.pick(50, 10'000);
  simulator sim(on.where);
  sim.call("PUT", "/_sim/faults", {{"latencyMs", how.latency.count()}});
  settlement all(
      on, users,
      {.variables = {{"DR_KEPCO_CALLS_PER_S", "100000"}, {"DR_KEPCO_CONCURRENCY", std::to_string(how.concurrency)}},
       .simulator_port = sim.port()});
  series ours, bare, cpu;
  std::int64_t calls = 0;
  for (int i = 0; i < on.rounds(true); ++i) {
    auto platform = all.accepted();
    const auto calls_before = calls_of(sim);
    const auto before = platform.used();
    const auto seconds = all.end(platform);
    calls = calls_of(sim) - calls_before;
    ours.add(static_cast<double>(calls) / seconds);
    cpu.add(cpu_us_per(before, platform.used(), calls));
    platform.stop();
    all.forget(true);
    bare.add(bare_calls_per_s(sim, calls, how.concurrency));
  }
  case_result r;
  r.name = "fetch";
  r.with = {{"users", users}, {"calls", calls}, {"concurrency", how.concurrency}, {"latency_ms", how.latency.count()}};
  r.unit = "calls/s";
  r.ours = ours.median();
  r.bare = bare.median();
  r.spread = ours.spread();
  r.cpu_us = cpu.median();
  r.goals = {{goal::of::ratio, goal::bound::at_least, 0.8}};
  on.add(r);
}

} // namespace

void settling(bench& on) {
  for (const int users : on.sizes({200}, {10'000, 100'000}, {10'000, 100'000})) settle(on, users);
  if (on.lengthy) settle(on, on.pick(400, 1'000'000));
}

void fetching(bench& on) {
  fetch(on, {});
  fetch(on, {.latency = 1ms});
  fetch(on, {.concurrency = 32, .latency = 20ms});
}

} // namespace dr::bench
