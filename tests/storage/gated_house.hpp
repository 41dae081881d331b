// A house whose hot writer and reader reach Postgres through a gate, for tests of lost connections.
#pragma once

#include "tests/storage/house.hpp"
#include "tests/support/tcp_gate.hpp"

#include <pqxx/pqxx>

#include <cstdlib>
#include <thread>

namespace dr::test {

inline std::vector<storage::write> withdrawal(user_id id, std::int64_t amount = 100) {
  return {{withdraw_points{id, amount, noon()}, {}}};
}

/// Waits until so many statements in that database wait for a lock.
inline void wait_for_lock(const test_database& in, int statements = 1) {
  const auto waiting = [&in] {
    return std::stoi(in.run(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"));
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (waiting() < statements && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
}

/// A house, and a writer of it that goes through a gate.
struct gated {
  house s{kind::postgres};
  user who = s.enrol("samsung");
  std::unique_ptr<tcp_gate> gate;
  std::unique_ptr<database> db;
  std::unique_ptr<writer> hot;
  std::unique_ptr<reader> read;

  gated() {
    pqxx::connection direct{s.postgres().url()};
    gate = std::make_unique<tcp_gate>(direct.hostname() ? direct.hostname() : "/var/run/postgresql",
                                      std::atoi(direct.port()));
    postgres_options options;
    options.url = s.postgres().url();
    for (auto [name, value] : {std::pair<std::string, std::string>{"host", "127.0.0.1"},
                               {"hostaddr", "127.0.0.1"},
                               {"port", std::to_string(gate->port())},
                               {"sslmode", "disable"},
                               {"gssencmode", "disable"}})
      options.url = test_database::with(options.url, name, value);
    db = make_postgres_database(options);
    hot = db->open_writer(lane::hot, s.epoch());
    read = db->open_reader();
  }
  std::int64_t points() { return s.user_now(who.id).points; }
  /// The next batch goes through: whatever happened, it is over.
  void recovers() {
    auto before = points();
    auto done = hot->commit("recovered", withdrawal(who.id, 1));
    REQUIRE(done);
    CHECK(done->results[0].has_value());
    CHECK(points() == before - 1);
    s.holds();
  }
};

} // namespace dr::test
