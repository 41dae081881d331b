#include "config/data_dir.hpp"
#include "tests/unit/config_support.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace dr;
using Catch::Matchers::Contains;
using config_test::scratch_folder;

namespace {
unsigned mode_of(const std::filesystem::path& file) {
  struct stat st {};
  REQUIRE(::stat(file.c_str(), &st) == 0);
  return st.st_mode & 0777;
}
} // namespace

TEST_CASE("the data folder is made private, parents included", "[config]") {
  scratch_folder here;
  REQUIRE(make_data_dir(here / "a/b/data").has_value());
  CHECK(mode_of(here / "a/b/data") == (::geteuid() == 0 ? 0711u : 0700u));
  CHECK(make_data_dir(here / "a/b/data").has_value());
}

TEST_CASE("a file where the data folder should be is refused", "[config]") {
  scratch_folder here;
  here.write("data", "");
  auto made = make_data_dir(here / "data");
  REQUIRE_FALSE(made.has_value());
  CHECK_THAT(made.error().detail, Contains("is not a folder"));
}

TEST_CASE("a secret file is only its owner's, and is replaced whole", "[config]") {
  scratch_folder here;
  const auto file = here / "admin.token";
  here.write("admin.token", "an older and longer content");
  ::chmod(file.c_str(), 0644);
  REQUIRE(write_secret_file(file, "new").has_value());
  CHECK(mode_of(file) == 0600);
  CHECK(*read_small_file(file) == "new");
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(file.parent_path())) ++files;
  CHECK(files == 1);
  CHECK_FALSE(write_secret_file(here / "no/such/folder", "x").has_value());
}

TEST_CASE("reading is bounded and tells a missing file from a broken one", "[config]") {
  scratch_folder here;
  CHECK(read_small_file(here / "none").error().code == errc::not_found);
  CHECK(read_small_file(here.write("big", std::string(100, 'x')), 99).error().code == errc::invalid);
  CHECK(read_small_file(here / "big", 100)->size() == 100);
}

TEST_CASE("a second server on the same folder is refused by the first one's pid", "[config]") {
  scratch_folder here;
  const auto file = here / "drplatform.pid";
  {
    auto first = pid_file::acquire(file);
    REQUIRE(first.has_value());
    CHECK(*read_small_file(file) == std::to_string(::getpid()) + "\n");
    auto second = pid_file::acquire(file); // another open file description, as another process has
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == errc::version_conflict);
    CHECK_THAT(second.error().detail, Contains("pid " + std::to_string(::getpid()) + ")"));
  }
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(pid_file::acquire(file).has_value());
}

TEST_CASE("the pid file of a killed server is taken over", "[config]") {
  scratch_folder here;
  const auto file = here / "drplatform.pid";
  const auto child = ::fork();
  if (child == 0) {
    auto held = pid_file::acquire(file);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(*read_small_file(file) == std::to_string(child) + "\n");
  auto mine = pid_file::acquire(file);
  REQUIRE(mine.has_value());
  CHECK(*read_small_file(file) == std::to_string(::getpid()) + "\n");
}

TEST_CASE("a pid file goes from one server to its successor without a gap", "[config]") {
  const scratch_folder folder;
  const auto file = folder / "drplatform.pid";
  auto old = std::optional(pid_file::acquire(file).value());
  auto successor = pid_file::replace(file);
  REQUIRE(successor.has_value());
  CHECK(read_small_file(file).value() == std::to_string(::getpid()) + "\n");
  old->leave();
  old.reset();
  CHECK(std::filesystem::exists(file)); // it is the successor's
  CHECK(pid_file::acquire(file).error().code == errc::version_conflict);
  { const auto ended = std::move(*successor); }
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(pid_file::acquire(file).has_value());
}
