// Isolation: answers and dispatch while something else is broken, compared with the same when nothing is, in turn.
#include "bench/crowd.hpp"
#include "bench/sockets.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <future>

namespace dr::bench {
namespace {

constexpr double goal_ratio = 0.95;
constexpr double slowest_ratio = 1 / goal_ratio; ///< the same for a time
constexpr int answering_connections = 64;
constexpr int first_customer = 1;
constexpr const char* alert_mark = R"({"type":"campaign.started")";

/// What one condition gave over the rounds.
struct figures {
  series answers_per_s;
  series cpu_us;
  histogram dispatch; ///< from the order until the last connected customer is alerted
};

/// A server with an order to answer to, connected customers, and a settlement under way that KEPCO is needed for.
class scene {
public:
  explicit scene(bench& on)
      : on_(on), sim_(on.where), crowd_(on.where, on.pick(200, 2'000)),
        server_(on.where, crowd_.data,
                {.variables = {{"DR_BENCH_FAULT_FILE", fault_file().string()},
                               {"DR_METERING_COLLECT_HISTORY", "true"},
                               {"DR_KEPCO_BREAKER_OPEN_S", "0.5"},
                               {"DR_METERING_RETRY_MAX_S", "5"}},
                 .simulator_port = sim_.port(),
                 .auth = false,
                 .program = "dr-bench-faulty"}) {
    keep_kepco_busy();
    crowd_.dispatch(server_);
    answers_.emplace(crowd_, server_.requests());
    listeners_.emplace(server_.port(), first_customer, on.pick(10, 50));
  }

  std::filesystem::path fault_file() const { return folder_.path() / "fault"; }
  void fault(const std::string& what) {
    // Whole or not at all: it is read all the time.
    const auto part = folder_.path() / "fault.part";
    std::ofstream(part) << what;
    std::filesystem::rename(part, fault_file());
  }
  simulator& sim() { return sim_; }
  server& platform() { return server_; }
  int users() const { return crowd_.users; }

  /// Answers as fast as they are taken, and orders one after another, for the time of one load.
  void measure(figures& into) {
    load_options load;
    load.port = server_.port();
    load.connections = answering_connections;
    load.next = answers_->source();
    load.warm_up = on_.warm_up();
    load.time = on_.load_time();
    const auto end = std::chrono::steady_clock::now() + load.warm_up + load.time;
    const auto before = server_.used();
    answers_->take_count();
    auto answering = std::async(std::launch::async, [&load] { return run_load(load); });
    while (std::chrono::steady_clock::now() < end) dispatch_once(into.dispatch);
    into.answers_per_s.add(all_good(answering.get(), "answers while something is broken").per_s());
    into.cpu_us.add(cpu_us_per(before, server_.used(), answers_->take_count()));
  }

  /// A campaign that nobody is told about by this bench, with responses of its own.
  std::int64_t order() { return server_.start_campaign(); }

private:
  /// An ended campaign of which all accepted: its checks need eleven calls for each user, at the polite rate.
  void keep_kepco_busy() {
    crowd_.dispatch(server_);
    load_options load;
    load.port = server_.port();
    load.connections = answering_connections;
    answer_stream all(crowd_, server_.requests());
    load.next = all.source();
    load.at_most = crowd_.users;
    load.warm_up = std::chrono::milliseconds(0);
    load.time = std::chrono::minutes(2);
    all_good(run_load(load), "accepting everything");
    server_.call("POST", fmt::format("/drs/{}/end", crowd_.campaign), nullptr);
  }

  void dispatch_once(histogram& into) {
    listeners_->listen_for(alert_mark);
    const auto ordered = std::chrono::steady_clock::now();
    const auto id = server_.start_campaign();
    const auto seen = listeners_->wait_for(listeners_->count());
    into.add(seen.last - ordered);
    server_.call("POST", fmt::format("/drs/{}/cancel", id), {{"reason", "measured"}});
  }

  bench& on_;
  test::scratch_folder folder_;
  simulator sim_;
  crowd crowd_;
  server server_;
  std::optional<answer_stream> answers_;
  std::optional<customers> listeners_;
};

void report(bench& on, scene& at, const std::string& name, const std::string& condition, const figures& broken,
            const figures& healthy) {
  const params with{{"condition", condition}, {"users", at.users()}, {"connections", answering_connections}};
  case_result answers;
  answers.name = name + "-answers";
  answers.with = with;
  answers.unit = "1/s";
  answers.ours = broken.answers_per_s.median();
  answers.bare = healthy.answers_per_s.median();
  answers.paired = broken.answers_per_s.median_ratio(healthy.answers_per_s);
  answers.spread = broken.answers_per_s.spread();
  answers.cpu_us = broken.cpu_us.median();
  answers.rss_bytes = at.platform().used().rss_bytes;
  answers.goals = {{goal::of::ratio, goal::bound::at_least, goal_ratio}};
  on.add(answers);
  for (const double share : {0.5, 0.99}) {
    case_result dispatch;
    dispatch.name = fmt::format("{}-dispatch-p{:.0f}", name, share * 100);
    dispatch.with = with;
    dispatch.with["orders"] = broken.dispatch.count();
    dispatch.unit = "ms";
    dispatch.ours = broken.dispatch.quantile_ms(share);
    dispatch.bare = healthy.dispatch.quantile_ms(share);
    dispatch.goals = {{goal::of::ratio, goal::bound::at_most, slowest_ratio}};
    on.add(dispatch);
  }
}

} // namespace

namespace {

/// One thing that may be wrong.
struct condition {
  std::string name;
  std::function<void()> begin;
  std::function<void()> end;
  figures seen = {};
};

/// All conditions in turn, each round beginning with another one, so that none has the better place. The first is the
/// healthy one that the others are compared with.
void compare(bench& on, scene& at, const std::string& name, std::vector<condition>& all) {
  const auto rounds = static_cast<std::size_t>(on.pick(1, 4 * on.rounds()));
  for (std::size_t round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto& now = all[(round + i) % all.size()];
      now.begin();
      at.measure(now.seen);
      now.end();
    }
  for (std::size_t i = 1; i < all.size(); ++i) report(on, at, name, all[i].name, all[i].seen, all.front().seen);
}

} // namespace

void isolation_from_kepco(bench& on) {
  scene at(on);
  const auto set = [&at](const nlohmann::json& faults) {
    return [&at, faults] { at.sim().call("PUT", "/_sim/faults", faults); };
  };
  const auto nothing = [] {};
  const auto healthy = set(nlohmann::json::object());
  std::vector<condition> all{{"healthy", nothing, nothing},
                             {"hanging", set({{"hangRate", 1}}), healthy},
                             {"failing", set({{"errorRate", 1}}), healthy},
                             {"client crashing", [&] { at.fault("kepco"); }, [&] { at.fault(""); }}};
  compare(on, at, "isolation-kepco", all);
}

void isolation_from_a_crashing_campaign(bench& on) {
  scene at(on);
  const auto victim = at.order();
  const auto fault = [&](const char* what) {
    return [&at, text = fmt::format("{} {}", what, victim)] { at.fault(text); };
  };
  const auto nothing = [&] { at.fault(""); };
  // The bench looks for its victim as often when it lets it live: its own work is not the crash's.
  std::vector<condition> all{{"healthy", fault("look"), nothing}, {"crashing in a loop", fault("campaign"), nothing}};
  compare(on, at, "isolation-campaign", all);
}

} // namespace dr::bench
