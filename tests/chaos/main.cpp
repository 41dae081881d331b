// dr-chaos: runs the product under faults for as long as asked, and judges it. script/chaos calls it.
#include "tests/chaos/run.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <random>

int main(int argc, char** argv) {
  using namespace dr::chaos;
  CLI::App app("Drives the real programs under faults and judges whether every promise was kept.\n"
               "The same seed makes the same plan.");
  run_setup setup;
  double minutes = 1;
  bool without_faults = false;
  bool only_plan = false;
  setup.options.seed = std::random_device{}();
  app.add_option("--minutes", minutes, "length of the time with faults")->check(CLI::Range(0.05, 24.0 * 60));
  app.add_option("--seed", setup.options.seed, "of the plan; default: a new one");
  app.add_option("--customers", setup.options.customers, "simulated customers")->check(CLI::Range(1, 400));
  app.add_option("--kills", setup.options.server_kills, "kills of the server at least")->check(CLI::Range(0, 10'000));
  app.add_option("--server", setup.server_program, "the server program, in DR_BIN_DIR");
  app.add_option("--report", setup.report, "folder for history and logs when a promise was broken");
  app.add_flag("--without-faults", without_faults, "only load");
  app.add_flag("--plan", only_plan, "print the plan and do nothing");
  CLI11_PARSE(app, argc, argv);

  setup.options.length = milliseconds{static_cast<std::int64_t>(minutes * 60'000)};
  setup.options.faults = !without_faults;
  setup.options.kills_actors = setup.server_program == "dr-chaos-server";
  setup.talks = true;
  std::cout << "seed " << setup.options.seed << std::endl;
  if (only_plan) {
    std::cout << to_text(plan(setup.options));
    return 0;
  }
  try {
    const auto result = carry_out(setup);
    std::cout << to_text(result);
    return result.found.all().empty() ? 0 : 1;
  } catch (const std::exception& why) {
    std::cout << "BROKEN: the run did not come to rest: " << why.what() << std::endl;
    return 1;
  }
}
