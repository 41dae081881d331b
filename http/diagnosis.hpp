// What is wrong, in words that an operator can act on: what, since when, what the system does about it, what to do.
// Pure.
#pragma once

#include "actors/messages.hpp"
#include "storage/store.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dr::http {

enum class health_status : unsigned char { up, degraded, down };
/// "up", "degraded", "down".
const char* to_string(health_status status) noexcept;

/// The parts' own words, as asked at `at`. A part that did not answer is described as such.
struct health_report {
  health_status status = health_status::up;
  actors::tree_node tree;
  actors::kepco_state kepco;
  actors::storage_state storage;
  bool tree_answers = true;
  bool kepco_answers = true;
  bool storage_answers = true;
  std::optional<storage::check_queue> checks;  ///< none: storage could not say
  std::optional<time_point> checks_due_before; ///< a queued check due before this (business time) is overdue
  std::size_t connections = 0;                 ///< open
  std::size_t max_connections = 0;             ///< most accepted
  std::optional<time_point> refusing_since;    ///< connections are refused, for there are too many
  bool draining = false;
  std::optional<korean_day> calendar_until; ///< the last day of the calendar of public holidays' last year
  korean_day today{};                       ///< business time
  std::optional<double> virtual_rate;       ///< business seconds per second, on a virtual clock
  std::optional<time_point> clock_stands;   ///< the world's clock was set back; business time stands still until this
  time_point process_since{};
  time_point at{}; ///< real time
};

/// A report, and when it was complete.
struct timed_report {
  health_report report;
  std::chrono::steady_clock::time_point at;
};

enum class severity : unsigned char { critical, warning, info };
/// "critical", "warning", "info".
const char* to_string(severity how_bad) noexcept;

struct health_problem {
  std::string key;  ///< stays the same as long as it is the same problem; not shown
  std::string part; ///< "storage", "kepco", "checks", "front", "process", or a path in the tree of supervisors
  severity how_bad = severity::warning;
  std::string what;   ///< for everybody: nothing internal and no customer's data
  time_point since{}; ///< real time; of checks business time
  std::string doing;  ///< what the system does about it; for everybody
  std::string todo;   ///< for the operator
  std::string said;   ///< the part's own words, for the operator; may be empty
};

/// Everything that is wrong, the worst first.
std::vector<health_problem> diagnose(const health_report& report);

/// Says in the log when a problem begins and when it is over, once each, however often it flickers in between.
class problem_log {
public:
  using instant = std::chrono::steady_clock::time_point;
  struct line {
    health_problem problem;
    bool begins = true;
    std::chrono::seconds lasted{0};
    /// "storage: The database cannot be reached. …", "storage: over after 12 s: The database cannot be reached."
    std::string text() const;
  };
  /// The lines to be written now. A problem is over when it has not been there for `quiet`.
  std::vector<line> update(const std::vector<health_problem>& there, instant now);
  static constexpr std::chrono::seconds quiet{10};

private:
  struct open {
    health_problem problem;
    instant first{};
    instant last{};
  };
  std::map<std::string, open> open_;
};

} // namespace dr::http
