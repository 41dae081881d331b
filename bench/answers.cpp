// Accepts by REST, each of another response, durable with its event: against the same Beast loop that hands the same
// rows to the same writer, and to one lean statement, without actors.
#include "bench/crowd.hpp"

#include <fmt/format.h>

#include <deque>

namespace dr::bench {
namespace {

constexpr int open_loop_per_s = 5'000;

/// What one kind of server gave over the rounds.
struct figures {
  series per_s;
  series p50_ms;
  series p99_ms;
  series cpu_us;       ///< of the server, per answer
  series whole_cpu_us; ///< of the server and Postgres
};

/// The servers to compare, each on rows of its own.
class contest {
public:
  explicit contest(bench& on) : on_(on), ours_(on.where, on.pick(2'000, 100'000)), bare_(on.where, ours_.users) {
    server_.emplace(on.where, ours_.data);
    ours_.dispatch(*server_);
    {
      server other(on.where, bare_.data);
      bare_.dispatch(other);
      other.stop();
    }
    const auto file = folder_.path() / "answer";
    write_answer(file, server_->raw("PUT", fmt::format("/responses/{}/deny", ours_.first_response)));
    for (const char* sql : {"writer", "lean"})
      bares_.emplace_back(on.where, std::vector<std::string>{"answers", "--database", bare_.data.url(), "--sql", sql,
                                                             "--answer", file.string()});
    our_answers_.emplace(ours_, server_->requests());
    bare_answers_.emplace(bare_, server_->requests());
  }

  /// One load on each of the three.
  void round(int connections, double per_s, figures& ours, figures& writer, figures& lean) {
    load_options load;
    load.connections = connections;
    load.warm_up = on_.warm_up();
    load.time = on_.load_time();
    load.per_s = per_s;
    measure(load, *server_, *our_answers_, ours);
    measure(load, bares_[0], *bare_answers_, writer);
    measure(load, bares_[1], *bare_answers_, lean);
    // What the log of this round leaves to be written must not burden the next.
    ours_.data.open().execute("CHECKPOINT");
  }
  std::int64_t rss() const { return server_->used().rss_bytes; }
  int users() const { return ours_.users; }

private:
  template <class Server> void measure(load_options load, const Server& at, answer_stream& answers, figures& into) {
    load.port = at.port();
    load.next = answers.source();
    const auto before = at.used();
    const auto postgres_before = postgres_cpu_s(on_.where);
    const auto got = run_load(load);
    all_good(got, "answers by REST");
    const auto own_us = cpu_us_per(before, at.used(), got.sent);
    const auto postgres_us = (postgres_cpu_s(on_.where) - postgres_before) * 1e6 / static_cast<double>(got.sent);
    into.per_s.add(got.per_s());
    into.p50_ms.add(got.latency.quantile_ms(0.5));
    into.p99_ms.add(got.latency.quantile_ms(0.99));
    into.cpu_us.add(own_us);
    into.whole_cpu_us.add(own_us + postgres_us);
  }

  bench& on_;
  crowd ours_;
  crowd bare_;
  test::scratch_folder folder_;
  std::optional<server> server_;
  std::deque<bare_server> bares_;
  std::optional<answer_stream> our_answers_;
  std::optional<answer_stream> bare_answers_;
};

case_result result_of(const char* name, params with, const char* unit, const series& ours, const series& bare) {
  case_result r;
  r.name = name;
  r.with = std::move(with);
  r.unit = unit;
  r.ours = ours.median();
  r.bare = bare.median();
  r.spread = ours.spread();
  return r;
}

void closed_loop(bench& on, contest& all, int connections) {
  figures ours, writer, lean;
  for (int i = 0; i < on.rounds(); ++i) all.round(connections, 0, ours, writer, lean);
  const params with{{"connections", connections}, {"loop", "closed"}, {"users", all.users()}};
  auto rate = result_of("answers-rest", with, "1/s", ours.per_s, writer.per_s);
  rate.cpu_us = ours.cpu_us.median();
  rate.rss_bytes = all.rss();
  rate.goals = {{goal::of::ratio, goal::bound::at_least, 0.80}, {goal::of::ours, goal::bound::at_least, 20'000}};
  on.add(rate);
  on.add(result_of("answers-rest-lean", with, "1/s", ours.per_s, lean.per_s));
  on.add(result_of("answers-rest-whole-cpu", with, "µs", ours.whole_cpu_us, writer.whole_cpu_us));
  auto slow = result_of("answers-rest-p99", with, "ms", ours.p99_ms, writer.p99_ms);
  slow.goals = {{goal::of::ours, goal::bound::at_most, 50}};
  on.add(slow);
  on.add(result_of("answers-rest-p50", with, "ms", ours.p50_ms, writer.p50_ms));
}

void open_loop(bench& on, contest& all) {
  figures ours, writer, lean;
  constexpr int connections = 64;
  const int per_s = on.pick(500, open_loop_per_s);
  for (int i = 0; i < on.rounds(); ++i) all.round(connections, per_s, ours, writer, lean);
  const params with{{"connections", connections}, {"loop", "open"}, {"per_s", per_s}, {"users", all.users()}};
  auto usual = result_of("answers-rest-p50", with, "ms", ours.p50_ms, writer.p50_ms);
  usual.cpu_us = ours.cpu_us.median();
  usual.goals = {{goal::of::ours, goal::bound::at_most, 3}};
  on.add(usual);
  on.add(result_of("answers-rest-p99", with, "ms", ours.p99_ms, writer.p99_ms));
  // Short of the schedule: the latencies then are those of a queue that grows.
  auto kept = result_of("answers-rest", with, "1/s", ours.per_s, writer.per_s);
  kept.goals = {{goal::of::ours, goal::bound::at_least, 0.99 * per_s}};
  on.add(kept);
}

} // namespace

void answers_by_rest(bench& on) {
  contest all(on);
  for (const int connections : on.sizes({64, 256}, {64, 256}, {1, 4, 16, 64, 256, 1'024}))
    closed_loop(on, all, connections);
  if (!on.curves) open_loop(on, all);
}

} // namespace dr::bench
