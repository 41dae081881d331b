#include "domain/settlement.hpp"

#include "domain/settlement_text.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace dr {

namespace {

using std::chrono::minutes;

/// One trading hour of the event, as far as it is known.
struct event_hour {
  quarter_range range;
  availability metered = availability::unknown;
  reference_days references;
  bool usable() const noexcept { return metered == availability::present && !references.similar.empty(); }
};

/// Everything that has to be known before the figures can be computed.
struct gathered {
  std::vector<event_hour> hours;
  adjustment saa;
  missing_days waits;
  bool any_usable() const noexcept {
    return std::any_of(hours.begin(), hours.end(), [](const event_hour& hour) { return hour.usable(); });
  }
};

bool starts_before(const accepted_event& a, const accepted_event& b) noexcept {
  return std::tuple(a.window.from, a.campaign) < std::tuple(b.window.from, b.campaign);
}

/// The user's first event on the day on which this one starts: it decides the day's adjustment.
const accepted_event& first_of_day(const check_input& input) {
  const auto* first = &input.event;
  for (const auto& other : input.others)
    if (korean_day_of(other.window.from) == korean_day_of(input.event.window.from) && starts_before(other, *first))
      first = &other;
  return *first;
}

std::vector<korean_day> all_event_days(const check_input& input) {
  std::set<korean_day> days(input.event_days.begin(), input.event_days.end());
  auto add = [&](const accepted_event& event) {
    for (auto day : days_of(event.window)) days.insert(day);
  };
  add(input.event);
  for (const auto& other : input.others) add(other);
  return {days.begin(), days.end()};
}

adjustment adjustment_of_day(const check_input& input, const reference_source& source) {
  adjustment none;
  if (!input.event.baseline.saa) return none;
  const auto& first = first_of_day(input);
  if (!first.baseline.saa) {
    none.why_not = "the day's first event had none";
    return none;
  }
  return find_adjustment(first.window, first.rules.of(first.baseline.method), source);
}

gathered gather(const check_input& input, const reference_source& source) {
  gathered out;
  const auto& rules = input.event.rules.of(input.event.baseline.method);
  bool hopeful = false; // an hour that can be evaluated, now or once its days are there
  for (const auto& range : parts_of(input.event.window)) {
    event_hour hour{range, input.metered.of(range), {}};
    bool waits = out.waits.note(range.day, hour.metered);
    // An hour that is lost anyway needs no reference days.
    if (waits || hour.metered == availability::present) {
      hour.references = find_reference_days(range, rules, source);
      out.waits.add(hour.references.waits);
      hopeful = hopeful || !hour.references.waits.empty() || !hour.references.similar.empty();
    }
    out.hours.push_back(std::move(hour));
  }
  if (!hopeful) return out;
  out.saa = adjustment_of_day(input, source);
  out.waits.add(out.saa.waits);
  return out;
}

/// The exact energies of the usable hours, quarter by quarter.
struct totals {
  exact_wh baseline;
  std::int64_t metered_wh = 0;
  std::int64_t quarters = 0;
  std::vector<credited_quarter> reductions; ///< whole Wh that sum to the window's reduction
  minutes time() const noexcept { return quarters * quarter_hour; }
};

totals add_up(const gathered& facts, const metered_days& metered) {
  totals sum;
  std::int64_t before_wh = 0;
  for (const auto& hour : facts.hours) {
    if (!hour.usable()) continue;
    for (int i = 0; i < hour.range.count; ++i) {
      quarter_range quarter{hour.range.day, hour.range.first + i, 1};
      sum.baseline += mean_wh(hour.references.similar, quarter.first, 1, metered);
      if (facts.saa.per_hour) sum.baseline += exact_wh{facts.saa.per_hour->parts / 4};
      sum.metered_wh += metered.sum_wh(quarter);
      ++sum.quarters;
      // Rounding the running sum, not each quarter, keeps the quarters' sum equal to the window's reduction.
      auto so_far_wh = sum.baseline.rounded() - sum.metered_wh;
      sum.reductions.push_back({quarter.from(), so_far_wh - before_wh});
      before_wh = so_far_wh;
    }
  }
  return sum;
}

void add_sentence(std::string& detail, const std::string& sentence) {
  if (!detail.empty()) detail += ' ';
  detail += sentence;
}

/// Says what was left out and why, and sets the quality accordingly.
void judge_quality(evaluation& out, const gathered& facts) {
  std::vector<quarter_range> unmetered;
  std::vector<quarter_range> without_reference;
  std::set<korean_day> given_up;
  for (const auto& hour : facts.hours) {
    if (hour.metered != availability::present)
      unmetered.push_back(hour.range);
    else if (hour.references.similar.empty())
      without_reference.push_back(hour.range);
    given_up.insert(hour.references.given_up.begin(), hour.references.given_up.end());
  }
  if (!facts.any_usable()) {
    out.quality = check_quality::unverifiable;
    add_sentence(out.detail, "No hour of the event could be evaluated; the answer stays and nothing is credited.");
  } else if (!unmetered.empty() || !without_reference.empty() || !given_up.empty()) {
    out.quality = check_quality::estimated;
  }
  if (!unmetered.empty())
    add_sentence(out.detail, "Left out, metered values are missing: " + ranges_text(unmetered) + ".");
  if (!without_reference.empty())
    add_sentence(out.detail, "Left out, no reference day: " + ranges_text(without_reference) + ".");
  if (!given_up.empty())
    add_sentence(out.detail, "Reference days that were not delivered in time: " +
                                 days_text({given_up.begin(), given_up.end()}) + ".");
}

/// Signed, before caps and before overlap; reaching the threshold exactly is enough.
bool performed(std::int64_t reduction_wh, std::int64_t capacity_w, minutes time, int percent) noexcept {
  auto reduced = static_cast<wide_int>(reduction_wh) * 60 * 100;
  auto wanted = static_cast<wide_int>(capacity_w) * time.count() * percent;
  return reduced >= wanted;
}

void credit(evaluation& out, const check_input& input, const totals& sum) {
  const auto& terms = input.terms;
  auto credited = std::max<std::int64_t>(out.reduction_wh, 0);
  if (terms.cap_percent) {
    auto cap = committed_wh(input.capacity_w, sum.time(), *terms.cap_percent);
    if (credited > cap) {
      credited = cap;
      add_sentence(out.detail, "Credited up to the cap: " + std::to_string(*terms.cap_percent) +
                                   " % of the committed energy are " + kwh_text(cap) + ".");
    }
  }
  auto left = what_is_left(sum.reductions, input.credited);
  auto left_wh = positive_sum_wh(left);
  if (credited > left_wh) {
    credited = left_wh;
    add_sentence(out.detail, "An overlapping campaign was credited first; " + kwh_text(left_wh) + " were left.");
  }
  out.credited_wh = credited;
  out.spread = spread_credit(credited, left);
  out.points = points_of(credited, terms.points_per_mwh);
}

evaluation conclude(const check_input& input, const gathered& facts) {
  evaluation out;
  out.baseline = {input.event.baseline.method, facts.any_usable() && facts.saa.per_hour.has_value()};
  judge_quality(out, facts);
  if (!facts.any_usable()) return out;
  if (!facts.saa.why_not.empty()) add_sentence(out.detail, "No adjustment: " + facts.saa.why_not + ".");

  auto sum = add_up(facts, input.metered);
  out.baseline_wh = sum.baseline.rounded();
  out.metered_wh = sum.metered_wh;
  out.reduction_wh = out.baseline_wh - out.metered_wh;
  auto percent = input.terms.performs_at_percent;
  out.is_real = performed(out.reduction_wh, input.capacity_w, sum.time(), percent);
  if (out.is_real) {
    credit(out, input, sum);
    return out;
  }
  auto committed = committed_wh(input.capacity_w, sum.time());
  add_sentence(out.detail, "Not counted as reduced: " + kwh_text(out.reduction_wh) + " are less than " +
                               std::to_string(percent) + " % of the committed " + kwh_text(committed) + ".");
  return out;
}

evaluation_waits waits_of(const gathered& facts) {
  evaluation_waits out;
  out.unknown.assign(facts.waits.unknown.begin(), facts.waits.unknown.end());
  out.gaps.assign(facts.waits.gaps.begin(), facts.waits.gaps.end());
  for (const auto& hour : facts.hours)
    if (hour.metered == availability::open_gap) out.event_gaps.push_back(hour.range);
  return out;
}

evaluation unverifiable(const baseline_choice& baseline, std::string why) {
  evaluation out;
  out.baseline = {baseline.method, false};
  out.quality = check_quality::unverifiable;
  out.detail = std::move(why);
  return out;
}

} // namespace

verdict evaluate(const check_input& input) {
  auto event_days = all_event_days(input);
  reference_source source{input.metered, input.holidays, event_days};
  auto facts = gather(input, source);
  if (!facts.waits.empty()) return waits_of(facts);
  return conclude(input, facts);
}

quarter_span quarters_looked_at(const check_input& input) {
  int first = quarters_per_day;
  int last = 0;
  auto cover = [&](int from, int count) {
    first = std::min(first, from);
    last = std::max(last, from + count);
  };
  for (const auto& part : parts_of(input.event.window)) cover(part.first, part.count);
  if (const auto& decides = first_of_day(input); input.event.baseline.saa && decides.baseline.saa) {
    auto parts = parts_of(decides.window);
    if (!parts.empty()) {
      const auto& rules = decides.rules.of(decides.baseline.method);
      cover(parts.front().first, parts.front().count);
      cover(std::max(parts.front().hour() - rules.saa_starts_before, 0) * 4, rules.saa_hours * 4);
    }
  }
  last = std::min(last, quarters_per_day);
  if (first >= last) return {};
  return {first, last - first};
}

std::vector<korean_day> days_needed(const check_input& input) {
  auto answer = evaluate(input);
  const auto* waits = std::get_if<evaluation_waits>(&answer);
  if (!waits) return {};
  std::set<korean_day, std::greater<>> days(waits->unknown.begin(), waits->unknown.end());
  days.insert(waits->gaps.begin(), waits->gaps.end());
  return {days.begin(), days.end()};
}

std::vector<credited_quarter> reductions_by_quarter(const check_input& input) {
  auto event_days = all_event_days(input);
  auto facts = gather(input, {input.metered, input.holidays, event_days});
  if (!facts.waits.empty() || !facts.any_usable()) return {};
  return add_up(facts, input.metered).reductions;
}

evaluation unverifiable_without_number(const baseline_choice& baseline) {
  return unverifiable(baseline, "The user has no KEPCO customer number; the answer stays and nothing is credited.");
}

// The reason itself is the operator's business: it is in the event CheckParked.
evaluation unverifiable_in_time(const baseline_choice& baseline) {
  return unverifiable(
      baseline, "It could not be verified until the verification deadline; the answer stays and nothing is credited.");
}

void fill(reduction_check& check, const evaluation& figures) {
  check.is_real = figures.is_real;
  check.adjust_points = figures.points;
  check.baseline = figures.baseline;
  check.baseline_wh = figures.baseline_wh;
  check.metered_wh = figures.metered_wh;
  check.reduction_wh = figures.reduction_wh;
  check.credited_wh = figures.credited_wh;
  check.quality = figures.quality;
  check.detail = figures.detail;
  check.spread = figures.spread;
}

} // namespace dr
