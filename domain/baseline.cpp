#include "domain/baseline.hpp"

#include <algorithm>

namespace dr {

namespace {

struct candidate {
  korean_day day{};
  std::int64_t wh = 0;
};

/// Days are dropped only while more remain than the method keeps: the lowest first, then the highest.
std::vector<korean_day> without_extremes(std::vector<candidate> found, const method_rules& rules) {
  auto surplus = std::max(0, static_cast<int>(found.size()) - rules.keeps());
  auto lowest = std::min(rules.drop_lowest, surplus);
  auto highest = std::min(rules.drop_highest, surplus - lowest);
  std::sort(found.begin(), found.end(),
            [](const candidate& a, const candidate& b) { return a.wh != b.wh ? a.wh < b.wh : a.day < b.day; });
  found.erase(found.begin(), found.begin() + lowest);
  std::sort(found.begin(), found.end(),
            [](const candidate& a, const candidate& b) { return a.wh != b.wh ? a.wh > b.wh : a.day < b.day; });
  found.erase(found.begin(), found.begin() + highest);
  std::vector<korean_day> days;
  days.reserve(found.size());
  for (const auto& kept : found) days.push_back(kept.day);
  std::sort(days.begin(), days.end());
  return days;
}

} // namespace

reference_days find_reference_days(const quarter_range& range, const method_rules& rules,
                                   const reference_source& from) {
  reference_days out;
  std::vector<candidate> found;
  int hoped_for = 0; // days that are not there yet count as if they were good: no more are asked for than needed
  int looked_at = 0;
  for (auto day = range.day - std::chrono::days{1}; day >= range.day - longest_walk; day -= std::chrono::days{1}) {
    if (static_cast<int>(found.size()) + hoped_for == rules.wanted || looked_at == rules.look_back) break;
    if (!is_working_day(day, from.holidays)) continue;
    if (std::binary_search(from.event_days.begin(), from.event_days.end(), day)) continue;
    ++looked_at;
    quarter_range same{day, range.first, range.count};
    auto state = from.metered.of(same);
    if (state == availability::present) found.push_back({day, from.metered.sum_wh(same)});
    if (state == availability::given_up) out.given_up.push_back(day);
    if (out.waits.note(day, state)) ++hoped_for;
  }
  out.similar = without_extremes(std::move(found), rules);
  return out;
}

exact_wh mean_wh(const std::vector<korean_day>& days, int first_quarter, int quarters, const metered_days& metered) {
  wide_int sum = 0;
  for (auto day : days) sum += metered.sum_wh({day, first_quarter, quarters});
  return exact_wh::ratio(sum, static_cast<int>(days.size()));
}

adjustment find_adjustment(const evaluation_window& event, const method_rules& rules, const reference_source& from) {
  adjustment out;
  auto parts = parts_of(event);
  if (parts.empty()) return out;
  const auto& first = parts.front();
  if (first.hour() < rules.saa_starts_before) {
    out.why_not = "the event starts too early in the day";
    return out;
  }
  auto references = find_reference_days(first, rules, from);
  out.waits = references.waits;
  if (!out.waits.empty()) return out;
  if (references.similar.empty()) {
    out.why_not = "there is no reference day for the hour in which the event starts";
    return out;
  }

  quarter_range before{first.day, (first.hour() - rules.saa_starts_before) * 4, rules.saa_hours * 4};
  bool complete = true;
  auto need = [&](korean_day day) {
    auto state = from.metered.of({day, before.first, before.count});
    out.waits.note(day, state);
    complete = complete && state == availability::present;
  };
  need(first.day);
  for (auto day : references.similar) need(day);
  if (!out.waits.empty()) return out;
  if (!complete) {
    out.why_not = "a value is missing in the hours that it compares";
    return out;
  }
  auto usual = mean_wh(references.similar, before.first, before.count, from.metered);
  auto today = exact_wh::ratio(from.metered.sum_wh(before), 1);
  out.per_hour = exact_wh{(today - usual).parts / rules.saa_hours};
  return out;
}

} // namespace dr
