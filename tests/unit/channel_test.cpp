// Messages and descriptors between processes, and the launcher's socket in a data folder.
#include "app/channel.hpp"
#include "tests/unit/config_support.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace dr;
using namespace std::chrono_literals;
using outcome = channel::outcome;

TEST_CASE("a message arrives whole and with its descriptor", "[channel]") {
  auto ends = channel::make_pair();
  REQUIRE(ends.has_value());
  auto& [one, other] = *ends;
  channel::message got;
  CHECK(other.receive(got, 0ms) == outcome::nothing);
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const unique_descriptor read_end{pipe_ends[0]};
  const std::string large(channel::most_bytes, 'x');
  CHECK(one.send("take this", pipe_ends[1]));
  ::close(pipe_ends[1]);
  CHECK_FALSE(one.send(large + "x"));
  REQUIRE(other.receive(got, 10s) == outcome::message);
  CHECK(got.text == "take this");
  REQUIRE(got.passed.get() >= 0);
  CHECK(::write(got.passed.get(), "!", 1) == 1);
  char through = 0;
  CHECK(::read(read_end.get(), &through, 1) == 1);
  CHECK((::fcntl(got.passed.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(one.send(large));
  REQUIRE(other.receive(got, 10s) == outcome::message);
  CHECK(got.text == large);
  CHECK(got.passed.get() == -1);
}

TEST_CASE("what was said before the end is still heard", "[channel]") {
  auto ends = channel::make_pair();
  REQUIRE(ends.has_value());
  CHECK(ends->first.send("last words"));
  ends->first = {};
  channel::message got;
  CHECK(ends->second.receive(got, 0ms) == outcome::message);
  CHECK(ends->second.receive(got, 0ms) == outcome::ended);
  CHECK_FALSE(ends->second.send("anybody there?"));
  CHECK(channel{}.receive(got, 0ms) == outcome::ended);
}

TEST_CASE("a launcher is found through its data folder, however long the folder's name is", "[channel]") {
  const config_test::scratch_folder scratch;
  const auto folder = scratch / std::string(120, 'd');
  std::filesystem::create_directory(folder);
  CHECK(connect_to_launcher(folder).error().code == errc::not_found);
  { CHECK(listen_in(folder).has_value()); } // of one that died
  CHECK(connect_to_launcher(folder).error().code == errc::not_found);
  const auto listener = listen_in(folder);
  REQUIRE(listener.has_value());
  struct stat made {};
  REQUIRE(::stat((folder / launcher_socket).c_str(), &made) == 0);
  CHECK((made.st_mode & 0777) == 0600);
  CHECK_FALSE(accept_from(*listener).has_value());
  const auto asker = connect_to_launcher(folder);
  REQUIRE(asker.has_value());
  CHECK(asker->send("hello"));
  const auto asked = accept_from(*listener);
  REQUIRE(asked.has_value());
  channel::message got;
  REQUIRE(asked->receive(got, 10s) == outcome::message);
  CHECK(got.text == "hello");
}
