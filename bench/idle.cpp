// What an idle server uses, what a pending response and a connected customer cost in memory, and what of it stays.
#include "bench/crowd.hpp"
#include "bench/sockets.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace dr::bench {
namespace {

constexpr double caf_floor_bytes = 1'330; ///< an idle CAF actor with 100 bytes of state, measured for docs/decisions
constexpr double megabyte = 1e6;

case_result result_of(const char* name, params with, const char* unit, double ours, double at_most) {
  case_result r;
  r.name = name;
  r.with = std::move(with);
  r.unit = unit;
  r.ours = ours;
  r.goals = {{goal::of::ours, goal::bound::at_most, at_most}};
  return r;
}

double growth_per(std::int64_t before, std::int64_t after, int count) {
  return static_cast<double>(after - before) / count;
}

void empty_server(bench& on) {
  const database data(on.where);
  const server platform(on.where, data);
  std::this_thread::sleep_for(std::chrono::seconds(on.pick(1, 5))); // the start is over
  const auto before = platform.used();
  const auto since = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(on.pick(1, 20)));
  const auto after = platform.used();
  on.add(result_of("idle-cpu", params::object(), "% of a core",
                   100 * (after.cpu_s - before.cpu_s) / seconds_since(since), 0.5));
  auto memory = result_of("idle-memory", params::object(), "MB", static_cast<double>(after.rss_bytes) / megabyte, 40);
  memory.rss_bytes = after.rss_bytes;
  on.add(memory);
}

void memory_of_responses(bench& on, int users) {
  crowd all(on.where, users);
  server platform(on.where, all.data);
  const auto before = platform.used().rss_bytes;
  all.dispatch(platform);
  const auto after = platform.used().rss_bytes;
  auto r = result_of("memory-pending-response", {{"responses", users}}, "bytes", growth_per(before, after, users),
                     1.2 * caf_floor_bytes);
  r.rss_bytes = after;
  on.add(r);

  platform.call("POST", fmt::format("/drs/{}/cancel", all.campaign), {{"reason", "measured"}});
  test::eventually(
      "its responses are gone", [&] { return platform.alive("responses") == 0; }, std::chrono::minutes(5));
  std::this_thread::sleep_for(std::chrono::seconds(on.pick(1, 20))); // the allocator gives back within some ten
  const auto left = platform.used().rss_bytes;
  auto kept = result_of("memory-kept-per-response", {{"responses", users}}, "bytes", growth_per(before, left, users),
                        0.1 * caf_floor_bytes);
  kept.rss_bytes = left;
  on.add(kept);
}

void memory_of_customers(bench& on, int count) {
  database data(on.where);
  data.enrol(count);
  server platform(on.where, data, {.auth = false});
  const auto before = platform.used().rss_bytes;
  std::int64_t after = 0;
  {
    const customers all(platform.port(), 1, count);
    after = platform.used().rss_bytes;
  }
  const bare_server bare(on.where, {"broadcast"});
  const auto bare_before = bare.used().rss_bytes;
  const customers all(bare.port(), 1, count, false);
  auto r =
      result_of("memory-connected-customer", {{"customers", count}}, "bytes", growth_per(before, after, count), 8'000);
  r.bare = growth_per(bare_before, bare.used().rss_bytes, count);
  r.rss_bytes = after;
  on.add(r);
}

} // namespace

void idle(bench& on) {
  empty_server(on);
  for (const int users : on.sizes({5'000}, {100'000, 1'000'000}, {10'000, 100'000, 300'000, 1'000'000}))
    memory_of_responses(on, users);
  for (const int count : on.sizes({200}, {10'000}, {1'000, 5'000, 10'000, 19'000})) memory_of_customers(on, count);
}

} // namespace dr::bench
