#include "bench/report.hpp"

#include <catch2/catch.hpp>

using namespace dr::bench;

namespace {

case_result sample(double ours, double bare) {
  case_result r;
  r.name = "answers";
  r.with = {{"connections", 64}};
  r.unit = "1/s";
  r.ours = ours;
  r.bare = bare;
  r.goals = {{goal::of::ratio, goal::bound::at_least, 0.8}, {goal::of::ours, goal::bound::at_most, 50}};
  return r;
}

} // namespace

TEST_CASE("a goal is met only when each of its bounds is kept", "[bench]") {
  CHECK(sample(40, 50).met() == true);
  CHECK(sample(39, 50).met() == false); // the ratio
  CHECK(sample(60, 70).met() == false); // the figure
  auto without_bare = sample(40, 50);
  without_bare.bare.reset();
  CHECK(without_bare.met() == false);
  auto free = sample(1, 50);
  free.goals.clear();
  CHECK(free.met() == std::nullopt);
}

TEST_CASE("a series gives its median and how far its values lie apart", "[bench]") {
  series values;
  for (const double value : {3.0, 1.0, 2.0, 10.0}) values.add(value);
  CHECK(values.median() == Approx(2.5));
  CHECK(values.spread() == Approx(9 / 2.5));
}

TEST_CASE("a ratio taken round by round does not follow a machine that slows down", "[bench]") {
  series ours;
  series theirs;
  for (const double speed : {100.0, 50.0, 10.0}) {
    ours.add(speed * 0.9);
    theirs.add(speed);
  }
  ours.add(4);
  theirs.add(40); // one round that was disturbed
  CHECK(ours.median_ratio(theirs) == Approx(0.9));
  auto result = sample(30, 50);
  result.paired = ours.median_ratio(theirs);
  CHECK(result.ratio() == Approx(0.9));
}

TEST_CASE("the JSON of a run holds what tools need", "[bench]") {
  auto failed = sample(0, 0);
  failed.error = "no answer";
  const auto out = to_json({sample(40, 50), failed}, "abc", false);
  CHECK(out.at("commit") == "abc");
  CHECK(out.at("machine").at("cores").get<int>() > 0);
  const auto& first = out.at("cases").at(0);
  for (const char* key :
       {"name", "params", "unit", "ours", "bare", "ratio", "spread", "cpu_us", "rss_bytes", "goal", "met"})
    CHECK(first.contains(key));
  CHECK(first.at("ratio").get<double>() == Approx(0.8));
  CHECK(first.at("goal") == "ratio ≥ 0.8, ours ≤ 50 1/s");
  CHECK(first.at("met") == true);
  CHECK(first.at("cpu_us").is_null());
  CHECK(out.at("cases").at(1).at("error") == "no answer");
}

TEST_CASE("two runs are compared case by case", "[bench]") {
  const auto before = to_json({sample(40, 50)}, "a", false);
  const auto after = to_json({sample(50, 50)}, "b", false);
  const auto table = compare(before, after);
  CHECK(table.find("1.25") != std::string::npos); // 50 ÷ 40
  CHECK(table.find("yes") != std::string::npos);
  CHECK_THROWS(compare(before, nlohmann::ordered_json::object()));
}
