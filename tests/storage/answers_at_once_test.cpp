// Batches of answers and receipts, which one statement writes and commits: what becomes of it when the connection is
// lost, when others change the same rows, and when it arrives long after it was given up.
#include "tests/storage/gated_house.hpp"

#include <future>

using namespace dr;
using namespace dr::test;

namespace {

/// A gated house with a running campaign; the writer has made one such batch before.
struct answering : gated {
  campaign of = s.open();
  response_id id{1};

  answering() { REQUIRE(hot->commit("b0", choice(answer::deny))); }
  std::vector<storage::write> choice(answer what) const { return {{choose_answer{id, what, {}, noon(1)}, {}}}; }
  answer now() { return s.response_now(id).answer; }
  /// The batch b1 accepts, waits for the campaign that `lock` has taken, and is given up there.
  void give_up_behind(pqxx::work& lock) {
    lock.exec("SELECT * FROM campaign FOR UPDATE");
    auto given_up = std::async(std::launch::async, [&] { return hot->commit("b1", choice(answer::accept)); });
    wait_for_lock(s.postgres());
    hot->abort();
    CHECK(given_up.get().error().code == errc::outcome_unknown);
  }
  /// Until the server has carried out, or refused, everything that it was sent.
  void wait_until_idle() {
    const auto busy = [&] {
      return s.postgres().run("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = "
                              "current_database() AND pid <> pg_backend_pid()");
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (busy() != "0" && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    REQUIRE(busy() == "0");
  }
  void recovers_answering() {
    const auto other = now() == answer::accept ? answer::deny : answer::accept;
    const auto done = hot->commit("recovered-answering", choice(other));
    REQUIRE(done);
    CHECK(done->results[0].has_value());
    CHECK(now() == other);
    recovers();
  }
};

answer answer_in(const result<committed>& done) {
  REQUIRE(done);
  REQUIRE(done->results[0].has_value());
  return std::get<response_changed>(*done->results[0]).response.answer;
}

} // namespace

TEST_CASE("answers whose statement never reached the server are stored by the repetition",
          "[storage][postgres][faults]") {
  answering a;
  a.gate->set(tcp_gate::trap::cut_before, "end_hot_batch");
  CHECK(a.hot->commit("b1", a.choice(answer::accept)).error().code == errc::outcome_unknown);
  CHECK(a.now() == answer::deny);
  CHECK(answer_in(a.hot->commit("b1", a.choice(answer::accept))) == answer::accept);
  CHECK(a.now() == answer::accept);
  a.recovers_answering();
}

TEST_CASE("answers that were stored, but not confirmed, are not stored again, and their results are known",
          "[storage][postgres][faults]") {
  answering a;
  const auto events = a.s.events().size();
  a.gate->set(tcp_gate::trap::cut_after, "end_hot_batch");
  CHECK(a.hot->commit("b1", a.choice(answer::accept)).error().code == errc::outcome_unknown);
  CHECK(a.now() == answer::accept);
  const auto again = a.hot->commit("b1", a.choice(answer::accept));
  CHECK(answer_in(again) == answer::accept);
  CHECK(std::get<response_changed>(*again->results[0]).changed);
  CHECK(again->last_seq == static_cast<std::int64_t>(events) + 1);
  REQUIRE(again->campaigns.size() == 1);
  CHECK(again->campaigns[0].counts.accept == 1);
  CHECK(a.s.events().size() == events + 1);
  a.recovers_answering();
}

TEST_CASE("answers that hang are broken off, and found out by a new connection", "[storage][postgres][faults]") {
  answering a;
  a.gate->set(tcp_gate::trap::swallow_answer, "end_hot_batch");
  auto hanging = std::async(std::launch::async, [&] { return a.hot->commit("b1", a.choice(answer::accept)); });
  REQUIRE(a.gate->sprung());
  a.hot->abort();
  CHECK(hanging.get().error().code == errc::outcome_unknown);
  CHECK(answer_in(a.hot->commit("b1", a.choice(answer::accept))) == answer::accept);
  a.recovers_answering();
}

TEST_CASE("answers whose session the server ends are in doubt, for it may do so behind the commit",
          "[storage][postgres][faults]") {
  answering a;
  pqxx::connection other{a.s.postgres().url()};
  pqxx::work lock{other};
  lock.exec("SELECT * FROM campaign FOR UPDATE");
  auto ended = std::async(std::launch::async, [&] { return a.hot->commit("b1", a.choice(answer::accept)); });
  wait_for_lock(a.s.postgres());
  a.s.postgres().run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                     "datname = current_database()");
  CHECK(ended.get().error().code == errc::outcome_unknown);
  lock.abort();
  CHECK(answer_in(a.hot->commit("b1", a.choice(answer::accept))) == answer::accept);
  a.recovers_answering();
}

TEST_CASE("a new writer after unconfirmed answers does not repeat them", "[storage][postgres][faults]") {
  answering a;
  a.gate->set(tcp_gate::trap::cut_after, "end_hot_batch");
  CHECK(a.hot->commit("b1", a.choice(answer::accept)).error().code == errc::outcome_unknown);
  a.hot = a.db->open_writer(lane::hot, a.s.epoch());
  CHECK(a.hot->commit("b1", a.choice(answer::accept))->results[0].error().code == errc::outcome_unknown);
  CHECK(a.now() == answer::accept);
  a.recovers_answering();
}

TEST_CASE("a process whose lease was taken stores no answer", "[storage][postgres][faults]") {
  answering a;
  pqxx::connection other{a.s.postgres().url()};
  pqxx::work lock{other};
  lock.exec("UPDATE writer_state SET epoch = epoch + 1");
  auto late = std::async(std::launch::async, [&] { return a.hot->commit("b1", a.choice(answer::accept)); });
  wait_for_lock(a.s.postgres());
  lock.commit();
  CHECK(late.get().error().code == errc::fenced);
  CHECK(a.now() == answer::deny);
}

TEST_CASE("what another transaction counts between reading and writing is not lost", "[storage][postgres][faults]") {
  answering a;
  pqxx::connection other{a.s.postgres().url()};
  pqxx::work lock{other};
  lock.exec("UPDATE campaign SET credited_wh = credited_wh + 7");
  auto answered = std::async(std::launch::async, [&] { return a.hot->commit("b1", a.choice(answer::accept)); });
  wait_for_lock(a.s.postgres()); // it has read the campaign as it was
  lock.commit();
  CHECK(answer_in(answered.get()) == answer::accept);
  const auto counts = a.s.campaign_now(a.of.id).counts;
  CHECK(counts.accept == 1);
  CHECK(counts.deny == 0);
  CHECK(counts.credited_wh == 7);
}

TEST_CASE("a response that was changed between reading and writing is decided upon anew",
          "[storage][postgres][faults]") {
  answering a;
  pqxx::connection other{a.s.postgres().url()};
  pqxx::work lock{other};
  lock.exec("UPDATE response SET answer = 1, version = version + 1 WHERE id = 1");
  auto answered = std::async(std::launch::async, [&] { return a.hot->commit("b1", a.choice(answer::accept)); });
  wait_for_lock(a.s.postgres());
  lock.commit();
  const auto done = answered.get();
  CHECK(answer_in(done) == answer::accept);
  CHECK_FALSE(std::get<response_changed>(*done->results[0]).changed); // it was so already
}

TEST_CASE("a statement that was given up changes nothing once others have gone on", "[storage][postgres][faults]") {
  answering a;
  const auto events = a.s.events().size();
  pqxx::connection other{a.s.postgres().url()};
  pqxx::work lock{other};
  a.give_up_behind(lock);
  REQUIRE(a.hot->commit("b2", withdrawal(a.who.id)));
  CHECK(a.s.postgres().run("SELECT hot_batch FROM writer_state") == "b2");
  lock.abort(); // now the server carries out what it was sent long ago
  a.wait_until_idle();
  CHECK(a.now() == answer::deny);
  CHECK(a.s.events().size() == events + 1);
  CHECK(a.s.postgres().run("SELECT hot_batch FROM writer_state") == "b2");
  a.recovers_answering();
}

TEST_CASE("a statement that was given up changes nothing once a later connection has begun, though that one fails too",
          "[storage][postgres][faults]") {
  answering a;
  const auto events = a.s.events().size();
  pqxx::connection other{a.s.postgres().url()};
  pqxx::work lock{other};
  a.give_up_behind(lock);
  a.gate->set(tcp_gate::trap::cut_before, "load_responses_and_campaigns");
  CHECK(a.hot->commit("b1", a.choice(answer::accept)).error().code == errc::store_unavailable); // nothing was done
  lock.abort();
  a.wait_until_idle();
  CHECK(a.now() == answer::deny);
  CHECK(a.s.events().size() == events);
  a.recovers_answering();
}

TEST_CASE("a statement that was given up does not get ahead of its repetition", "[storage][postgres][faults]") {
  answering a;
  const auto events = a.s.events().size();
  pqxx::connection other{a.s.postgres().url()};
  pqxx::work lock{other};
  a.give_up_behind(lock);
  auto repeated = std::async(std::launch::async, [&] { return a.hot->commit("b1", a.choice(answer::accept)); });
  wait_for_lock(a.s.postgres(), 2);
  lock.abort(); // the one that waits longer goes first
  const auto done = repeated.get();
  CHECK(answer_in(done) == answer::accept);
  CHECK(std::get<response_changed>(*done->results[0]).changed);
  CHECK(a.now() == answer::accept);
  CHECK(a.s.events().size() == events + 1);
  CHECK(a.s.campaign_now(a.of.id).counts.accept == 1);
  a.recovers_answering();
}

TEST_CASE("a statement that was carried out after it was given up, and before the next connection, is found out",
          "[storage][postgres][faults]") {
  answering a;
  pqxx::connection other{a.s.postgres().url()};
  pqxx::work lock{other};
  a.give_up_behind(lock);
  lock.abort();
  a.wait_until_idle();
  CHECK(a.now() == answer::accept);
  CHECK(answer_in(a.hot->commit("b1", a.choice(answer::accept))) == answer::accept);
  CHECK(a.s.campaign_now(a.of.id).counts.accept == 1);
  a.recovers_answering();
}

TEST_CASE("each lane's connections end their predecessors, and not those of the other lane",
          "[storage][postgres][faults]") {
  answering a;
  const auto session_of = [&](const char* which) {
    return std::stoi(a.s.postgres().run(std::string("SELECT ") + which + "_session FROM writer_state"));
  };
  const auto hot = session_of("hot");
  const auto bulk = session_of("bulk");
  auto later = a.db->open_writer(lane::hot, a.s.epoch());
  REQUIRE(answer_in(later->commit("b1", a.choice(answer::accept))) == answer::accept);
  CHECK(session_of("hot") == hot + 1);
  CHECK(session_of("bulk") == bulk);
  // One that is alive, though it has a successor, changes nothing, and does not end that one.
  CHECK(a.hot->commit("b2", a.choice(answer::deny)).error().code == errc::store_unavailable);
  CHECK(a.now() == answer::accept);
  CHECK(session_of("hot") == hot + 1);
  CHECK(answer_in(later->commit("b3", a.choice(answer::deny))) == answer::deny);
  // Asked again, it is taken for the one that writes.
  CHECK(answer_in(a.hot->commit("b2", a.choice(answer::accept))) == answer::accept);
  CHECK(later->commit("b4", a.choice(answer::deny)).error().code == errc::store_unavailable);
  a.recovers_answering();
}

TEST_CASE("a process whose lease was taken begins no session", "[storage][postgres][faults]") {
  answering a;
  a.s.postgres().run("UPDATE writer_state SET epoch = epoch + 1");
  const auto session = a.s.postgres().run("SELECT hot_session FROM writer_state");
  const auto fenced = a.db->open_writer(lane::hot, a.s.epoch());
  CHECK(fenced->commit("b1", a.choice(answer::accept)).error().code == errc::fenced);
  CHECK(a.s.postgres().run("SELECT hot_session FROM writer_state") == session);
}

TEST_CASE("a change of many that cannot be stored fails alone among answers", "[storage][postgres][faults]") {
  house s{kind::postgres};
  for (int i = 0; i < 5; ++i) s.enrol("user " + std::to_string(i));
  s.open();
  s.postgres().run("ALTER TABLE response ADD CHECK (id <> 3 OR answer <> 1)");
  std::vector<storage::write> batch;
  for (std::int64_t id = 1; id <= 5; ++id) batch.push_back({choose_answer{{id}, answer::accept, {}, noon(1)}, {}});
  auto nul = keyed("k");
  nul->render = [](const auto&) { return std::string("a\0b", 3); };
  batch[0].keyed = nul; // what cannot be said to Postgres
  const auto done = s.on(lane::hot).commit("b1", batch);
  REQUIRE(done);
  for (std::size_t i : {1U, 3U, 4U}) CHECK(done->results[i].has_value());
  for (std::size_t i : {0U, 2U}) CHECK(done->results[i].error().code == errc::internal);
  CHECK(s.campaign_now({1}).counts.accept == 3);
  s.holds();
}
