// What the tests of data safety share: programs run to their end, the audit, and a walk through everything that moves
// points.
#pragma once

#include "tests/system/platform.hpp"

#include <string>
#include <vector>

namespace dr::test {

struct ended {
  int status = -1;    ///< 128 + n for signal n
  std::string output; ///< stdout
  std::string errors; ///< stderr
};

/// Runs a program to its end; throws only when it takes longer than the deadline.
ended run_to_end(const std::vector<std::string>& command, const environment& variables = {},
                 std::chrono::milliseconds at_most = std::chrono::seconds(120));
/// One of the scripts, with the variables that lead it to the programs under test.
ended run_script(const std::string& name, std::vector<std::string> arguments, environment variables = {});

/// `drplatform verify --json` on this database.
ended verify(const std::string& database_url, const std::vector<std::string>& arguments = {"--json"});
/// Its report; fails the test unless it exits with this status.
json verify_report(const std::string& database_url, int expected_status = 0);

/// The first column of the first row.
std::string query(const std::string& database_url, const std::string& statement);

/// Three users and every kind of campaign: overlapping ones, one denied, one ignored, one canceled, a test; a cheat, a
/// withdrawal of all that was credited, a recheck that takes the credit back (and leaves the user owing) and one that
/// gives it again. Everything is settled at the end.
void walk_everything(platform& on);

} // namespace dr::test
