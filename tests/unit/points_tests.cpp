#include "domain/points.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace dr;

TEST_CASE("a first settlement credits and takes nothing", "[unit][points]") {
  CHECK(settle_points(1000, 0, 0, 383) == points_change{383, 0, 1383, 0});
  CHECK(settle_points(1000, 0, 0, 0) == points_change{0, 0, 1000, 0});
}

TEST_CASE("a recheck credits anew and then takes the former credit back", "[unit][points]") {
  CHECK(settle_points(1383, 0, 383, 400) == points_change{400, 383, 1400, 0});
  CHECK(settle_points(1383, 0, 383, 100) == points_change{100, 383, 1100, 0});
  CHECK(settle_points(1383, 0, 383, 0) == points_change{0, 383, 1000, 0});
}

TEST_CASE("a recheck that changes nothing makes no entries", "[unit][points]") {
  CHECK(settle_points(1383, 0, 383, 383) == points_change{0, 0, 1383, 0});
  CHECK(settle_points(0, 0, 383, 383) == points_change{0, 0, 0, 0});
}

TEST_CASE("what was already spent is owed", "[unit][points]") {
  CHECK(settle_points(83, 0, 383, 0) == points_change{0, 83, 0, 300});
  CHECK(settle_points(83, 0, 383, 100) == points_change{100, 183, 0, 200});
}

TEST_CASE("what is owed is taken from later credits", "[unit][points]") {
  CHECK(settle_points(0, 300, 0, 120) == points_change{120, 120, 0, 180});
  CHECK(settle_points(0, 180, 0, 500) == points_change{500, 180, 320, 0});
  CHECK(settle_points(0, 300, 0, 0) == points_change{0, 0, 0, 300});
}

TEST_CASE("points are neither made nor lost by rechecks, and no balance goes below zero", "[unit][points]") {
  std::mt19937 random(11);
  std::uniform_int_distribution<std::int64_t> amount(0, 1000);
  for (int round = 0; round < 2000; ++round) {
    auto balance = amount(random);
    auto owed = round % 3 == 0 ? amount(random) : 0;
    auto before = round % 2 == 0 ? amount(random) : 0;
    auto now = amount(random);
    auto change = settle_points(balance, owed, before, now);
    CHECK(change.balance >= 0);
    CHECK(change.owed >= 0);
    CHECK(change.balance == balance + change.credit - change.reversal);
    CHECK(change.balance - change.owed == balance - owed + now - before);
    CHECK((change.owed == 0 || change.balance == 0));
  }
}
