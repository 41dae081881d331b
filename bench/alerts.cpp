// Alerts to connected customers: from the commit of the order until the first and the last of them has it, against a
// bare Beast server that sends a frame of the same size to as many sockets.
#include "bench/cases.hpp"
#include "bench/commit_watch.hpp"
#include "bench/sockets.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dr::bench {
namespace {

using steady = std::chrono::steady_clock;

constexpr const char* alert_mark = R"({"type":"campaign.started")";
constexpr int alerts_per_connecting = 3;

double ms(steady::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

struct figures {
  series first, last, last_from_order, cpu_us;
  std::int64_t frame_bytes = 0;
};

void alert_ours(server& platform, const database& data, int count, figures& into) {
  customers all(platform.port(), 1, count);
  for (int i = 0; i < alerts_per_connecting; ++i) {
    all.listen_for(alert_mark);
    const auto before = platform.used();
    commit_watch watch(data);
    const auto ordered = steady::now();
    const auto id = platform.start_campaign();
    const auto answered = steady::now();
    const auto committed = std::min(watch.wait(), answered);
    const auto seen = all.wait_for(count);
    into.first.add(std::max(0.0, ms(seen.first - committed)));
    into.last.add(ms(seen.last - committed));
    into.last_from_order.add(ms(seen.last - ordered));
    into.cpu_us.add((platform.used().cpu_s - before.cpu_s) * 1e6 / count);
    into.frame_bytes = seen.bytes;
    platform.call("POST", fmt::format("/drs/{}/cancel", id), {{"reason", "measured"}});
    test::eventually("its responses are gone", [&] { return platform.alive("responses") == 0; });
  }
}

void alert_bare(const bare_server& bare, int count, figures& into, std::int64_t frame_bytes) {
  customers all(bare.port(), 1, count, false);
  test::http_client client(bare.port());
  for (int i = 0; i < alerts_per_connecting; ++i) {
    all.listen_for("");
    const auto since = steady::now();
    client.post(fmt::format("/broadcast/{}", frame_bytes));
    const auto seen = all.wait_for(count);
    into.first.add(ms(seen.first - since));
    into.last.add(ms(seen.last - since));
  }
}

void alert(bench& on, int count) {
  database data(on.where);
  data.enrol(count);
  server platform(on.where, data, {.auth = false});
  const bare_server bare(on.where, {"broadcast"});
  figures ours, theirs;
  for (int i = 0; i < on.rounds(true); ++i) {
    alert_ours(platform, data, count, ours);
    alert_bare(bare, count, theirs, ours.frame_bytes);
  }
  const auto add = [&](const char* name, const series& figure, const series& limit, std::vector<goal> goals) {
    case_result r;
    r.name = name;
    r.with = {{"customers", count}, {"frame_bytes", ours.frame_bytes}};
    r.unit = "ms";
    r.ours = figure.median();
    r.bare = limit.median();
    r.spread = figure.spread();
    r.cpu_us = ours.cpu_us.median();
    r.rss_bytes = platform.used().rss_bytes;
    r.goals = std::move(goals);
    on.add(r);
  };
  add("alerts-first", ours.first, theirs.first, {});
  add("alerts-last", ours.last, theirs.last, {{goal::of::ratio, goal::bound::at_most, 1.3}});
  add("alerts-last-from-order", ours.last_from_order, theirs.last, {});
}

} // namespace

void alerts(bench& on) {
  for (const int count : on.sizes({200}, {1'000, 10'000, 19'000}, {1'000, 5'000, 10'000, 19'000})) alert(on, count);
}

} // namespace dr::bench
