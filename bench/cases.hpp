// The cases of the bench. Each builds what it needs, measures ours and the bare limit in turn, and adds its results.
#pragma once

#include "bench/report.hpp"
#include "bench/stage.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace dr::bench {

/// A run of the bench, as the cases see it.
struct bench {
  places where;
  bool quick = false;   ///< small and short: proves that it works, its figures mean little
  bool curves = false;  ///< many sizes, fewer rounds: shows how figures grow
  bool lengthy = false; ///< also what takes many minutes
  std::vector<case_result> results = {};

  /// The times everything is measured, ours and bare in turn. `costly`: a round takes half a minute or more.
  int rounds(bool costly = false) const { return quick ? 1 : curves ? (costly ? 1 : 3) : costly ? 3 : 5; }
  /// The counted time of one load.
  std::chrono::milliseconds load_time() const {
    return std::chrono::milliseconds(quick ? 300 : curves ? 2'000 : 3'000);
  }
  std::chrono::milliseconds warm_up() const { return std::chrono::milliseconds(quick ? 100 : 500); }
  int pick(int when_quick, int otherwise) const { return quick ? when_quick : otherwise; }
  /// The sizes to measure one after the other.
  std::vector<int> sizes(std::vector<int> when_quick, std::vector<int> usual, std::vector<int> of_curves) const {
    return quick ? std::move(when_quick) : curves ? std::move(of_curves) : std::move(usual);
  }
  /// A line of progress on stderr.
  void say(const std::string& text) const;
  /// Keeps a result and prints it.
  void add(case_result result);
};

struct bench_case {
  std::string name;
  std::string what;
  std::function<void(bench&)> run;
};

/// All of them, in the order of their importance.
std::vector<bench_case> all_cases();

void answers_by_rest(bench& on);
void isolation_from_kepco(bench& on);
void isolation_from_a_crashing_campaign(bench& on);
void recovery_from_kill(bench& on);
void recovery_of_postgres(bench& on);
void starting_a_campaign(bench& on);
void ordering_beside_open_campaigns(bench& on);
void reads(bench& on);
void walking_responses(bench& on);
void alerts(bench& on);
void answers_by_websocket(bench& on);
void settling(bench& on);
void fetching(bench& on);
void withdrawals(bench& on);
void idle(bench& on);

} // namespace dr::bench
