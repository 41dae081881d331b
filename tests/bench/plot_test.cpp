#include "bench/plot.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>
#include <string>
#include <vector>

using namespace dr::bench;

namespace {

plot sample() {
  return {"Time & <users>",
          {"users", true},
          {"ms"},
          {{"ours", {{1'000, 20}, {10'000, 40}, {100'000, 100}}, false}, {"bare \"limit\"", {{10'000, 10}}, true}}};
}

/// Whether every element is closed in the right order and nothing else looks like markup.
bool well_formed(const std::string& xml) {
  static const std::regex tag(R"re(<(/?)([a-z]+)((?: [A-Za-z0-9:-]+="[^"<&]*")*)(/?)>)re");
  static const std::regex text(R"re((?:[^<>&]|&(?:amp|lt|gt|quot);)*)re");
  std::vector<std::string> open;
  auto from = xml.begin();
  for (auto it = std::sregex_iterator(xml.begin(), xml.end(), tag); it != std::sregex_iterator(); ++it) {
    if (!std::regex_match(from, (*it)[0].first, text)) return false;
    from = (*it)[0].second;
    if ((*it)[1].length() > 0) {
      if (open.empty() || open.back() != (*it)[2]) return false;
      open.pop_back();
    } else if ((*it)[4].length() == 0) {
      open.push_back((*it)[2]);
    }
  }
  return open.empty() && std::all_of(from, xml.end(), [](char c) { return c == '\n'; });
}

struct spot {
  double x, y;
};

std::vector<spot> circles(const std::string& svg) {
  static const std::regex circle(R"re(<circle cx="([0-9.]+)" cy="([0-9.]+)")re");
  std::vector<spot> found;
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), circle); it != std::sregex_iterator(); ++it)
    found.push_back({std::stod((*it)[1]), std::stod((*it)[2])});
  return found;
}

} // namespace

TEST_CASE("a plot is well-formed XML without scripts, also with markup in its names", "[bench]") {
  const auto svg = to_svg(sample());
  CHECK(well_formed(svg));
  CHECK(svg.find("Time &amp; &lt;users&gt;") != std::string::npos);
  CHECK(svg.find("<script") == std::string::npos);
  CHECK_FALSE(well_formed("<svg><g></svg></g>")); // the check itself can fail
  CHECK_FALSE(well_formed("<svg>a & b</svg>"));
  CHECK_FALSE(well_formed("<svg><text>a<b</text></svg>"));
}

TEST_CASE("points lie where their values say", "[bench]") {
  const auto at = circles(to_svg(sample()));
  REQUIRE(at.size() == 4);
  // A decade is as wide as the next on a logarithmic axis.
  CHECK(at[1].x - at[0].x == Approx(at[2].x - at[1].x).margin(0.2));
  CHECK(at[0].x < at[1].x);
  // 20 to 40 is a quarter of 20 to 100 on a linear one; more is higher.
  CHECK(at[0].y - at[1].y == Approx((at[0].y - at[2].y) / 4).margin(0.2));
  CHECK(at[2].y < at[0].y);
  // Both series share the axes.
  CHECK(at[3].x == Approx(at[1].x));
  CHECK(at[3].y > at[0].y);
}

TEST_CASE("a scale begins and ends with a tick and covers its values", "[bench]") {
  const scale linear(3, 47, false, 100, 600);
  CHECK(linear.ticks() == std::vector<double>{0, 10, 20, 30, 40, 50});
  CHECK(linear.at(0) == Approx(100));
  CHECK(linear.at(25) == Approx(350));
  CHECK(linear.at(50) == Approx(600));
  const scale decades(1'000, 1'000'000, true, 0, 300);
  CHECK(decades.ticks().size() == 4);
  CHECK(decades.at(1'000) == Approx(0));
  CHECK(decades.at(10'000) == Approx(100));
  CHECK(decades.at(1'000'000) == Approx(300));
  const scale within_two(15, 80, true, 0, 100); // a decade alone has finer ticks
  CHECK(within_two.ticks().size() == 4);
  CHECK(within_two.ticks()[1] == Approx(20));
}

TEST_CASE("a single point, or equal values, still make a plot", "[bench]") {
  for (const bool logarithmic : {false, true}) {
    const auto svg = to_svg({"one", {"x", logarithmic}, {"y", logarithmic}, {{"ours", {{100, 100}}}}});
    CHECK(well_formed(svg));
    const auto at = circles(svg);
    REQUIRE(at.size() == 1);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
  }
  CHECK(well_formed(to_svg({"nothing yet", {"x"}, {"y"}, {{"ours", {{0, 0}}}}})));
}

TEST_CASE("what cannot be drawn is refused", "[bench]") {
  CHECK_THROWS_WITH(to_svg({"none", {"x"}, {"y"}, {}}), Catch::Contains("has no series"));
  CHECK_THROWS_WITH(to_svg({"empty", {"x"}, {"y"}, {{"ours", {}}}}), Catch::Contains("\"ours\" has no points"));
  CHECK_THROWS_WITH(to_svg({"zero", {"x", true}, {"y"}, {{"ours", {{0, 1}}}}}), Catch::Contains("above zero"));
  CHECK_THROWS_WITH(to_svg({"below", {"x"}, {"y"}, {{"ours", {{1, -1}}}}}), Catch::Contains("no negative"));
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THROWS_WITH(to_svg({"bad", {"x"}, {"y"}, {{"ours", {{1, bad}}}}}), Catch::Contains("is no number"));
}

TEST_CASE("numbers on a plot are short", "[bench]") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(0.5) == "0.5");
  CHECK(short_number(64) == "64");
  CHECK(short_number(999.6) == "1k");
  CHECK(short_number(1'500) == "1.5k");
  CHECK(short_number(123'456) == "123k");
  CHECK(short_number(999'600) == "1M");
  CHECK(short_number(2'000'000) == "2M");
}
