// One short run of every case against real programs and a Postgres of its own: it works, and leaves nothing behind.
// No figure is judged here.
#include "bench/report.hpp"
#include "bench/usage.hpp"
#include "tests/support/process.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>

using namespace dr::test;
using namespace std::chrono_literals;
using json = nlohmann::ordered_json;

namespace {

std::string required(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set; run script/test");
  return value;
}

/// A private Postgres that is stopped at the end.
class own_postgres {
public:
  own_postgres() { script("start"); }
  ~own_postgres() {
    try {
      script("stop");
    } catch (const std::exception& why) {
      WARN("the test's Postgres stays: " << why.what());
    }
  }
  std::string folder() const { return folder_.path().string(); }

private:
  void script(const char* command) {
    run({required("DR_SOURCE_DIR") + "/script/postgres", command, folder()}, {{"DR_POSTGRES_FSYNC", "off"}}, 2min);
  }
  scratch_folder folder_;
};

process::options bench_command(std::vector<std::string> more, const std::string& output) {
  std::vector<std::string> command{required("DR_BIN_DIR") + "/dr-bench", "--quick"};
  command.insert(command.end(), more.begin(), more.end());
  return {command,
          {{"DR_BIN_DIR", required("DR_BIN_DIR")},
           {"DR_SOURCE_DIR", required("DR_SOURCE_DIR")},
           {"DR_POSTGRES_FSYNC", "off"}},
          output,
          -1};
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

TEST_CASE("a quick run of the bench has a figure for every case", "[bench]") {
  const own_postgres postgres;
  const scratch_folder folder;
  const auto file = (folder.path() / "out.json").string();
  const auto output = folder.path() / "output";
  process bench(bench_command({"--postgres", postgres.folder(), "--json", file, "--commit", "test"}, output.string()));
  const auto status = bench.wait(10min);
  INFO(text_of(output));
  REQUIRE(status == 0);

  const auto found = json::parse(text_of(file));
  CHECK(found.at("commit") == "test");
  CHECK(found.at("quick") == true);
  std::set<std::string> names;
  for (const auto& one : found.at("cases")) {
    INFO(one.dump());
    CHECK(one.at("ours").is_number());
    CHECK_FALSE(one.contains("error"));
    names.insert(one.at("name").get<std::string>());
  }
  for (const char* name : {"answers-rest",
                           "isolation-kepco-answers",
                           "isolation-campaign-dispatch-p99",
                           "recovery-kill-ready",
                           "recovery-kill-first-answer",
                           "recovery-postgres",
                           "start-durable",
                           "start-durable-per-user",
                           "campaigns-answered",
                           "start-alive",
                           "read-summary",
                           "read-user",
                           "walk-responses",
                           "alerts-last",
                           "answers-ws",
                           "settle",
                           "fetch",
                           "withdrawals-spread",
                           "withdrawals-hot",
                           "idle-cpu",
                           "memory-pending-response",
                           "memory-kept-per-response",
                           "memory-connected-customer"}) {
    INFO(name);
    CHECK(names.contains(name));
  }
  const auto table = run({required("DR_BIN_DIR") + "/dr-bench", "--compare", file, file});
  CHECK(table.find("answers-rest") != std::string::npos);
}

TEST_CASE("a quick run of the curves draws every one of them", "[bench]") {
  const own_postgres postgres;
  const scratch_folder folder;
  const auto curves = folder.path() / "curves";
  const auto output = folder.path() / "output";
  process bench(bench_command({"--postgres", postgres.folder(), "--curves", curves.string()}, output.string()));
  const auto status = bench.wait(10min);
  INFO(text_of(output));
  REQUIRE(status == 0);

  const auto figures = text_of(curves / "figures.md");
  const auto points = json::parse(text_of(curves / "curves.json"));
  std::set<std::string> files;
  for (const auto& one : points.at("curves")) {
    const auto file = one.at("file").get<std::string>();
    INFO(file);
    files.insert(file);
    CHECK(text_of(curves / file).find("</svg>") != std::string::npos);
    CHECK(figures.find("(" + file + ")") != std::string::npos);
    for (const auto& line : one.at("series")) CHECK_FALSE(line.at("points").empty());
  }
  CHECK(files == std::set<std::string>{"start.svg", "memory-responses.svg", "answers.svg", "answers-latency.svg",
                                       "alerts.svg", "memory-customers.svg", "settle.svg", "campaigns.svg",
                                       "memory-campaigns.svg", "recovery.svg"});
}

TEST_CASE("Ctrl-C ends the bench and every program that it started", "[bench]") {
  const scratch_folder folder;
  process bench(bench_command({"--database-url", required("DR_TEST_DATABASE_URL"), "answers-rest"},
                              (folder.path() / "output").string()));
  std::vector<pid_t> started;
  eventually(
      "the bench has started a server",
      [&] {
        started = dr::bench::children_of(bench.pid());
        return bench.running() && started.size() >= 3; // the server and both bare ones
      },
      2min);
  bench.signal(SIGINT);
  CHECK(bench.wait(30s) == 130);
  eventually("the programs are gone", [&] {
    return std::all_of(started.begin(), started.end(),
                       [](pid_t pid) { return dr::bench::usage_of(pid).rss_bytes == 0; });
  });
}

TEST_CASE("an unknown case is refused by name", "[bench]") {
  const scratch_folder folder;
  const auto output = folder.path() / "output";
  process bench(bench_command({"no-such-case"}, output.string()));
  CHECK(bench.wait(30s) == 1);
  CHECK(text_of(output).find("there is no case no-such-case") != std::string::npos);
}
