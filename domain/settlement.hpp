// The verification of one response: from metered days to a baseline, a reduction, a verdict and points.
// Pure: the caller fetches days as they are asked for and calls again.
#pragma once

#include "domain/baseline.hpp"
#include "domain/check.hpp"
#include "domain/overlap.hpp"
#include "domain/programme.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace dr {

/// An event of the user: a campaign (not canceled, not a test) that it accepted.
struct accepted_event {
  campaign_id campaign;
  evaluation_window window;
  baseline_choice baseline;  ///< frozen in that response
  baseline_rules rules = {}; ///< frozen in that campaign
};

/// All that the verdict depends on.
struct check_input {
  accepted_event event;        ///< the one to verify
  programme_terms terms;       ///< frozen in the campaign
  std::int64_t capacity_w = 0; ///< frozen in the response
  metered_days metered;        ///< what is known so far, the event day and the deadline included
  holiday_list holidays;       ///< sorted
  std::vector<accepted_event>
      others; ///< the user's other events; they are no reference days, and the first one of a day decides its SAA
  std::vector<korean_day>
      event_days;           ///< further event days, in any order; those of `event` and `others` need not be named
  credited_before credited; ///< to this campaign and the user's others (settled checks' spreads)
};

/// The figures of a finished verification.
struct evaluation {
  bool is_real = false;
  std::int64_t points = 0;
  baseline_choice baseline; ///< as used; saa only if an adjustment was really applied
  std::int64_t baseline_wh = 0;
  std::int64_t metered_wh = 0;
  std::int64_t reduction_wh = 0; ///< signed
  std::int64_t credited_wh = 0;
  check_quality quality = check_quality::final_;
  std::string detail;
  std::vector<credited_quarter> spread;
  friend bool operator==(const evaluation&, const evaluation&) = default;
};

/// Days that are needed before anything can be said.
struct evaluation_waits {
  std::vector<korean_day> unknown;       ///< fetch these; most recent first, as few as the method needs
  std::vector<korean_day> gaps;          ///< known, but a value that matters is not there yet: fetch again later
  std::vector<quarter_range> event_gaps; ///< the event's own hours among them
};

using verdict = std::variant<evaluation_waits, evaluation>;

/// Verifies one response. Event hours with a missing value (on a closed day, or past the deadline) or without a
/// reference day are left out and make it estimated; none left: unverifiable. Days that are neither closed nor complete
/// in the hours that matter are waited for until `metered.deadline_passed`.
verdict evaluate(const check_input& input);

/// Outside of it evaluate() looks at no value, whatever day: all hours of the event, and of the hours that decide the
/// day's adjustment.
quarter_span quarters_looked_at(const check_input& input);

/// The days that evaluate() would wait for, unknown ones and gaps together, most recent first; empty: it can finish.
std::vector<korean_day> days_needed(const check_input& input);

/// What was reduced in each evaluated quarter hour (signed, before caps and overlap; they sum to the reduction). Empty
/// when evaluate() would wait, or could evaluate no hour.
std::vector<credited_quarter> reductions_by_quarter(const check_input& input);

/// The verdict on a user without a KEPCO customer number: unverifiable.
evaluation unverifiable_without_number(const baseline_choice& baseline);
/// The verdict on a check that failed every time until its verification deadline had passed: unverifiable.
evaluation unverifiable_in_time(const baseline_choice& baseline);

/// Copies the figures into a check's record; ids, names and times are left as they are.
void fill(reduction_check& check, const evaluation& figures);

} // namespace dr
