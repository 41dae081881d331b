// script/server and script/postgres, as a user runs them: copies of the scripts, with the programs under test for a
// build.
#include "tests/system/safety_support.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace {

using namespace dr::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A project's folder whose programs are built and whose packages are installed.
class project {
public:
  project() {
    const fs::path source = required_variable("DR_SOURCE_DIR");
    fs::copy(source / "script", root() / "script");
    for (const auto* done : {"bootstrap", "build"}) std::ofstream(root() / "script" / done) << "#!/bin/sh\n";
    fs::create_directory_symlink(source / "config", root() / "config");
    fs::create_directories(root() / "build" / "release");
    fs::create_directory_symlink(required_variable("DR_BIN_DIR"), root() / "build" / "release" / "bin");
  }
  ~project() { run_script("postgres", {"stop", data().string()}); }
  const fs::path& root() const { return folder_.path(); }
  fs::path data() const { return root() / "자료 var"; }

  process start_server(const std::string& log) const {
    environment variables{{"DR_AUTH", "off"},
                          {"DR_DATA_DIR", data().string()},
                          {"DR_HTTP_ADDRESS", "127.0.0.1:0"},
                          {"DR_KEPCO_BASE_URL", "http://127.0.0.1:9/OpenAPI"},
                          {"DR_POSTGRES_FSYNC", "off"}};
    if (const char* place = std::getenv("DR_PGBIN")) variables.emplace("DR_PGBIN", place);
    return process({{(root() / "script" / "server").string()}, variables, root() / log, -1});
  }
  /// The first script/server to have started Postgres waits there until it is let go.
  void hold_first_start() const {
    const auto real = root() / "script" / "postgres";
    fs::rename(real, root() / "script" / "real-postgres");
    run({"mkfifo", (root() / "go").string()});
    std::ofstream(real)
        << "#!/bin/sh\n"
           "top=$(dirname \"$0\")/..\n"
           "if [ \"$1\" = url ] && mkdir \"$top/held\" 2>/dev/null; then timeout 60 cat \"$top/go\"; fi\n"
           "exec \"$top/script/real-postgres\" \"$@\"\n";
    fs::permissions(real, fs::perms::owner_all);
  }
  void let_go() const { std::ofstream(root() / "go").flush(); }
  int database_status() const { return run_script("postgres", {"status", data().string()}).status; }

private:
  scratch_folder folder_;
};

/// The port that the launcher took; 0 when this log is of no launcher, or of none yet.
std::uint16_t port_in(const fs::path& log) {
  const std::string before = "Starting the server on http://127.0.0.1:";
  const auto text = text_of(log);
  const auto at = text.find(before);
  return at == std::string::npos ? std::uint16_t{0}
                                 : static_cast<std::uint16_t>(std::atoi(text.c_str() + at + before.size()));
}

bool ready(std::uint16_t port) {
  try {
    return http_client(port).get("/readyz").status == 200;
  } catch (const client_error&) {
    return false;
  }
}

} // namespace

TEST_CASE("of servers started side by side on one data folder one runs, and keeps its database", "[system][scripts]") {
  const project here;
  here.hold_first_start();
  auto first = here.start_server("first.log");
  eventually("the first is half-way", [&] { return fs::exists(here.root() / "held"); });
  auto second = here.start_server("second.log");
  const auto said = [&] { return text_of(here.root() / "second.log"); };
  eventually("the second waits", [&] { return said().find("waiting for it") != std::string::npos; });
  here.let_go();
  const auto joined = second.wait(60s);
  INFO(text_of(here.root() / "first.log") << "\n---\n" << said());
  CHECK(joined == 0);
  CHECK(said().find("The new server") != std::string::npos); // it took the first one's place
  const auto port = port_in(here.root() / "first.log");
  CHECK(here.database_status() == 0);
  CHECK(ready(port));

  // Its Postgres dies: another script/server mends that.
  REQUIRE(run_script("postgres", {"stop", here.data().string()}).status == 0);
  auto mender = here.start_server("mender.log");
  const auto mended = mender.wait(90s);
  INFO(text_of(here.root() / "mender.log"));
  CHECK(mended == 0);
  CHECK(ready(port));
  CHECK(first.running());

  // Killed, it leaves nothing behind that would hold up the next one.
  first.kill();
  auto next = here.start_server("next.log");
  eventually("the next one runs", [&] { return ready(port_in(here.root() / "next.log")); });
  next.signal(SIGTERM);
  CHECK(next.wait(60s) == 0);
  CHECK(here.database_status() == 3);
}

TEST_CASE("a data folder that is moved or copied has its own database with it", "[system][scripts]") {
  const scratch_folder shelf;
  const auto in = [&](const char* name) { return (shelf.path() / name).string(); };
  const auto postgres = [&](const std::string& command, const char* name) {
    auto done = run_script("postgres", {command, in(name)});
    INFO(done.errors);
    REQUIRE(done.status == 0);
    return done.output.substr(0, done.output.find('\n'));
  };
  const auto number_in = [&](const char* name) { return query(postgres("url", name), "SELECT n FROM mine"); };
  postgres("start", "first");
  query(postgres("url", "first"), "CREATE TABLE mine AS SELECT 7 AS n");
  postgres("stop", "first");

  fs::rename(in("first"), in("moved"));
  postgres("start", "moved");
  CHECK(number_in("moved") == "7");
  CHECK_FALSE(fs::exists(in("first")));

  run({"cp", "-a", in("moved"), in("copied")});
  postgres("start", "copied");
  query(postgres("url", "copied"), "UPDATE mine SET n = 8");
  CHECK(number_in("moved") == "7");
  postgres("stop", "copied");
  CHECK(number_in("moved") == "7");
  postgres("stop", "moved");

  // Without its cluster a folder is not quietly given an empty one.
  fs::remove_all(in("copied") + "/postgres");
  const auto lost = run_script("postgres", {"start", in("copied")});
  CHECK(lost.status == 1);
  CHECK(lost.errors.find("the database is gone from") != std::string::npos);
  std::ofstream(in("copied") + "/postgres.path") << "/elsewhere/postgres\n";
  const auto elsewhere = run_script("postgres", {"start", in("copied")});
  CHECK(elsewhere.status == 1);
  CHECK(elsewhere.errors.find("was made in /elsewhere/postgres") != std::string::npos);
  fs::remove(in("copied") + "/postgres.pass");
  fs::remove(in("copied") + "/postgres.path");
  CHECK(run_script("postgres", {"start", in("copied")}).status == 0);
  postgres("stop", "copied");
}
