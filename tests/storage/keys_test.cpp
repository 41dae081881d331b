#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

TEST_CASE("the same key and body are carried out once and answered alike", "[storage][keys]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  CHECK(s.attempt(withdraw_points{u.id, 100, noon()}, keyed("k1")).has_value());
  auto again = s.attempt(withdraw_points{u.id, 100, noon(5)}, keyed("k1"));
  REQUIRE(again);
  CHECK(std::get<replayed>(*again).answer == "201");
  CHECK(s.user_now(u.id).points == 900);
  auto other = s.attempt(withdraw_points{u.id, 100, noon(5)}, keyed("k1", "h2"));
  REQUIRE(!other);
  CHECK(other.error().code == errc::key_reused);
  auto kept = s.read().find_keyed("admin", "POST", "/users/1/withdraw", "k1", noon(6)).value();
  REQUIRE(kept);
  CHECK(kept->answer == "201");
  CHECK(kept->body_hash == "h1");
  CHECK(!s.read().find_keyed("user:1", "POST", "/users/1/withdraw", "k1", noon(6)).value());
  s.holds();
}

TEST_CASE("a key that is used twice in one batch counts once", "[storage][keys]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  std::vector<storage::write> batch{{withdraw_points{u.id, 100, noon()}, keyed("k1")},
                                    {withdraw_points{u.id, 100, noon()}, keyed("k1")},
                                    {withdraw_points{u.id, 100, noon()}, keyed("k1", "h2")},
                                    {withdraw_points{u.id, 100, noon()}, keyed("k2")}};
  auto made = s.batch("b", batch);
  CHECK(std::holds_alternative<ledger_entry>(*made.results[0]));
  CHECK(std::holds_alternative<replayed>(*made.results[1]));
  CHECK(made.results[2].error().code == errc::key_reused);
  CHECK(std::holds_alternative<ledger_entry>(*made.results[3]));
  CHECK(s.user_now(u.id).points == 800);
  s.holds();
}

TEST_CASE("keys that are known or come twice draw no ledger number", "[storage][keys][postgres]") {
  house s{kind::postgres};
  auto u = s.enrol("samsung");
  CHECK(s.attempt(withdraw_points{u.id, 1, noon()}, keyed("known")).has_value());
  std::vector<storage::write> batch;
  for (const auto* key : {"known", "k1", "k2", "k2", "k3"})
    batch.push_back({withdraw_points{u.id, 1, noon()}, keyed(key)});
  auto made = s.batch("b", batch);
  CHECK(std::holds_alternative<replayed>(*made.results[0]));
  CHECK(std::get<ledger_entry>(*made.results[4]).balance_after == 996);
  CHECK(s.postgres().run("SELECT last_value FROM ledger_id_seq") == s.postgres().run("SELECT count(*) FROM ledger"));
  s.holds();
}

TEST_CASE("a refusal is remembered, an answer that must not be kept is not", "[storage][keys]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung", 1000, 10);
  CHECK(s.attempt(withdraw_points{u.id, 50, noon()}, keyed("k1")).error().code == errc::insufficient_points);
  auto again = s.attempt(withdraw_points{u.id, 50, noon()}, keyed("k1"));
  REQUIRE(again);
  CHECK(std::get<replayed>(*again).answer == "insufficient-points");
  auto forgetful = keyed("k2");
  forgetful->render = [](const result<written>&) { return std::string{}; };
  CHECK(s.attempt(withdraw_points{u.id, 4, noon()}, forgetful).has_value());
  CHECK(std::holds_alternative<ledger_entry>(*s.attempt(withdraw_points{u.id, 4, noon()}, forgetful)));
  CHECK(s.user_now(u.id).points == 2);
  s.holds();
}

TEST_CASE("a key lives for 24 hours of business time", "[storage][keys]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  auto day = 24 * 60;
  CHECK(s.attempt(withdraw_points{u.id, 1, noon()}, keyed("k1")).has_value());
  auto last = noon(day) - std::chrono::milliseconds{1};
  CHECK(std::holds_alternative<replayed>(*s.attempt(withdraw_points{u.id, 1, last}, keyed("k1"))));
  CHECK(s.read().find_keyed("admin", "POST", "/users/1/withdraw", "k1", last).value());
  CHECK(!s.read().find_keyed("admin", "POST", "/users/1/withdraw", "k1", noon(day)).value());
  CHECK(std::holds_alternative<ledger_entry>(*s.attempt(withdraw_points{u.id, 1, noon(day)}, keyed("k1", "h2"))));
  CHECK(std::holds_alternative<replayed>(*s.attempt(withdraw_points{u.id, 1, noon(day + 1)}, keyed("k1", "h2"))));
  s.holds();
}

TEST_CASE("an answer without a write is remembered as of the latest business time", "[storage][keys]") {
  house s{DR_BOTH};
  s.must<user>(create_user{"a", 1000, 0, "", false, {}, {}, noon()});
  auto made = s.attempt(remember_answer{}, keyed("탐 \"k\""));
  REQUIRE(made);
  CHECK(std::holds_alternative<done>(*made));
  CHECK(std::get<replayed>(*s.attempt(remember_answer{}, keyed("탐 \"k\""))).answer == "201");
  CHECK(s.read().find_keyed("admin", "POST", "/users/1/withdraw", "탐 \"k\"", noon(23 * 60)).value());
  CHECK(!s.read().find_keyed("admin", "POST", "/users/1/withdraw", "탐 \"k\"", noon(24 * 60)).value());
  CHECK(s.attempt(remember_answer{noon(600)}, keyed("later")).has_value());
  CHECK(s.read().find_keyed("admin", "POST", "/users/1/withdraw", "later", noon(33 * 60)).value());
}

TEST_CASE("a keyed import is carried out once", "[storage][keys]") {
  house s{DR_BOTH};
  import_users chunk;
  chunk.at = noon();
  chunk.rows = {{2, "a", 1000, "", 5, {}, {}}, {3, "b", 1000, "", 5, {}, {}}};
  CHECK(std::get<imported>(*s.attempt(chunk, keyed("chunk-1"))).created == 2);
  CHECK(std::holds_alternative<replayed>(*s.attempt(chunk, keyed("chunk-1"))));
  CHECK(s.read().users({}, {}).value().total == 2);
  s.holds();
}

TEST_CASE("expired keys are thrown away now and then", "[storage][keys][postgres]") {
  house s{kind::postgres};
  CHECK(s.attempt(remember_answer{noon()}, keyed("old")).has_value());
  for (int i = 0; i < 40; ++i)
    CHECK(s.attempt(remember_answer{noon(25 * 60)}, keyed("k" + std::to_string(i))).has_value());
  CHECK(s.postgres().run("SELECT count(*) FROM keyed_request WHERE key = 'old'") == "0");
  CHECK(s.postgres().run("SELECT count(*) FROM keyed_request") == "40");
}
