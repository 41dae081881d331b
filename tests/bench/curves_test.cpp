#include "bench/curves.hpp"
#include "tests/support/process.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace dr::bench;

namespace {

case_result result(const std::string& name, params with, double ours, std::optional<double> bare = {}) {
  case_result r;
  r.name = name;
  r.with = std::move(with);
  r.ours = ours;
  r.bare = bare;
  return r;
}

const plot* find(const std::vector<curve>& all, const std::string& file) {
  for (const auto& one : all)
    if (one.file == file) return &one.drawn;
  return nullptr;
}

} // namespace

TEST_CASE("a curve takes the points of its results by size, ours and the bare limit", "[bench]") {
  const auto all = curves_of({result("settle", {{"users", 100'000}}, 5'000, 6'000),
                              result("settle", {{"users", 10'000}}, 4'000, 7'000), result("fetch", {{"users", 1}}, 1)});
  REQUIRE(all.size() == 1);
  const auto& drawn = all.front().drawn;
  REQUIRE(drawn.all.size() == 2);
  CHECK(drawn.all[0].points == std::vector<std::pair<double, double>>{{10'000, 4'000}, {100'000, 5'000}});
  CHECK(drawn.all[1].points == std::vector<std::pair<double, double>>{{10'000, 7'000}, {100'000, 6'000}});
  CHECK(drawn.all[1].limit);
}

TEST_CASE("curves of memory begin with the empty server, which alone makes none", "[bench]") {
  auto empty = result("idle-memory", params::object(), 30);
  empty.rss_bytes = 30'000'000;
  CHECK(curves_of({empty}).empty());
  auto full = result("memory-pending-response", {{"responses", 1'000}}, 1'300);
  full.rss_bytes = 32'000'000;
  const auto all = curves_of({empty, full});
  const auto* memory = find(all, "memory-responses");
  REQUIRE(memory != nullptr);
  CHECK(memory->all.at(0).points == std::vector<std::pair<double, double>>{{0, 30}, {1'000, 32}});
}

TEST_CASE("a case that failed leaves its points out", "[bench]") {
  auto failed = result("settle", {{"users", 10'000}}, 0);
  failed.error = "no answer";
  CHECK(curves_of({failed}).empty());
}

TEST_CASE("a folder of curves holds plots, tables and points, also of a quick run that had one size", "[bench]") {
  const std::vector<case_result> results{result("settle", {{"users", 200}}, 400, 500)};
  const dr::test::scratch_folder folder;
  write_curves(folder.path() / "new", results, to_json(results, "abc", true));
  const auto text_of = [&](const char* name) {
    std::ifstream in(folder.path() / "new" / name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  CHECK(text_of("settle.svg").find("</svg>") != std::string::npos);
  const auto figures = text_of("figures.md");
  CHECK(figures.find("| 200 | 400 | 500 |") != std::string::npos);
  CHECK(figures.find("(settle.svg)") != std::string::npos);
  CHECK(figures.find("A quick run") != std::string::npos);
  const auto points = nlohmann::json::parse(text_of("curves.json"));
  CHECK(points.at("commit") == "abc");
  CHECK(points.at("curves").at(0).at("series").at(1).at("points").at(0) == nlohmann::json({200.0, 500.0}));
}
