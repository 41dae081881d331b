#include "tests/chaos/settlement_model.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <tuple>

namespace dr::chaos {

namespace {

constexpr std::int64_t quarter_ms = 900'000;

/// Exact sums of means: every divisor that can occur (1 … 10 days, 3 hours, 4 quarters) divides it.
constexpr std::int64_t parts_of_wh = 2'520LL * 12;

struct method_rule {
  std::size_t wanted;
  int look_back;
  std::size_t keeps;
  std::size_t drop_high;
  std::size_t drop_low;
};
const std::map<std::string, method_rule> method_rules = {{"max-4-5", {5, 10, 4, 0, 1}},
                                                         {"mid-6-10", {10, 20, 6, 2, 2}},
                                                         {"mid-4-6", {6, 12, 4, 1, 1}},
                                                         {"mid-8-10", {10, 20, 8, 1, 1}}};

struct programme_rule {
  std::string method;
  std::set<std::string> allowed;
  bool saa_allowed;
  std::optional<int> cap_percent;
  int performs_percent;
  bool mandatory;
};
const std::map<std::string, programme_rule> programme_rules = {
    {"reliable", {"max-4-5", {"max-4-5", "mid-6-10"}, true, 120, 70, true}},
    {"small", {"max-4-5", {"max-4-5", "mid-6-10"}, true, 120, 70, true}},
    {"jeju", {"max-4-5", {"max-4-5", "mid-6-10"}, true, 120, 70, true}},
    {"citizen", {"mid-4-6", {"mid-4-6", "mid-8-10"}, false, std::nullopt, 10, true}},
    {"voluntary", {"max-4-5", {"max-4-5", "mid-6-10"}, false, 100, 10, false}}};

std::string method_of(const model_event& event) {
  const auto& rule = programme_rules.at(event.programme);
  return rule.allowed.contains(event.chosen_method) ? event.chosen_method : rule.method;
}

bool wants_saa(const model_event& event) {
  return programme_rules.at(event.programme).saa_allowed && event.chosen_saa.value_or(false);
}

local_quarter place_of(quarter_number number) { return local_quarter_of(number * quarter_ms / 1'000); }

std::int64_t half_up(std::int64_t parts) {
  return static_cast<std::int64_t>(
      std::floor(static_cast<long double>(2 * parts + parts_of_wh) / static_cast<long double>(2 * parts_of_wh)));
}

std::set<local_day> days_of(const model_event& event) {
  std::set<local_day> days;
  for (auto at = event.first(); at <= event.last(); ++at) days.insert(place_of(at).day);
  return days;
}

} // namespace

quarter_number model_event::first() const { return starts_ms / quarter_ms; }

quarter_number model_event::last() const {
  const auto end = ends_ms ? std::min(*ends_ms, ended_ms) : ended_ms;
  const auto past = (end + quarter_ms - 1) / quarter_ms; // the first quarter behind it
  return std::max(first(), past - 1);
}

bool goes_first(const model_event& a, const model_event& b) {
  const auto rank = [](const model_event& e) {
    return std::tuple(!programme_rules.at(e.programme).mandatory, e.starts_ms, e.campaign);
  };
  return rank(a) < rank(b);
}

/// The part of one trading hour that an event covers.
struct settlement_model::hour {
  local_day day = 0;
  int first = 0;
  int count = 0;
};

std::int64_t settlement_model::used(const std::string& cust_no, local_day day, int first, int count) const {
  const auto& wh = usage_(cust_no, day);
  std::int64_t sum = 0;
  for (int i = first; i < first + count; ++i) sum += wh.at(static_cast<std::size_t>(i));
  return sum;
}

std::vector<local_day> settlement_model::similar_days(const std::string& cust_no, const hour& of,
                                                      const std::string& method,
                                                      const std::set<local_day>& event_days) const {
  const auto& rule = method_rules.at(method);
  std::vector<std::pair<std::int64_t, local_day>> found; // by usage, then by date
  int looked_at = 0;
  for (auto day = of.day - 1; found.size() < rule.wanted && looked_at < rule.look_back; --day) {
    if (weekday_of(day) > 4 || holidays_.contains(day) || event_days.contains(day)) continue;
    ++looked_at;
    found.emplace_back(used(cust_no, day, of.first, of.count), day);
  }
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i < rule.drop_low && found.size() > rule.keeps; ++i) found.erase(found.begin());
  // Of equal ones the earlier day goes, whichever end it stands at.
  for (std::size_t i = 0; i < rule.drop_high && found.size() > rule.keeps; ++i) {
    const auto highest = found.back().first;
    found.erase(std::find_if(found.begin(), found.end(), [&](const auto& f) { return f.first == highest; }));
  }
  std::vector<local_day> days;
  for (const auto& [wh, day] : found) days.push_back(day);
  return days;
}

expectation settlement_model::settle(const std::string& cust_no, const model_event& event,
                                     const std::vector<model_event>& others) const {
  auto event_days = days_of(event);
  const auto* decides = &event; // the day's adjustment
  for (const auto& other : others) {
    event_days.merge(days_of(other));
    const bool same_day = place_of(other.first()).day == place_of(event.first()).day;
    if (same_day && std::tuple(other.first(), other.campaign) < std::tuple(decides->first(), decides->campaign))
      decides = &other;
  }
  expectation out;
  out.method = method_of(event);

  std::int64_t adjustment = 0; // parts of a Wh for each quarter
  const auto start = place_of(decides->first());
  if (wants_saa(event) && wants_saa(*decides) && start.quarter / 4 >= 4) {
    const int in_hour =
        static_cast<int>(std::min<quarter_number>(decides->last() - decides->first() + 1, 4 - start.quarter % 4));
    const auto days = similar_days(cust_no, {start.day, start.quarter, in_hour}, method_of(*decides), event_days);
    const int from = (start.quarter / 4 - 4) * 4;
    std::int64_t usual = 0;
    for (auto day : days) usual += used(cust_no, day, from, 12);
    const auto today = used(cust_no, start.day, from, 12) * (parts_of_wh / 12);
    adjustment = today - usual * (parts_of_wh / 12) / static_cast<std::int64_t>(days.size());
    out.saa = true;
  }

  std::int64_t baseline = 0;
  std::int64_t before = 0;
  for (auto at = event.first(); at <= event.last();) {
    const auto place = place_of(at);
    const int count = static_cast<int>(std::min<quarter_number>(event.last() - at + 1, 4 - place.quarter % 4));
    const auto days = similar_days(cust_no, {place.day, place.quarter, count}, out.method, event_days);
    for (int i = 0; i < count; ++i, ++at) {
      std::int64_t sum = 0;
      for (auto day : days) sum += used(cust_no, day, place.quarter + i, 1);
      baseline += sum * (parts_of_wh / static_cast<std::int64_t>(days.size())) + adjustment;
      out.metered_wh += used(cust_no, place.day, place.quarter + i, 1);
      const auto so_far = half_up(baseline) - out.metered_wh;
      out.reductions[at] = so_far - before;
      before = so_far;
    }
  }
  out.baseline_wh = half_up(baseline);
  out.reduction_wh = out.baseline_wh - out.metered_wh;

  const auto& rule = programme_rules.at(event.programme);
  const auto length = event.last() - event.first() + 1;
  const auto committed_x4 = event.capacity_w * length; // four times the committed Wh
  out.real = out.reduction_wh * 400 >= committed_x4 * rule.performs_percent;
  out.most_wh = std::max<std::int64_t>(0, out.reduction_wh);
  if (rule.cap_percent) out.most_wh = std::min(out.most_wh, committed_x4 * *rule.cap_percent / 400);
  if (!out.real) out.most_wh = 0;
  return out;
}

namespace {

std::map<quarter_number, std::int64_t> what_is_left(const expectation& what,
                                                    const std::map<quarter_number, std::int64_t>& taken) {
  std::map<quarter_number, std::int64_t> left;
  for (const auto& [at, wh] : what.reductions) {
    const auto gone = taken.find(at);
    left[at] = std::max<std::int64_t>(0, wh - (gone == taken.end() ? 0 : gone->second));
  }
  return left;
}

} // namespace

std::int64_t settlement_model::credit_of(const expectation& what, const std::map<quarter_number, std::int64_t>& taken) {
  std::int64_t left = 0;
  for (const auto& [at, wh] : what_is_left(what, taken)) left += wh;
  return std::min(what.most_wh, left);
}

std::map<quarter_number, std::int64_t> settlement_model::spread(const expectation& what,
                                                                const std::map<quarter_number, std::int64_t>& taken,
                                                                std::int64_t credited_wh) {
  auto left = what_is_left(what, taken);
  std::int64_t sum = 0;
  for (const auto& [at, wh] : left) sum += wh;
  for (auto& [at, wh] : left) wh = sum == 0 ? 0 : credited_wh * wh / sum;
  return left;
}

std::set<local_day> read_holidays(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file);
  std::set<std::string> dates;
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line[0] != '#') dates.insert(line.substr(0, 10));
  std::set<local_day> days;
  for (local_day day = 20'000; day < 25'000; ++day) // 2024 … 2038
    if (dates.contains(to_text(day))) days.insert(day);
  return days;
}

} // namespace dr::chaos
