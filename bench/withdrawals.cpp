// Withdrawals, each with a key of its own: of many users and of a single one, against bare servers that commit them in
// groups: by the product's own writer, and by one lean statement.
#include "bench/crowd.hpp"

#include <fmt/format.h>

#include <optional>

namespace dr::bench {
namespace {

constexpr int connections = 64;

/// Requests that take one point each from user 1 … `users` in turn.
class withdrawal_stream {
public:
  withdrawal_stream(request_writer writer, int users, std::string prefix)
      : writer_(std::move(writer)), users_(users), prefix_(std::move(prefix)) {}
  std::function<void(std::int64_t, std::string&)> source() {
    return [this](std::int64_t, std::string& out) {
      const auto number = sent_++;
      writer_.write(out, "POST", fmt::format("/users/{}/withdraw", number % users_ + 1), R"({"amount":1})",
                    fmt::format("Idempotency-Key: {}-{}\r\n", prefix_, number));
    };
  }

private:
  request_writer writer_;
  std::int64_t users_;
  std::string prefix_;
  std::int64_t sent_ = 0;
};

/// What was taken must be gone, once, and the books must balance.
void check_books(const database& data, int users, std::int64_t taken) {
  auto sql = data.open();
  const auto missing = sql.number(fmt::format("SELECT sum(1000000 - points)::bigint FROM users WHERE id <= {}", users));
  const auto torn = sql.number("SELECT count(*) FROM users u WHERE u.points <> "
                               "(SELECT coalesce(sum(amount), 0) FROM ledger l WHERE l.user_id = u.id)");
  if (missing != taken || torn != 0)
    throw std::runtime_error(
        fmt::format("{} points were withdrawn, {} are gone, {} ledgers do not balance", taken, missing, torn));
}

/// A bare server with users of its own.
struct limit {
  limit(bench& on, int users, const std::string& sql, const std::string& answer_file, request_writer writer)
      : data(on.where), stream(std::move(writer), users, "bare") {
    data.enrol(users);
    server.emplace(on.where, std::vector<std::string>{"withdrawals", "--database", data.url(), "--sql", sql, "--answer",
                                                      answer_file});
  }
  database data;
  std::optional<bare_server> server;
  withdrawal_stream stream;
  series rate;
};

void withdraw(bench& on, const std::string& name, int users, std::vector<goal> goals) {
  database ours(on.where);
  ours.enrol(users);
  server platform(on.where, ours);
  const test::scratch_folder folder;
  test::http_client client(platform.port());
  const auto sample = client.post("/users/1/withdraw", R"({"amount":1})",
                                  {{"Authorization", "Bearer " + platform.token()}, {"Idempotency-Key", "sample"}});
  const auto answer_file = (folder.path() / "answer").string();
  write_answer(answer_file, sample);
  limit lean(on, users, "lean", answer_file, platform.requests());
  limit writer(on, users, "writer", answer_file, platform.requests());
  withdrawal_stream stream(platform.requests(), users, "ours");
  series rate, cpu;
  std::int64_t taken = 1;
  load_options load;
  load.connections = connections;
  load.warm_up = on.warm_up();
  load.time = on.load_time();
  for (int i = 0; i < on.rounds(); ++i) {
    load.port = platform.port();
    load.next = stream.source();
    const auto before = platform.used();
    const auto got = run_load(load);
    rate.add(all_good(got, name).per_s());
    cpu.add(cpu_us_per(before, platform.used(), got.ok()));
    taken += got.ok();
    for (auto* bare : {&writer, &lean}) {
      load.port = bare->server->port();
      load.next = bare->stream.source();
      bare->rate.add(all_good(run_load(load), "bare withdrawals").per_s());
    }
    ours.open().execute("CHECKPOINT");
  }
  check_books(ours, users, taken);
  case_result r;
  r.name = name;
  r.with = {{"connections", connections}, {"users", users}};
  r.unit = "1/s";
  r.ours = rate.median();
  r.bare = writer.rate.median();
  r.spread = rate.spread();
  r.cpu_us = cpu.median();
  r.rss_bytes = platform.used().rss_bytes;
  r.goals = std::move(goals);
  on.add(r);
  case_result against_lean;
  against_lean.name = name + "-lean";
  against_lean.with = r.with;
  against_lean.unit = r.unit;
  against_lean.ours = r.ours;
  against_lean.bare = lean.rate.median();
  against_lean.spread = r.spread;
  on.add(against_lean);
}

} // namespace

void withdrawals(bench& on) {
  withdraw(on, "withdrawals-spread", on.pick(500, 10'000), {{goal::of::ratio, goal::bound::at_least, 0.8}});
  withdraw(on, "withdrawals-hot", 1, {});
}

} // namespace dr::bench
