// Accepts by WebSocket, against the same answers by REST to the same server, in turn.
#include "bench/cases.hpp"
#include "bench/crowd.hpp"
#include "bench/sockets.hpp"

#include <fmt/format.h>

namespace dr::bench {
namespace {

constexpr int users = 256;

/// Several open orders, so that each customer has many responses to change in turn.
class orders {
public:
  orders(server& platform, const database& data, int count) {
    auto sql = data.open();
    for (int i = 0; i < count; ++i) {
      const auto id = platform.start_campaign();
      first_.push_back(sql.number(fmt::format("SELECT min(id) FROM response WHERE campaign_id = {}", id)));
    }
  }
  /// The response and the answer of a customer's choice number n.
  std::pair<std::int64_t, const char*> choice(std::int64_t user, std::int64_t n) const {
    const auto count = static_cast<std::int64_t>(first_.size());
    const auto id = first_[static_cast<std::size_t>(n % count)] + user - 1;
    return {id, n / count % 2 == 0 ? "accept" : "deny"};
  }

private:
  std::vector<std::int64_t> first_;
};

void compare(bench& on, server& platform, const orders& all, int connections) {
  customers sockets(platform.port(), 1, connections);
  const auto requests = platform.requests();
  series by_socket, by_rest, p99, cpu;
  // Each way goes on where the other one stopped, and every choice is a change.
  std::vector<std::int64_t> said(users + 1, 0);
  std::int64_t turn = 0;
  for (int i = 0; i < on.rounds(); ++i) {
    const auto before = platform.used();
    const auto talked = sockets.answer(connections, on.warm_up(), on.load_time(), [&](std::int64_t user, std::int64_t) {
      const auto [id, choice] = all.choice(user, said[static_cast<std::size_t>(user)]++);
      return fmt::format(R"({{"type":"answer","responseId":{},"answer":"{}","ref":"a"}})", id, choice);
    });
    by_socket.add(all_good(talked, "answers by WebSocket").per_s());
    p99.add(talked.latency.quantile_ms(0.99));
    cpu.add(cpu_us_per(before, platform.used(), talked.sent));
    load_options load;
    load.port = platform.port();
    load.connections = connections;
    load.warm_up = on.warm_up();
    load.time = on.load_time();
    load.next = [&](std::int64_t, std::string& out) {
      const auto user = turn++ % connections + 1;
      const auto [id, choice] = all.choice(user, said[static_cast<std::size_t>(user)]++);
      requests.write(out, "PUT", fmt::format("/responses/{}/{}", id, choice));
    };
    by_rest.add(all_good(run_load(load), "answers by REST").per_s());
  }
  case_result r;
  r.name = "answers-ws";
  r.with = {{"connections", connections}, {"loop", "closed"}};
  r.unit = "1/s";
  r.ours = by_socket.median();
  r.bare = by_rest.median();
  r.spread = by_socket.spread();
  r.cpu_us = cpu.median();
  r.rss_bytes = platform.used().rss_bytes;
  r.goals = {{goal::of::ratio, goal::bound::at_least, 0.9}};
  on.add(r);
  case_result slow;
  slow.name = "answers-ws-p99";
  slow.with = r.with;
  slow.unit = "ms";
  slow.ours = p99.median();
  slow.spread = p99.spread();
  slow.goals = {{goal::of::ours, goal::bound::at_most, 50}};
  on.add(slow);
}

} // namespace

void answers_by_websocket(bench& on) {
  database data(on.where);
  data.enrol(users);
  // A few customers answer here as fast as they can.
  server platform(on.where, data, {.variables = {{"DR_HTTP_CUSTOMER_RATE", "0"}}, .auth = false});
  const orders all(platform, data, on.pick(5, 40));
  for (const int connections : {64, 256}) compare(on, platform, all, connections);
}

} // namespace dr::bench
