// What the bench found: one result per case and parameters, as a table for people and as JSON for tools.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dr::bench {

using params = nlohmann::ordered_json;

/// The values of the rounds of one measurement.
class series {
public:
  void add(double value) { values_.push_back(value); }
  bool empty() const noexcept { return values_.empty(); }
  double median() const;
  /// (highest − lowest) ÷ median; 0 for a single value.
  double spread() const;
  /// The median of value ÷ the other's value of the same round: the machine's own ups and downs drop out. Both have as
  /// many rounds.
  double median_ratio(const series& other) const;

private:
  std::vector<double> values_;
};

/// A bound that a figure should keep.
struct goal {
  enum class of { ratio, ours };
  enum class bound { at_least, at_most };
  of figure = of::ratio;
  bound side = bound::at_least;
  double limit = 0;
};

struct case_result {
  std::string name;
  params with = params::object();
  std::string unit;
  double ours = 0;
  std::optional<double> bare = {};            ///< the bare limit, measured in the same run
  std::optional<double> paired = {};          ///< the ratio, when it was taken round by round
  double spread = 0;                          ///< of ours, over the rounds
  std::optional<double> cpu_us = {};          ///< the server's CPU time per operation, in µs
  std::optional<std::int64_t> rss_bytes = {}; ///< the server's resident memory at the end
  std::vector<goal> goals = {};
  std::string error = {}; ///< why there is no figure

  /// `paired`, or ours ÷ bare: of rates at least, of times at most, what the goal says.
  std::optional<double> ratio() const;
  /// "ratio ≥ 0.80, ours ≤ 50 ms".
  std::string goal_text() const;
  /// Nothing without a goal.
  std::optional<bool> met() const;
};

/// All results and where they come from, in the format that `--json` writes.
nlohmann::ordered_json to_json(const std::vector<case_result>& results, const std::string& commit, bool quick);
/// One result in one line.
std::string to_line(const case_result& result);
/// A table for people.
std::string to_table(const std::vector<case_result>& results);
/// Two files of `--json` side by side, case by case. Throws std::runtime_error on a file that is none.
std::string compare(const nlohmann::ordered_json& before, const nlohmann::ordered_json& after);

} // namespace dr::bench
