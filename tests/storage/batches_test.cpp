#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

namespace {

std::vector<storage::write> withdrawal(user_id id, std::int64_t amount) {
  return {{withdraw_points{id, amount, noon()}, {}}};
}

/// A write whose recording breaks: its transaction cannot go through.
storage::write poison(user_id id) {
  auto key = keyed("poison");
  key->render = [](const result<written>&) -> std::string { throw std::runtime_error("cannot be rendered"); };
  return {withdraw_points{id, 1, noon()}, key};
}

} // namespace

TEST_CASE("repeating a batch gives its results and does it once", "[storage][batches]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  auto first = s.batch("b1", withdrawal(u.id, 100));
  auto again = s.batch("b1", withdrawal(u.id, 100));
  CHECK(again.last_seq == first.last_seq);
  CHECK(std::get<ledger_entry>(*again.results[0]) == std::get<ledger_entry>(*first.results[0]));
  CHECK(s.user_now(u.id).points == 900);
  s.batch("b2", withdrawal(u.id, 100));
  CHECK(s.user_now(u.id).points == 800);
  s.holds();
}

TEST_CASE("a new writer does not repeat a committed batch, and says that its answer is lost", "[storage][batches]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  s.batch("b1", withdrawal(u.id, 100));
  auto fresh = s.db().open_writer(lane::hot, s.epoch());
  auto again = fresh->commit("b1", withdrawal(u.id, 100));
  REQUIRE(again);
  REQUIRE(again->results.size() == 1);
  CHECK(again->results[0].error().code == errc::outcome_unknown);
  CHECK(again->last_seq == 2);
  CHECK(fresh->commit("b2", withdrawal(u.id, 100))->results[0].has_value());
  CHECK(s.user_now(u.id).points == 800);
  s.holds();
}

TEST_CASE("the lanes remember their batches apart", "[storage][batches]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  s.batch("b1", withdrawal(u.id, 100));
  s.open();
  auto fresh = s.db().open_writer(lane::hot, s.epoch());
  auto again = fresh->commit("b1", withdrawal(u.id, 100));
  CHECK(again->results[0].error().code == errc::outcome_unknown);
  s.holds();
}

TEST_CASE("a change that cannot be stored fails alone", "[storage][batches]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  std::vector<storage::write> batch;
  for (int i = 0; i < 9; ++i) batch.push_back(i == 5 ? poison(u.id) : withdrawal(u.id, 10)[0]);
  auto made = s.batch("b1", batch);
  for (std::size_t i = 0; i < 9; ++i) {
    if (i == 5)
      CHECK(made.results[i].error().code == errc::internal);
    else
      CHECK(made.results[i].has_value());
  }
  CHECK(s.user_now(u.id).points == 920);
  auto again = s.batch("b1", batch);
  CHECK(again.results[5].error().code == errc::internal);
  CHECK(s.user_now(u.id).points == 920);
  auto alone = s.batch("b2", {poison(u.id)});
  CHECK(alone.results[0].error().code == errc::internal);
  CHECK(s.user_now(u.id).points == 920);
  s.holds();
}

TEST_CASE("a refused change leaves no trace in its batch", "[storage][batches]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  auto made = s.batch(
      {withdraw_points{u.id, 2000, noon()}, withdraw_points{u.id, 10, noon()}, withdraw_points{{5}, 10, noon()}});
  CHECK(!made.results[0]);
  CHECK(made.results[1].has_value());
  CHECK(!made.results[2]);
  CHECK(made.last_seq == 2);
  s.holds();
}

TEST_CASE("an empty batch is a batch", "[storage][batches]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto made = s.batch("nothing", {});
  CHECK(made.results.empty());
  CHECK(made.last_seq == 1);
}

TEST_CASE("whoever lost the lease cannot write", "[storage][batches]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  auto epoch = s.db().take_lease("another process").value();
  CHECK(epoch == s.epoch() + 1);
  for (auto which : {lane::hot, lane::bulk}) {
    auto refused = s.on(which).commit("b1", withdrawal(u.id, 100));
    REQUIRE(!refused);
    CHECK(refused.error().code == errc::fenced);
  }
  auto mine = s.db().open_writer(lane::hot, epoch);
  CHECK(mine->commit("b1", withdrawal(u.id, 100)).has_value());
  CHECK(s.user_now(u.id).points == 900);
  s.holds();
}

TEST_CASE("every event of a mixed batch gets its number in the order of the changes", "[storage][batches]") {
  house s{DR_BOTH};
  create_user u{"a", 1000, 100, "", true, {}, {}, noon()};
  auto made = s.batch({u, u, withdraw_points{{1}, 5, noon()}, change_user{{2}, {}, "b", {}, {}, {}, {}, noon()},
                       withdraw_user{{2}, {}, noon()}, withdraw_points{{1}, 500, noon()}});
  CHECK(made.last_seq == 5);
  CHECK(s.event_types() ==
        std::vector<std::string>{"UserEnrolled", "UserEnrolled", "PointWithdrawn", "UserChanged", "UserWithdrawn"});
  s.holds();
}
