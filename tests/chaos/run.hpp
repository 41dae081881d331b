// One run: a world, its customers and operator, the faults of the plan, a quiet end, and the judgement.
#pragma once

#include "tests/chaos/judge.hpp"
#include "tests/chaos/schedule.hpp"
#include "tests/support/process.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace dr::chaos {

struct run_setup {
  run_options options;
  std::string server_program = "drplatform"; ///< in DR_BIN_DIR
  test::environment variables;               ///< for the server, on top of the run's own
  std::filesystem::path report;              ///< a folder for history and logs when something was found; empty: none
  bool talks = false;                        ///< says on stderr what it is doing
};

struct run_result {
  findings found;
  std::map<std::string, std::int64_t> faults;     ///< struck, by kind
  std::map<std::string, std::int64_t> operations; ///< by kind and outcome
  std::int64_t sessions = 0;
  std::int64_t messages = 0; ///< pushed to customers
  std::int64_t events = 0;   ///< in the log
  std::int64_t checks = 0;
  std::int64_t server_starts = 0;
};

/// Throws when the product does not come to rest in the end (that is a finding of its own).
run_result carry_out(const run_setup& setup);

/// What people read.
std::string to_text(const run_result& result);

} // namespace dr::chaos
