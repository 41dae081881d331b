#include "audit/account_view.hpp"
#include "domain/energy.hpp"
#include "domain/settlement_text.hpp"
#include "storage/check_input.hpp"
#include "storage/engine/event_data.hpp"
#include "storage/engine/material_days.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace dr::audit {

namespace {

using std::to_string;

/// Where in the history a check was settled.
struct settled_point {
  std::int64_t seq = 0; ///< of its event; 0 when that is lost
  time_point at{};
};
bool before(const settled_point& a, const settled_point& b) {
  return a.seq != 0 && b.seq != 0 ? a.seq < b.seq : a.at < b.at;
}

settled_point point_of(const response_file& file) {
  settled_point out{0, file.check->checked_at};
  for (const auto* e : file.events)
    if (e->type == event_types::reduction_check)
      if (storage::told_number(*e, "revision") == std::int64_t{file.check->revision}) out.seq = e->seq;
  return out;
}

using settled_points = std::map<response_id, settled_point>;

/// What a settlement is computed from, and why that may not be what it was computed from then.
struct evidence {
  check_input input;
  std::vector<std::string> doubts;
};

/// An event of the user as verification sees it: an accept, in a campaign that was neither canceled nor a test.
bool is_event(const response_file& file) {
  return file.of && file.response->frozen_answer() == answer::accept && !file.of->test &&
         file.of->status != campaign_status::canceled;
}

bool changed_since(const response_file& other, time_point checked_at) {
  return other.of->open() || (other.of->ended_at && *other.of->ended_at > checked_at);
}

/// The user's other campaigns, as the check saw them: what was ordered later is left out, and what was credited later.
/// Returns the doubts.
std::vector<std::string> add_neighbours(const account_view& view, const response_file& file,
                                        const settled_points& points, storage::check_material& into) {
  std::vector<std::string> doubts;
  auto range = storage::material_days(into);
  auto first = start_of(range.first);
  auto last = start_of(range.last + std::chrono::days{1});
  for (const auto& [id, other] : view.files) {
    if (id == file.response->id || !other.of || other.of->test) continue;
    if (other.of->starts_at < first || other.of->starts_at >= last || other.of->ordered_at > file.check->checked_at)
      continue;
    const auto named = "campaign " + to_string(other.of->id.value);
    if (changed_since(other, file.check->checked_at)) doubts.push_back(named + " was still open then");
    if (!is_event(other)) continue;
    storage::neighbour one{*other.of, *other.response, false, {}, {}};
    if (other.check) {
      if (before(points.at(id), points.at(file.response->id)))
        one.spread = other.check->spread;
      else if (other.check->revision > 1)
        doubts.push_back(named + " was verified again since");
      if (file.check->revision > 1 && !one.spread.empty() && file.check->id < other.check->id)
        doubts.push_back(named + " was credited what the check before this one had left");
    }
    into.neighbours.push_back(std::move(one));
  }
  return doubts;
}

void doubt_days(const storage::check_material& material, time_point checked_at, evidence& out) {
  std::vector<korean_day> later;
  for (const auto& [day, stored] : material.days)
    if (stored.fetched_at > checked_at && stored.profile != day_profile{}) later.push_back(day);
  if (later.empty()) return;
  constexpr std::size_t named = 5;
  auto more = later.size() > named ? later.size() - named : 0;
  later.resize(later.size() - more);
  auto text = "metered values of " + days_text(later);
  if (more > 0) text += " and " + to_string(more) + " more days";
  out.doubts.push_back(text + " were fetched after the check");
}

void doubt_number(const account_view& view, const settled_point& now, evidence& out) {
  for (const auto& e : view.account.events)
    if (e.type == event_types::user_changed && before(now, {e.seq, e.at}) && storage::tells(e, "custNo"))
      out.doubts.push_back("the user's KEPCO customer number was changed since");
}

/// Asked early, a check believes the quarter hour that is still running, which is never kept: here it is what is left
/// of the metered energy, if all others are there.
void imply_running_quarter(check_input& input, const reduction_check& check) {
  if (check.quality != check_quality::final_) return;
  auto left = check.metered_wh;
  auto last = input.event.window.to - quarter_hour;
  for (auto at = input.event.window.from; at < last; at += quarter_hour) {
    auto day = input.metered.days.find(korean_day_of(at));
    if (day == input.metered.days.end()) return;
    auto wh = day->second.wh[static_cast<std::size_t>(quarter_of(at))];
    if (wh == day_profile::missing) return;
    left -= wh;
  }
  auto& running = input.metered.days[korean_day_of(last)].wh[static_cast<std::size_t>(quarter_of(last))];
  if (running == day_profile::missing && left >= 0 && left <= std::numeric_limits<std::int32_t>::max())
    running = static_cast<std::int32_t>(left);
}

/// A day is kept without any value, and not closed, only when it was too old to be waited for.
void pass_over_empty_days(const storage::check_material& material, check_input& input) {
  for (const auto& [day, kept] : material.days)
    if (!kept.closed && kept.profile == day_profile{}) input.metered.closed.insert(day);
}

evidence evidence_of(const account_view& view, const response_file& file, const settled_points& points,
                     const holiday_list& holidays) {
  evidence out;
  storage::check_material material;
  material.campaign = *file.of;
  material.response = *file.response;
  material.cust_no = view.account.user.cust_no;
  material.first_day = storage::usual_first_day(*file.of);
  do out.doubts = add_neighbours(view, file, points, material);
  while (storage::look_further_back(material));
  auto range = storage::material_days(material);
  auto end = view.account.days.upper_bound(range.last);
  for (auto at = view.account.days.lower_bound(range.first); at != end; ++at) material.days.insert(*at);
  doubt_days(material, file.check->checked_at, out);
  doubt_number(view, points.at(file.response->id), out);
  out.input = storage::input_of(material, holidays);
  pass_over_empty_days(material, out.input);
  imply_running_quarter(out.input, *file.check);
  return out;
}

// ---- judging -------------------------------------------------------------------------------------------------------

/// The differing figures, each as text of both sides.
struct comparison {
  std::string stored;
  std::string computed;
  void add(const char* name, const std::string& a, const std::string& b) {
    if (a == b) return;
    stored += (stored.empty() ? "" : ", ") + std::string(name) + " " + a;
    computed += (computed.empty() ? "" : ", ") + std::string(name) + " " + b;
  }
  void add(const char* name, std::int64_t a, std::int64_t b) { add(name, to_string(a), to_string(b)); }
};

std::string spread_text(const std::vector<credited_quarter>& spread) {
  std::string text;
  for (const auto& quarter : spread)
    text += (text.empty() ? "" : " ") + format_rfc3339(quarter.from) + "=" + to_string(quarter.wh);
  return text;
}

comparison compare(const reduction_check& check, const evaluation& figures) {
  comparison out;
  out.add("isReal", check.is_real, figures.is_real);
  out.add("adjustPoint", check.adjust_points, figures.points);
  out.add("method", std::string(to_string(check.baseline.method)), std::string(to_string(figures.baseline.method)));
  out.add("saa", check.baseline.saa, figures.baseline.saa);
  out.add("baselineWh", check.baseline_wh, figures.baseline_wh);
  out.add("meteredWh", check.metered_wh, figures.metered_wh);
  out.add("reductionWh", check.reduction_wh, figures.reduction_wh);
  out.add("creditedWh", check.credited_wh, figures.credited_wh);
  out.add("quality", to_string(check.quality), to_string(figures.quality));
  out.add("spread", spread_text(check.spread), spread_text(figures.spread));
  return out;
}

/// What can be told from the check alone.
void audit_figures(const response_file& file, findings& out) {
  const auto& check = *file.check;
  auto where = file.where();
  where.check = check.id;
  auto wrong = [&](const char* what, std::int64_t stored, std::int64_t computed) {
    if (stored != computed) out.add(finding_kind::check, where, what, stored, computed);
  };
  wrong("the reduction is not baseline less metered", check.reduction_wh, check.baseline_wh - check.metered_wh);
  wrong("the points are not those of the credited energy", check.adjust_points,
        points_of(check.credited_wh, file.of->terms.points_per_mwh));
  auto window = evaluated_window(*file.of);
  std::int64_t spread_wh = 0;
  bool inside = true;
  for (const auto& quarter : check.spread) {
    spread_wh += quarter.wh;
    inside = inside && quarter.wh > 0 && quarter.from >= window.from && quarter.from < window.to;
  }
  wrong("the credited quarter hours do not come to the credited energy", spread_wh, check.credited_wh);
  wrong("a quarter hour outside of the campaign is credited", inside, true);
  auto most = check.is_real ? std::max<std::int64_t>(check.reduction_wh, 0) : 0;
  if (file.of->terms.cap_percent)
    most = std::min(most, committed_wh(file.response->capacity_w, window.length(), *file.of->terms.cap_percent));
  if (check.credited_wh < 0 || check.credited_wh > most)
    out.add(finding_kind::check, where, "more is credited than was reduced and the programme allows",
            to_string(check.credited_wh) + " Wh", "at most " + to_string(most) + " Wh");
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

/// The figures, or the days without which there are none.
verdict judge(evidence& from, const reduction_check& check, const std::string& cust_no) {
  if (cust_no.empty()) return unverifiable_without_number(from.input.event.baseline);
  // One that failed every time was given up at the verification deadline, whatever the data would say.
  auto given_up = unverifiable_in_time(from.input.event.baseline);
  if (check.detail == given_up.detail && compare(check, given_up).stored.empty()) return given_up;
  auto said = evaluate(from.input);
  auto is_stored = [&](const verdict& one) {
    const auto* figures = std::get_if<evaluation>(&one);
    return figures && compare(check, *figures).stored.empty();
  };
  if (!std::holds_alternative<evaluation_waits>(said)) {
    if (check.quality == check_quality::final_ || is_stored(said)) return said;
    // What was given up at the deadline, KEPCO may have said since that it does not have.
    auto then = from.input;
    std::erase_if(then.metered.closed, [&](korean_day day) {
      auto found = then.metered.days.find(day);
      return found == then.metered.days.end() || !found->second.complete();
    });
    then.metered.deadline_passed = true;
    auto without = evaluate(then);
    return is_stored(without) ? without : said;
  }
  // It may have been settled at the verification deadline, with what there was.
  from.input.metered.deadline_passed = true;
  auto without = evaluate(from.input);
  return check.quality != check_quality::final_ || is_stored(without) ? without : said;
}

void recompute(const account_view& view, const response_file& file, evidence& from, findings& out, recomputed& done) {
  const auto& check = *file.check;
  auto where = file.where();
  where.check = check.id;
  auto said = judge(from, check, view.account.user.cust_no);
  if (const auto* waits = std::get_if<evaluation_waits>(&said)) {
    auto days = waits->unknown;
    days.insert(days.end(), waits->gaps.begin(), waits->gaps.end());
    out.add(finding_kind::not_recomputable, where, "metered values are not there: " + days_text(days), "settled",
            "unknown");
    return;
  }
  ++done.checks;
  auto differing = compare(check, std::get<evaluation>(said));
  if (differing.stored.empty()) return;
  if (from.doubts.empty())
    out.add(finding_kind::settlement, where, "the settlement computed anew differs", differing.stored,
            differing.computed);
  else
    out.add(finding_kind::refreshed, where, "today's data would settle it otherwise: " + joined(from.doubts),
            differing.stored, differing.computed);
}

// ---- overlap -------------------------------------------------------------------------------------------------------

/// What several checks credit in one quarter hour.
struct shared_quarter {
  std::int64_t credited_wh = 0;
  std::vector<const response_file*> files;
};

void audit_overlap(const account_view& view, const std::map<response_id, evidence>& all, findings& out) {
  std::map<time_point, shared_quarter> quarters;
  for (const auto& [id, file] : view.files) {
    if (!file.check || !file.of) continue;
    for (const auto& quarter : file.check->spread) {
      auto& shared = quarters[quarter.from];
      shared.credited_wh += quarter.wh;
      shared.files.push_back(&file);
    }
  }
  std::map<response_id, std::map<time_point, std::int64_t>> reduced;
  for (const auto& [from, shared] : quarters) {
    if (shared.files.size() < 2) continue;
    // Each campaign may have a baseline of its own: together they credit no more than the largest reduction.
    std::int64_t most = 0;
    bool known = true;
    for (const auto* file : shared.files) {
      auto& of = reduced[file->response->id];
      const auto& seen = all.at(file->response->id);
      if (of.empty())
        for (const auto& quarter : reductions_by_quarter(seen.input)) of[quarter.from] = quarter.wh;
      known = known && of.contains(from) && seen.doubts.empty();
      if (known) most = std::max(most, of.at(from));
    }
    if (!known || shared.credited_wh <= most) continue;
    out.add(finding_kind::double_credit, shared.files.back()->where(),
            "the quarter hour from " + format_rfc3339(from) + " is credited " + to_string(shared.files.size()) +
                " times, for more than was reduced",
            to_string(shared.credited_wh) + " Wh", to_string(most) + " Wh");
  }
}

} // namespace

void audit_settlements(const account_view& view, const holiday_list& holidays, findings& out, recomputed& done) {
  settled_points points;
  for (const auto& [id, file] : view.files)
    if (file.check) points.emplace(id, point_of(file));
  std::map<response_id, evidence> all;
  for (const auto& [id, file] : view.files) {
    if (!file.check || !file.of) continue;
    audit_figures(file, out);
    auto& seen = all[id] = evidence_of(view, file, points, holidays);
    recompute(view, file, seen, out, done);
  }
  if (all.size() > 1) audit_overlap(view, all, out);
}

} // namespace dr::audit
