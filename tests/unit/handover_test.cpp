// The course of a handover, event by event; and messages with descriptors between processes.
#include "app/handover.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace std::chrono_literals;
using step = handover::step;

namespace {

const handover::time_point start{1h};
constexpr handover_limits limits{60s, 10s, 20s, 30s};

handover switched_at(std::chrono::seconds after) {
  handover one(limits, start);
  REQUIRE(one.prepared(start + after) == step::switch_over);
  return one;
}

bool says(const handover& one, const std::string& text) { return one.outcome().find(text) != std::string::npos; }

} // namespace

TEST_CASE("a handover is finished when the new server is ready and the old one has ended", "[handover]") {
  for (const bool old_first : {true, false}) {
    auto one = switched_at(2s);
    CHECK(one.switched());
    CHECK(one.released(start + 3s) == step::wait);
    one.serving(start + 4s);
    CHECK((old_first ? one.old_ended() : one.ready(start + 5s)) == step::wait);
    CHECK((old_first ? one.ready(start + 5s) : one.old_ended()) == step::finish);
    CHECK(one.succeeded());
    CHECK_FALSE(one.switched());
    CHECK_FALSE(one.due().has_value());
    CHECK(one.outcome() == "The server was replaced: prepared in 2.00 s, took over in 2.00 s, ready after 5.00 s.");
  }
}

TEST_CASE("a successor that ends before it is prepared is abandoned, and its last words are the reason", "[handover]") {
  handover one(limits, start);
  one.remark("no database is given");
  CHECK(one.successor_ended("ended with status 78") == step::abandon);
  CHECK_FALSE(one.succeeded());
  CHECK(says(one, "The running server goes on as before"));
  CHECK(says(one, "ended with status 78 before it was prepared: no database is given."));
}

TEST_CASE("a successor that is not prepared in time is abandoned", "[handover]") {
  handover one(limits, start);
  one.remark("the database cannot be reached");
  CHECK(one.due() == start + 60s);
  CHECK(one.tick(start + 59s) == step::wait);
  CHECK(one.tick(start + 60s) == step::abandon);
  CHECK(says(one, "within 60.00 s: the database cannot be reached"));
  CHECK(one.prepared(start + 61s) == step::wait); // too late
  CHECK(one.tick(start + 200s) == step::wait);
}

TEST_CASE("an old server that does not let go is killed, and the handover goes on", "[handover]") {
  auto one = switched_at(1s);
  CHECK(one.due() == start + 11s);
  CHECK(one.tick(start + 10s) == step::wait);
  CHECK(one.tick(start + 11s) == step::kill_old);
  CHECK(one.tick(start + 12s) == step::wait); // once is enough
  CHECK(one.old_ended() == step::wait);
  one.serving(start + 13s);
  CHECK(one.ready(start + 13s) == step::finish);
  CHECK(one.succeeded());
  CHECK(says(one, "the old server did not let go within 10.00 s and was killed"));
}

TEST_CASE("an old server that has let go has more time to end", "[handover]") {
  auto one = switched_at(1s);
  CHECK(one.released(start + 5s) == step::wait);
  one.serving(start + 6s);
  CHECK(one.ready(start + 6s) == step::wait);
  CHECK(one.tick(start + 24s) == step::wait);
  CHECK(one.tick(start + 25s) == step::kill_old);
  CHECK(one.old_ended() == step::finish);
  CHECK(says(one, "did not end in time and was killed"));
}

TEST_CASE("a probe that the old server answered does not count", "[handover]") {
  auto one = switched_at(1s);
  CHECK(one.old_ended() == step::wait);
  CHECK(one.ready(start + 2s) == step::wait);
  one.serving(start + 3s);
  CHECK(one.ready(start + 4s) == step::finish);
}

TEST_CASE("a new server that dies while it takes over is a failure that ends in a ready one", "[handover]") {
  auto one = switched_at(1s);
  CHECK(one.successor_ended("was ended by signal 9") == step::wait);
  CHECK(one.old_ended() == step::wait);
  one.serving(start + 8s);
  CHECK(one.ready(start + 9s) == step::finish);
  CHECK_FALSE(one.succeeded());
  CHECK(says(one, "The server was replaced, but the new one was ended by signal 9 while it took over"));
}

TEST_CASE("a new server that does not become ready in time ends the wait", "[handover]") {
  auto one = switched_at(1s);
  CHECK(one.released(start + 1s) == step::wait);
  CHECK(one.old_ended() == step::wait);
  one.serving(start + 2s);
  CHECK(one.due() == start + 41s);
  CHECK(one.tick(start + 41s) == step::finish);
  CHECK_FALSE(one.succeeded());
  CHECK(says(one, "is not ready after 40.00 s"));
}
