#include "tests/storage/gated_house.hpp"

#include <pqxx/pqxx>

#include <future>
#include <thread>

using namespace dr;
using namespace dr::test;

TEST_CASE("a connection lost before COMMIT: nothing happened, and the next try works", "[storage][postgres][faults]") {
  gated g;
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  g.gate->set(tcp_gate::trap::cut_before, "end_hot_batch");
  CHECK(g.hot->commit("b1", withdrawal(g.who.id)).error().code == errc::store_unavailable);
  CHECK(g.points() == 900);
  CHECK(g.hot->commit("b1", withdrawal(g.who.id))->results[0].has_value());
  CHECK(g.points() == 800);
  g.recovers();
}

TEST_CASE("a COMMIT that never reached the server is repeated", "[storage][postgres][faults]") {
  gated g;
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  g.gate->set(tcp_gate::trap::cut_before, "COMMIT");
  CHECK(g.hot->commit("b1", withdrawal(g.who.id)).error().code == errc::outcome_unknown);
  CHECK(g.points() == 900);
  auto again = g.hot->commit("b1", withdrawal(g.who.id));
  REQUIRE(again);
  CHECK(std::get<ledger_entry>(*again->results[0]).balance_after == 800);
  CHECK(g.points() == 800);
  g.recovers();
}

TEST_CASE("a COMMIT whose answer was lost is not repeated, and its results are known", "[storage][postgres][faults]") {
  gated g;
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  g.gate->set(tcp_gate::trap::cut_after, "COMMIT");
  CHECK(g.hot->commit("b1", withdrawal(g.who.id)).error().code == errc::outcome_unknown);
  CHECK(g.points() == 800);
  auto again = g.hot->commit("b1", withdrawal(g.who.id));
  REQUIRE(again);
  CHECK(std::get<ledger_entry>(*again->results[0]).balance_after == 800);
  CHECK(again->last_seq == 3);
  CHECK(g.points() == 800);
  g.recovers();
}

TEST_CASE("an unknown outcome is resolved only once the database is back", "[storage][postgres][faults]") {
  gated g;
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  g.gate->set(tcp_gate::trap::cut_after, "COMMIT");
  CHECK(g.hot->commit("b1", withdrawal(g.who.id)).error().code == errc::outcome_unknown);
  g.gate->shut();
  for (int i = 0; i < 3; ++i) CHECK(g.hot->commit("b1", withdrawal(g.who.id)).error().code == errc::outcome_unknown);
  CHECK(g.read->ping().error().code == errc::store_unavailable);
  g.gate->open();
  CHECK(g.read->ping().has_value());
  CHECK(g.hot->commit("b1", withdrawal(g.who.id))->results[0].has_value());
  CHECK(g.points() == 800);
  g.recovers();
}

TEST_CASE("a new writer after a lost answer does not repeat the batch", "[storage][postgres][faults]") {
  gated g;
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  g.gate->set(tcp_gate::trap::cut_after, "COMMIT");
  CHECK(g.hot->commit("b1", withdrawal(g.who.id)).error().code == errc::outcome_unknown);
  g.hot = g.db->open_writer(lane::hot, g.s.epoch());
  CHECK(g.hot->commit("b1", withdrawal(g.who.id))->results[0].error().code == errc::outcome_unknown);
  CHECK(g.points() == 800);
  g.recovers();
}

TEST_CASE("a swallowed answer hangs until abort(), and is resolved then", "[storage][postgres][faults]") {
  gated g;
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  g.gate->set(tcp_gate::trap::swallow_answer, "COMMIT");
  auto hanging = std::async(std::launch::async, [&] { return g.hot->commit("b1", withdrawal(g.who.id)); });
  REQUIRE(g.gate->sprung());
  g.hot->abort();
  REQUIRE(hanging.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  CHECK(hanging.get().error().code == errc::outcome_unknown);
  CHECK(g.hot->commit("b1", withdrawal(g.who.id))->results[0].has_value());
  CHECK(g.points() == 800);
  g.recovers();
}

TEST_CASE("a bisected batch whose middle COMMIT gets lost is finished without doing anything twice",
          "[storage][postgres][faults]") {
  gated g;
  std::vector<storage::write> batch;
  for (int i = 0; i < 8; ++i) batch.push_back(withdrawal(g.who.id, 10)[0]);
  auto key = keyed("poison");
  key->render = [](const result<written>&) -> std::string { throw std::runtime_error("no"); };
  batch[6].keyed = key;
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  g.gate->set(tcp_gate::trap::cut_after, "COMMIT");
  CHECK(g.hot->commit("b1", batch).error().code == errc::outcome_unknown);
  auto same_writer = g.s.user_now(g.who.id).points;
  CHECK(same_writer == 860); // the left half
  auto rest = g.hot->commit("b1", batch);
  REQUIRE(rest);
  for (std::size_t i = 0; i < 8; ++i) CHECK(rest->results[i].has_value() == (i != 6));
  CHECK(g.points() == 830);
  g.recovers();
}

TEST_CASE("a new writer finishes the part of a bisected batch that was not committed", "[storage][postgres][faults]") {
  gated g;
  std::vector<storage::write> batch;
  for (int i = 0; i < 8; ++i) batch.push_back(withdrawal(g.who.id, 10)[0]);
  auto key = keyed("poison");
  key->render = [](const result<written>&) -> std::string { throw std::runtime_error("no"); };
  batch[6].keyed = key;
  g.gate->set(tcp_gate::trap::cut_after, "hot_done="); // never seen again: only the name travels
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)).has_value() == false);
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  g.gate->set(tcp_gate::trap::cut_after, "COMMIT");
  CHECK(g.hot->commit("b1", batch).error().code == errc::outcome_unknown);
  g.hot = g.db->open_writer(lane::hot, g.s.epoch());
  auto rest = g.hot->commit("b1", batch);
  REQUIRE(rest);
  for (std::size_t i = 0; i < 4; ++i) CHECK(rest->results[i].error().code == errc::outcome_unknown);
  for (std::size_t i : {4U, 5U, 7U}) CHECK(rest->results[i].has_value());
  CHECK(rest->results[6].error().code == errc::internal);
  CHECK(g.points() == 830);
  g.recovers();
}

TEST_CASE("connections ended by the server are made again", "[storage][postgres][faults]") {
  house s{kind::postgres};
  auto u = s.enrol("samsung");
  s.postgres().end_connections();
  CHECK(s.read().find_user(u.id).has_value()); // a read is simply repeated
  auto first = s.on(lane::hot).commit("b1", withdrawal(u.id));
  if (!first) {
    CHECK(first.error().code == errc::store_unavailable);
    CHECK(s.on(lane::hot).commit("b1", withdrawal(u.id))->results[0].has_value());
  }
  CHECK(s.user_now(u.id).points == 900);
  s.holds();
}

TEST_CASE("a hanging backend is broken off by abort()", "[storage][postgres][faults]") {
  house s{kind::postgres};
  auto u = s.enrol("samsung");
  pqxx::connection other{s.postgres().url()};
  pqxx::work lock{other};
  lock.exec("SELECT * FROM writer_state FOR UPDATE");
  auto hanging = std::async(std::launch::async, [&] { return s.on(lane::hot).commit("b1", withdrawal(u.id)); });
  wait_for_lock(s.postgres());
  s.on(lane::hot).abort();
  REQUIRE(hanging.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  CHECK(hanging.get().error().code == errc::store_unavailable);
  lock.abort();
  CHECK(s.on(lane::hot).commit("b1", withdrawal(u.id))->results[0].has_value());
  CHECK(s.user_now(u.id).points == 900);
  s.holds();
}

TEST_CASE("a reader that hangs is broken off by abort()", "[storage][postgres][faults]") {
  gated g;
  REQUIRE(g.read->ping());
  g.gate->set(tcp_gate::trap::swallow_answer, "ping");
  auto hanging = std::async(std::launch::async, [&] { return g.read->ping(); });
  REQUIRE(g.gate->sprung());
  g.read->abort();
  REQUIRE(hanging.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  CHECK(hanging.get().error().code == errc::store_unavailable);
  CHECK(g.read->ping().has_value());
}

TEST_CASE("a slow network delays and breaks nothing", "[storage][postgres][faults]") {
  gated g;
  g.gate->delay(std::chrono::milliseconds{5});
  CHECK(g.hot->commit("b1", withdrawal(g.who.id))->results[0].has_value());
  g.gate->delay(std::chrono::milliseconds{0});
  g.recovers();
}

TEST_CASE("an old process that wakes up in the middle of a batch is fenced", "[storage][postgres][faults]") {
  gated g;
  REQUIRE(g.hot->commit("b0", withdrawal(g.who.id)));
  pqxx::connection other{g.s.postgres().url()};
  pqxx::work lock{other};
  lock.exec("SELECT * FROM writer_state FOR UPDATE");
  auto late = std::async(std::launch::async, [&] { return g.hot->commit("b1", withdrawal(g.who.id)); });
  lock.exec("UPDATE writer_state SET epoch = epoch + 1");
  lock.commit();
  CHECK(late.get().error().code == errc::fenced);
  CHECK(g.points() == 900);
}

TEST_CASE("a database that only reads is refused as unavailable", "[storage][postgres][faults]") {
  house s{kind::postgres};
  auto u = s.enrol("samsung");
  s.postgres().run("ALTER DATABASE " + s.postgres().name() + " SET default_transaction_read_only = on");
  s.postgres().end_connections();
  for (int i = 0; i < 2; ++i)
    CHECK(s.on(lane::hot).commit("b1", withdrawal(u.id)).error().code == errc::store_unavailable);
  CHECK(s.read().ping().error().code == errc::store_unavailable);
  pqxx::connection server{s.postgres().url()};
  pqxx::nontransaction fix{server};
  fix.exec("SET default_transaction_read_only = off");
  fix.exec("ALTER DATABASE " + s.postgres().name() + " RESET default_transaction_read_only");
  CHECK(s.on(lane::hot).commit("b1", withdrawal(u.id))->results[0].has_value());
  s.holds();
}

TEST_CASE("a change that loses every race is refused for now, and alone", "[storage][postgres][faults]") {
  house s{kind::postgres};
  auto code = GENERATE("40001", "40P01", "55P03");
  std::vector<user> all;
  for (int i = 0; i < 4; ++i) all.push_back(s.enrol("user " + std::to_string(i)));
  s.postgres().run("CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'lost' USING "
                   "ERRCODE = '" +
                   std::string(code) + "'; END $$");
  s.postgres().run("CREATE TRIGGER lose BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.id = " +
                   std::to_string(all[2].id.value) + ") EXECUTE FUNCTION lose()");
  std::vector<storage::write> batch;
  for (const auto& u : all) batch.push_back(withdrawal(u.id)[0]);
  auto done = s.on(lane::hot).commit("b1", batch);
  REQUIRE(done);
  for (std::size_t i : {0U, 1U, 3U}) CHECK(done->results[i].has_value());
  CHECK(done->results[2].error().code == errc::store_unavailable);
  s.postgres().run("DROP TRIGGER lose ON users");
  CHECK(s.on(lane::hot).commit("b2", withdrawal(all[2].id))->results[0].has_value());
  for (const auto& u : all) CHECK(s.user_now(u.id).points == 900);
  s.holds();
}

TEST_CASE("text that Postgres cannot keep fails alone", "[storage][postgres]") {
  house s{kind::postgres};
  create_user good{"good", 1000, 0, "", false, {}, {}, noon()};
  auto nul = good;
  nul.name = std::string("a\0b", 3);
  auto broken = good;
  broken.name = "\xff\xfe";
  auto made = s.batch({good, nul, good, broken, good});
  for (std::size_t i : {0U, 2U, 4U}) CHECK(made.results[i].has_value());
  for (std::size_t i : {1U, 3U}) CHECK(made.results[i].error().code == errc::internal);
  s.holds();
}

TEST_CASE("the hot and the bulk writer work at the same time", "[storage][postgres]") {
  house s{kind::postgres};
  for (int i = 0; i < 50; ++i) s.enrol("user " + std::to_string(i));
  s.open();
  std::thread bulk([&] {
    for (int i = 0; i < 20; ++i) {
      import_users rows;
      rows.at = noon();
      for (int j = 0; j < 20; ++j)
        rows.rows.push_back({j, "bulk", 1000 + i, j % 2 ? "" : "77" + std::to_string(10000000 + j), 5, {}, {}});
      std::vector<storage::write> batch{{rows, {}}, {open_campaign{planned(), noon()}, {}}};
      auto made = s.on(lane::bulk).commit("bulk " + std::to_string(i), batch);
      if (!made || !made->results[0] || !made->results[1]) std::terminate();
    }
  });
  int failed = 0;
  for (int i = 0; i < 60; ++i) {
    std::vector<storage::write> batch;
    for (std::int64_t id = 1; id <= 50; ++id) {
      batch.push_back({choose_answer{{id}, i % 2 ? answer::deny : answer::accept, {}, noon(1)}, {}});
      batch.push_back({withdraw_points{{id}, 1, noon(1)}, {}});
    }
    auto made = s.on(lane::hot).commit("hot " + std::to_string(i), batch);
    for (const auto& one : made->results) failed += !one;
  }
  bulk.join();
  CHECK(failed == 0);
  s.holds();
}
