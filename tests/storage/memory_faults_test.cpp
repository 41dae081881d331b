#include "tests/storage/house.hpp"

#include <future>

using namespace dr;
using namespace dr::test;

namespace {
std::vector<storage::write> one(user_id id) { return {{withdraw_points{id, 100, noon()}, {}}}; }
} // namespace

TEST_CASE("the fake fails as often as it is told, and nothing happens", "[storage][memory]") {
  house s{kind::memory};
  auto u = s.enrol("samsung");
  s.memory()->faults().fail_commits(2);
  for (int i = 0; i < 2; ++i) CHECK(s.on(lane::hot).commit("b", one(u.id)).error().code == errc::store_unavailable);
  CHECK(s.user_now(u.id).points == 1000);
  CHECK(s.on(lane::hot).commit("b", one(u.id)).has_value());
  CHECK(s.user_now(u.id).points == 900);
  CHECK(s.memory()->faults().commits == 4);
  s.memory()->faults().fail_reads(1);
  CHECK(s.read().ping().error().code == errc::store_unavailable);
  CHECK(s.read().ping().has_value());
  s.memory()->faults().set_down(true);
  CHECK(!s.read().ping());
  CHECK(!s.on(lane::hot).commit("c", one(u.id)));
  s.memory()->faults().set_down(false);
  s.holds();
}

TEST_CASE("the fake loses an answer after it has really committed", "[storage][memory]") {
  house s{kind::memory};
  auto u = s.enrol("samsung");
  s.memory()->faults().lose_commit_answers(1);
  CHECK(s.on(lane::hot).commit("b", one(u.id)).error().code == errc::outcome_unknown);
  CHECK(s.user_now(u.id).points == 900);
  CHECK(s.on(lane::hot).commit("b", one(u.id))->results[0].has_value());
  CHECK(s.user_now(u.id).points == 900);
  s.holds();
}

TEST_CASE("the fake blocks until it is released or aborted", "[storage][memory]") {
  house s{kind::memory};
  auto u = s.enrol("samsung");
  auto& faults = s.memory()->faults();
  faults.block_commits();
  auto blocked = std::async(std::launch::async, [&] { return s.on(lane::hot).commit("b", one(u.id)); });
  REQUIRE(faults.wait_for_blocked(1, std::chrono::seconds{10}));
  CHECK(s.user_now(u.id).points == 1000);
  s.on(lane::hot).abort();
  CHECK(blocked.get().error().code == errc::store_unavailable);
  auto released = std::async(std::launch::async, [&] { return s.on(lane::hot).commit("b", one(u.id)); });
  REQUIRE(faults.wait_for_blocked(1, std::chrono::seconds{10}));
  faults.release_commits();
  CHECK(released.get().has_value());
  CHECK(s.user_now(u.id).points == 900);
  s.holds();
}
