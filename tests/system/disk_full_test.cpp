// Postgres has no room left: for its tables, and for its log.
#include "tests/system/own_postgres.hpp"
#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dr::test;
using namespace std::chrono_literals;

namespace {

/// A disk of a few megabytes for Postgres, in memory. Mounting takes root's rights (and a container that has them).
class small_disk {
public:
  explicit small_disk(int size_mb) {
    const auto options = "size=" + std::to_string(size_mb) + "m";
    mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) WARN("skipped: a file system cannot be mounted here, so the disk cannot be filled up");
  }
  ~small_disk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  bool mounted() const noexcept { return mounted_; }

  /// A folder on it that belongs to whom Postgres runs as.
  std::filesystem::path folder_for(const own_postgres& postgres) const {
    auto made = folder_.path() / "postgres";
    std::filesystem::create_directory(made);
    struct ::stat owner {};
    REQUIRE(::stat(postgres.data().c_str(), &owner) == 0);
    REQUIRE(::chown(made.c_str(), owner.st_uid, owner.st_gid) == 0);
    std::filesystem::permissions(made, std::filesystem::perms::owner_all);
    return made;
  }
  void fill() {
    std::ofstream ballast(folder_.path() / "ballast", std::ios::binary);
    const std::string piece(4096, 'x');
    while (ballast.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {}
  }
  void make_room() { std::filesystem::remove(folder_.path() / "ballast"); }

private:
  scratch_folder folder_;
  bool mounted_ = false;
};

json_answer enrolment(platform& on, int number) {
  return on.call("POST", "/users", {{"name", "site " + std::to_string(number)}, {"capacity", 100}});
}

/// Enrols until that is refused; returns how many were acknowledged.
int enrol_until_refused(platform& on) {
  for (int made = 0; made < 5000; ++made) {
    const auto answer = enrolment(on, made + 1);
    if (answer.status == 201) continue;
    INFO(answer.body.dump());
    CHECK(answer.status == 503);
    CHECK(answer.body.at("type") == "/problems/store-unavailable"); // nothing was written, for certain
    return made;
  }
  FAIL("the disk does not fill up");
  return 0;
}

} // namespace

TEST_CASE("with the disk full writes are refused, reads go on, none is lost, and room is all it takes", "[system]") {
  small_disk disk(32);
  if (!disk.mounted()) return;
  own_postgres postgres;
  sql(postgres.url(), "CREATE TABLESPACE small LOCATION '" + disk.folder_for(postgres).string() + "'");
  sql(postgres.url(), "CREATE DATABASE small TABLESPACE small");
  auto url = postgres.url();
  url.replace(url.find("/drplatform?"), 12, "/small?");
  platform on(platform::setup{.variables = {{"DR_DATABASE_REQUEST_TIMEOUT_S", "1"}}, .database_url = url});
  disk.fill();
  const int before = enrol_until_refused(on);
  CHECK(on.get("/users").at("page").at("totalElements") == before);
  CHECK(on.call("GET", "/livez").status == 200);
  CHECK(on.log().find("53100") != std::string::npos); // "disk full", in the operator's log

  disk.make_room();
  eventually("users are enrolled again", [&] { return enrolment(on, before + 1).status == 201; });
  CHECK(on.get("/users").at("page").at("totalElements") == before + 1);
  CHECK(on.get("/health").at("storage").at("state") == "up");
  require_events_whole(on);
}

TEST_CASE("Postgres panics when its log has no room; started again with room, everything acknowledged is there",
          "[system]") {
  small_disk disk(40);
  if (!disk.mounted()) return;
  own_postgres postgres("min_wal_size = 32MB\nmax_wal_size = 32MB\n", false);
  const auto log = postgres.data() / "pg_wal";
  const auto moved = disk.folder_for(postgres) / "pg_wal";
  run({"cp", "-a", log.string(), moved.string()});
  std::filesystem::remove_all(log);
  std::filesystem::create_directory_symlink(moved, log);
  postgres.start();
  platform on(platform::setup{.variables = {{"DR_DATABASE_REQUEST_TIMEOUT_S", "1"}}, .database_url = postgres.url()});
  const int user = enrol(on, "samsung", 400, 1000);
  const int campaign = start_campaign(on);
  CHECK(accept(on, campaign, user) == 200);
  auto socket = on.socket_of(user);
  REQUIRE(socket.receive());

  disk.fill();
  // The next segment of the log has no room.
  CHECK_THROWS([&] {
    for (int i = 0; i < 3; ++i) sql(postgres.url(), "SELECT pg_switch_wal() FROM txid_current()");
  }());
  eventually("Postgres gives up", [&] { return !postgres.running(); });
  CHECK(postgres.log().find("PANIC") != std::string::npos);
  CHECK(on.call("PUT", "/responses/1/deny").status == 503);
  CHECK(on.call("GET", "/livez").status == 200);

  disk.make_room();
  postgres.start();
  eventually("answers are taken again", [&] { return on.call("PUT", "/responses/1/deny").status == 200; });
  CHECK(response_of(on, campaign, user).at("answer") == "deny");
  CHECK_FALSE(socket.closed());
  require_books_balance(on);
  require_events_whole(on);
}
