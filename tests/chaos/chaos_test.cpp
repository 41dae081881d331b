// The fault suite as tests: short seeded runs against the real programs, and the planted bugs that it must catch.
#include "tests/chaos/run.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace dr::chaos;

namespace {

using namespace std::chrono_literals;

run_setup short_run(std::uint64_t seed, milliseconds length) {
  run_setup made;
  made.options.seed = seed;
  made.options.length = length;
  made.options.customers = 16;
  return made;
}

void require_kept(const run_setup& setup) {
  const auto result = carry_out(setup);
  INFO("seed " << setup.options.seed << "\n" << to_text(result));
  CHECK(result.found.all().empty());
  CHECK(result.checks > 0);
}

/// A run without faults against a server with a planted bug.
findings findings_of(const char* mutant) {
  auto setup = short_run(3, 8s);
  setup.options.faults = false;
  setup.server_program = "dr-chaos-server";
  setup.variables["CHAOS_MUTANT"] = mutant;
  return carry_out(setup).found;
}

} // namespace

TEST_CASE("the same seed makes the same plan, another one another", "[chaos]") {
  run_options options;
  options.seed = 7;
  const auto first = to_text(plan(options));
  CHECK(first == to_text(plan(options)));
  options.seed = 8;
  CHECK(first != to_text(plan(options)));
}

TEST_CASE("every promise is kept under every fault, alone and mixed", "[chaos][run]") {
  require_kept(short_run(1, 75s));
}

TEST_CASE("every promise is kept while the server's own services are killed", "[chaos][run]") {
  auto setup = short_run(2, 30s);
  setup.server_program = "dr-chaos-server";
  setup.options.kills_actors = true;
  setup.options.only_actors = true;
  require_kept(setup);
}

TEST_CASE("a lost commit is caught", "[chaos][run]") { CHECK(findings_of("lost-commit").broke(promises::answers)); }
TEST_CASE("points credited twice are caught", "[chaos][run]") {
  CHECK(findings_of("double-credit").broke(promises::books));
}
TEST_CASE("a skipped alert is caught", "[chaos][run]") { CHECK(findings_of("skipped-alert").broke(promises::alerts)); }
TEST_CASE("a wrong count is caught", "[chaos][run]") { CHECK(findings_of("wrong-count").broke(promises::counts)); }
TEST_CASE("a lost event is caught", "[chaos][run]") { CHECK(findings_of("forgotten-event").broke(promises::events)); }
