// Backup and restore, as an operator runs them: beside a server under load, into a fresh folder, and never by halves.
#include "tests/system/safety_support.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <thread>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

fs::perms mode_of(const fs::path& file) { return fs::status(file).permissions() & fs::perms::all; }

/// A data folder in which a backup was restored, with a Postgres of its own; both are gone at the end.
class restored_folder {
public:
  restored_folder() { fs::permissions(scratch_.path(), fs::perms(0711)); }
  ~restored_folder() { run_script("postgres", {"stop", path().string()}); }
  fs::path path() const { return scratch_.path() / "data"; }
  std::string url() const {
    run_script("postgres", {"start", path().string()});
    auto printed = run_script("postgres", {"url", path().string()}).output;
    return printed.substr(0, printed.find('\n'));
  }

private:
  scratch_folder scratch_;
};

/// A backup of a running platform's database and data folder.
fs::path back_up(platform& on, const fs::path& into) {
  const auto file = into / "platform.backup";
  const auto done = run_script("backup", {"", file.string()},
                               {{"DR_DATABASE_URL", on.database_url()}, {"DR_DATA_DIR", on.data_dir().string()}});
  INFO(done.output << done.errors);
  REQUIRE(done.status == 0);
  return file;
}

ended restore(const fs::path& file, const fs::path& data_dir, bool overwrite = false) {
  std::vector<std::string> arguments{file.string(), data_dir.string()};
  if (overwrite) arguments.insert(arguments.begin(), "--overwrite");
  return run_script("restore", arguments);
}

void require_restored(const ended& done) {
  INFO(done.output << done.errors);
  REQUIRE(done.status == 0);
  CHECK(done.output.find("No differences.") != std::string::npos);
}

/// A configuration file that names a database.
std::string configuration_for(const std::string& url, const fs::path& folder) {
  const auto file = folder / "own.toml";
  std::ofstream(file) << "data_dir = \"" << (folder / "data").string() << "\"\n[database]\nurl = \"" << url << "\"\n";
  return file.string();
}

void require_refused(const ended& done, const std::string& why) {
  INFO(done.output << done.errors);
  CHECK(done.status == 1);
  CHECK(done.errors.find(why) != std::string::npos);
}

/// Customers who keep changing their mind until told to stop; how often they were answered is counted.
class load {
public:
  load(platform& on, int campaign, int user) : thread_([this, &on, campaign, user] { run(on, campaign, user); }) {}
  ~load() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int answered() const { return answered_; }

private:
  void run(platform& on, int campaign, int user) {
    const auto list = on.get("/responses?drId=" + std::to_string(campaign) + "&userId=" + std::to_string(user));
    const auto path = "/responses/" + list["_embedded"]["responses"][0].at("id").dump();
    for (int i = 0; !stopping_; ++i)
      if (on.call("PUT", path + (i % 2 == 0 ? "/accept" : "/deny")).status == 200) ++answered_;
  }
  std::atomic<bool> stopping_{false};
  std::atomic<int> answered_{0};
  std::thread thread_;
};

} // namespace

TEST_CASE("a backup taken under load is restored into a fresh folder, where the books balance and the walk goes on",
          "[system][backup]") {
  platform on;
  walk_everything(on);
  // One campaign whose checks are still queued, and one that is open.
  on.sim("PUT", "/_sim/faults", {{"down", true}});
  const int pending = start_campaign(on);
  REQUIRE(accept(on, pending, 1) == 200);
  reduce(on, 1, 1, 390);
  end_campaign(on, pending);
  const auto verifying = [&] {
    return on.get("/drs/" + std::to_string(pending) + "/summary").at("verification").at("pending") == 1;
  };
  eventually("a check waits", verifying);
  const int open = start_campaign(on);
  REQUIRE(accept(on, open, 1) == 200);
  const json spent{{"amount", 10}};
  const header_list key{{"Idempotency-Key", "spent-once"}};
  const auto first_answer = on.call("POST", "/users/1/withdraw", spent, key);
  REQUIRE(first_answer.status == 201);

  const scratch_folder shelf;
  fs::path file;
  int answered = 0;
  {
    load customers(on, open, 2);
    eventually("the load runs", [&] { return customers.answered() > 20; });
    answered = customers.answered();
    file = back_up(on, shelf.path());
    const auto so_far = customers.answered();
    eventually("the load still runs", [&] { return customers.answered() > so_far + 20; });
  }
  CHECK(mode_of(file) == (fs::perms::owner_read | fs::perms::owner_write));
  const auto balance = on.get("/users/1").at("point");
  CHECK(on.stop_server() == 0);

  restored_folder fresh;
  require_restored(restore(file, fresh.path()));
  CHECK(mode_of(fresh.path() / "admin.token") == (fs::perms::owner_read | fs::perms::owner_write));

  platform again(platform::setup{.database_url = fresh.url(), .simulator = true, .started = false});
  const auto epoch = std::stoi(query(again.database_url(), "SELECT epoch FROM writer_state"));
  again.start_server();
  CHECK(std::stoi(query(again.database_url(), "SELECT epoch FROM writer_state")) == epoch + 1);
  CHECK(again.get("/users/1").at("point") == balance);
  // Whatever was acknowledged before the backup began is there.
  const auto choices = query(again.database_url(),
                             "SELECT count(*) FROM event WHERE user_id = 2 AND campaign_id = " + std::to_string(open) +
                                 " AND type IN ('AcceptChosen', 'DenyChosen')");
  CHECK(std::stoi(choices) >= answered);
  // A key from before the backup still answers, and moves nothing.
  const auto repeated = again.call("POST", "/users/1/withdraw", spent, key);
  CHECK(repeated.status == 201);
  CHECK(repeated.body.at("id") == first_answer.body.at("id"));
  CHECK(again.get("/users/1").at("point") == balance);
  // The queued check is made, the open campaign is ended and settled, new rows get new ids.
  wait_settled(again, pending);
  reduce(again, open, 1, 390);
  end_campaign(again, open);
  wait_settled(again, open);
  CHECK(check_of(again, open, 1).at("quality") == "final");
  const int next = start_campaign(again);
  CHECK(next == open + 1);
  CHECK(enrol(again, "kt", 100) == 4);
  require_events_whole(again);
  CHECK(verify_report(again.database_url()).at("differences") == 0);
}

TEST_CASE("a server that runs on a data folder of its own is backed up and restored by the folder alone",
          "[system][backup]") {
  restored_folder source;
  REQUIRE(run_script("postgres", {"start", source.path().string()}).status == 0);
  {
    platform on(platform::setup{.database_url = source.url()});
    walk_everything(on);
    CHECK(on.stop_server() == 0);
  }
  std::ofstream(source.path() / "clock.anchor") << "the anchor\n";
  std::ofstream(source.path() / "admin.token") << "the token\n";
  // Its Postgres is stopped: the backup starts it, and stops it again.
  REQUIRE(run_script("postgres", {"stop", source.path().string()}).status == 0);
  const scratch_folder shelf;
  const auto file = (shelf.path() / "a.backup").string();
  const auto done = run_script("backup", {source.path().string(), file});
  INFO(done.output << done.errors);
  REQUIRE(done.status == 0);
  CHECK(run_script("postgres", {"status", source.path().string()}).status == 3);
  require_refused(run_script("backup", {source.path().string(), file}), "a backup never overwrites");

  restored_folder fresh;
  require_restored(restore(file, fresh.path()));
  std::string anchor;
  std::string token;
  std::getline(std::ifstream(fresh.path() / "clock.anchor"), anchor);
  std::getline(std::ifstream(fresh.path() / "admin.token"), token);
  CHECK(anchor == "the anchor");
  CHECK(token == "the token");
  CHECK(run_script("postgres", {"status", fresh.path().string()}).status == 3);
}

TEST_CASE("a damaged, truncated or foreign file is refused and changes nothing", "[system][backup]") {
  platform on(platform::setup{.simulator = false});
  enrol(on, "samsung", 400, 1000);
  const scratch_folder shelf;
  const auto file = back_up(on, shelf.path());
  const auto bad = shelf.path() / "bad.backup";
  restored_folder fresh;
  const auto refused = [&](const std::string& why) {
    require_refused(restore(bad, fresh.path()), why);
    CHECK_FALSE(fs::exists(fresh.path()));
  };

  fs::copy_file(file, bad);
  {
    std::fstream bytes(bad, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(fs::file_size(bad) / 2));
    bytes << "rubbish";
  }
  refused("is damaged");
  fs::copy_file(file, bad, fs::copy_options::overwrite_existing);
  fs::resize_file(bad, fs::file_size(file) * 2 / 3);
  refused("is damaged");
  fs::resize_file(bad, 700);
  refused("is not a backup");
  fs::resize_file(bad, 0);
  refused("is not a backup");
  std::ofstream(bad) << "PGDMP, or so it says";
  refused("is not a backup");
  fs::remove(bad);
  refused("there is no file");
}

TEST_CASE("a database that is not empty, or in use, is left alone unless told otherwise", "[system][backup]") {
  platform on(platform::setup{.simulator = false});
  enrol(on, "samsung", 400, 1000);
  const scratch_folder shelf;
  const auto file = back_up(on, shelf.path());
  enrol(on, "lg", 300, 50);
  const environment there{{"DR_DATABASE_URL", on.database_url()}, {"DR_DATA_DIR", on.data_dir().string()}};

  const auto running = run_script("restore", {"--overwrite", file.string()}, there);
  require_refused(running, "a server (pid " + std::to_string(on.server().pid()) + ") runs on");
  auto elsewhere = there;
  elsewhere["DR_DATA_DIR"] = (shelf.path() / "elsewhere").string();
  require_refused(run_script("restore", {"--overwrite", file.string()}, elsewhere), "a server is connected");
  CHECK(on.get("/users").at("page").at("totalElements") == 2);

  const auto epoch = std::stoi(query(on.database_url(), "SELECT epoch FROM writer_state"));
  CHECK(on.stop_server() == 0);
  require_refused(run_script("restore", {file.string()}, there), "the database is not empty");
  CHECK(query(on.database_url(), "SELECT count(*) FROM users") == "2");

  require_restored(run_script("restore", {"--overwrite", file.string()}, there));
  CHECK(query(on.database_url(), "SELECT count(*) FROM users") == "1");
  CHECK(std::stoi(query(on.database_url(), "SELECT epoch FROM writer_state")) > epoch);
  on.start_server();
  CHECK(on.get("/users").at("page").at("totalElements") == 1);
}

TEST_CASE("a restore that breaks off half-way leaves the database as it was", "[system][backup]") {
  platform on(platform::setup{.simulator = false});
  enrol(on, "samsung", 400, 1000);
  const scratch_folder shelf;
  const auto file = back_up(on, shelf.path());
  CHECK(on.stop_server() == 0);
  query(on.database_url(), "UPDATE users SET name = 'still here'");
  // Somebody else's view needs a table of ours, and an event trigger refuses one in the middle of the restore.
  query(on.database_url(), "CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS "
                           "$$BEGIN RAISE EXCEPTION 'disk full, or so'; END$$");
  query(on.database_url(), "CREATE SCHEMA guard; ALTER FUNCTION public.refuse() SET SCHEMA guard; "
                           "CREATE EVENT TRIGGER guard ON ddl_command_end WHEN TAG IN ('CREATE INDEX') "
                           "EXECUTE FUNCTION guard.refuse()");
  const auto done = run_script("restore", {"--overwrite", file.string()},
                               {{"DR_DATABASE_URL", on.database_url()}, {"DR_DATA_DIR", on.data_dir().string()}});
  require_refused(done, "the database is as it was before");
  CHECK(query(on.database_url(), "SELECT name FROM users") == "still here");
}

TEST_CASE("a backup of what is no database of ours is refused and leaves no file", "[system][backup]") {
  const scratch_folder shelf;
  const auto refused = [&](const std::string& source, const std::string& why) {
    require_refused(run_script("backup", {source, (shelf.path() / "x.backup").string()}), why);
    CHECK(fs::is_empty(shelf.path()));
  };
  refused(required_variable("DR_TEST_DATABASE_URL"), "no database of the DR Platform");
  refused((shelf.path() / "nowhere").string(), "there is no database in");
  refused("postgresql://nobody:secret@127.0.0.1:1/none", "no database of the DR Platform");
}

TEST_CASE("the scripts take the database and the data folder from the operator's configuration file", "[system]") {
  const scratch_folder folder;
  platform on(platform::setup{.simulator = false});
  enrol(on, "삼성전자", 400);
  const auto file = configuration_for(on.database_url(), folder.path());
  const auto backup = folder.path() / "by-file.backup";
  const auto done = run_script("backup", {"", backup.string()}, {{"DR_CONFIG", file}});
  INFO(done.output << done.errors);
  REQUIRE(done.status == 0);
  CHECK(fs::exists(backup));
  const auto verified = run_script("drplatform", {"verify"}, {{"DR_CONFIG", file}});
  INFO(verified.output << verified.errors);
  CHECK(verified.status == 0);
  CHECK(verified.output.find("1 user") != std::string::npos);
  const auto other = run_script("drplatform", {"config"}, {{"DR_CONFIG", file}, {"DR_DATA_DIR", "/nowhere"}});
  CHECK(other.output.find("data_dir = /nowhere") != std::string::npos); // the environment goes first
  const auto help = run_script("backup", {"--help"});
  CHECK(help.status == 0);
  CHECK(help.output.find("script/backup [DATA_DIR | DATABASE_URL] [FILE]") != std::string::npos);
}
