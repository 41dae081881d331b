#include "domain/campaign.hpp"

#include "domain/campaign_rules.hpp"
#include "domain/energy.hpp"

#include <algorithm>
#include <tuple>

namespace dr {

namespace {

struct wanted_times {
  time_point starts_at{};
  std::optional<time_point> ends_at;
  std::optional<time_point> respond_by;
};

/// A start that has passed is one at once; one that lies further back is most likely a slip.
constexpr std::chrono::hours oldest_start{24};
constexpr std::chrono::hours latest_start{24 * 366};

error invalid_fields(std::vector<field_error> fields) {
  std::string detail;
  for (const auto& field : fields) detail += (detail.empty() ? "" : "; ") + field.pointer + " " + field.detail;
  return {errc::invalid, std::move(detail), std::move(fields)};
}

/// `check_end` and `check_respond_by`: whether the field is new, and so has to lie ahead.
std::vector<field_error> wrong_times(const wanted_times& times, bool check_end, bool check_respond_by, time_point now) {
  std::vector<field_error> wrong;
  if (check_end && times.ends_at) {
    if (*times.ends_at <= times.starts_at)
      wrong.push_back({"/endsAt", "must be after the start, " + format_rfc3339(times.starts_at)});
    else if (*times.ends_at <= now)
      wrong.push_back({"/endsAt", "must be after now, " + format_rfc3339(now)});
  }
  if (check_respond_by && times.respond_by && *times.respond_by <= now)
    wrong.push_back({"/respondBy", "must be after now, " + format_rfc3339(now)});
  else if ((check_end || check_respond_by) && times.respond_by && times.ends_at && *times.respond_by > *times.ends_at)
    wrong.push_back(
        check_respond_by
            ? field_error{"/respondBy", "must not be after the end, " + format_rfc3339(*times.ends_at)}
            : field_error{"/endsAt", "must not be before the time to answer by, " + format_rfc3339(*times.respond_by)});
  return wrong;
}

std::string unknown_type_detail(const std::vector<programme>& programmes, const std::string& type, korean_day day) {
  auto codes = programme_codes(programmes);
  if (std::find(codes.begin(), codes.end(), type) != codes.end()) return "is not yet in force on " + format_day(day);
  std::string known;
  for (const auto& code : codes) known += (known.empty() ? "" : ", ") + code;
  return "must be one of: " + known;
}

error already_over(const campaign& c) {
  if (c.status == campaign_status::canceled) return fail(errc::campaign_canceled, "the campaign was canceled");
  return fail(errc::campaign_ended, "the campaign has ended");
}

} // namespace

result<campaign> plan_campaign(const campaign_order& order, const std::vector<programme>& programmes,
                               const std::vector<baseline_edition>& baselines, const std::vector<korean_day>& holidays,
                               time_point now) {
  bool later = order.starts_at && *order.starts_at > now;
  campaign c;
  c.name = order.name;
  c.type = order.type;
  c.status = later ? campaign_status::scheduled : campaign_status::running;
  c.ordered_at = order.ordered_at;
  c.starts_at = later ? *order.starts_at : now;
  c.respond_by = order.respond_by;
  c.ends_at = order.ends_at;
  c.order_w = order.order_w;
  c.test = order.test;

  auto day = korean_day_of(c.starts_at);
  const auto* rules = programme_on(programmes, order.type, day);
  auto wrong = wrong_times({c.starts_at, c.ends_at, c.respond_by}, true, true, now);
  if (order.starts_at && *order.starts_at < now - oldest_start)
    wrong.insert(wrong.begin(), {"/startsAt", "must not lie more than a day back, it is now " + format_rfc3339(now) +
                                                  "; leave it out to start at once"});
  if (later && c.starts_at > now + latest_start)
    wrong.insert(wrong.begin(), {"/startsAt", "must lie within a year from now, " + format_rfc3339(now)});
  if (!rules) wrong.insert(wrong.begin(), {"/type", unknown_type_detail(programmes, order.type, day)});
  if (!wrong.empty()) return invalid_fields(std::move(wrong));

  c.terms = rules->terms;
  c.terms.baselines = baselines_on(baselines, day);
  if (auto notice = notice_warning(*rules, now, order.starts_at)) c.warnings.push_back(std::move(*notice));
  for (auto& warning : window_warnings(*rules, c.starts_at, c.ends_at, holidays))
    c.warnings.push_back(std::move(warning));
  return c;
}

result<campaign> changed(const campaign& before, const campaign_change& change,
                         const std::vector<programme>& programmes, const std::vector<korean_day>& holidays,
                         time_point now) {
  if (!before.open()) return already_over(before);
  if (before.status == campaign_status::running && before.ends_at && now >= *before.ends_at)
    return fail(errc::campaign_ended, "the campaign ended at " + format_rfc3339(*before.ends_at));
  auto after = before;
  if (change.name) after.name = *change.name;
  if (change.respond_by) after.respond_by = *change.respond_by;
  if (change.ends_at) after.ends_at = *change.ends_at;
  if (change.order_w) after.order_w = *change.order_w;
  if (after == before) return before;

  auto wrong = wrong_times({after.starts_at, after.ends_at, after.respond_by}, after.ends_at != before.ends_at,
                           after.respond_by != before.respond_by, now);
  if (!wrong.empty()) return invalid_fields(std::move(wrong));

  if (const auto* rules = programme_on(programmes, after.type, korean_day_of(after.starts_at))) {
    after.warnings.clear();
    // The start cannot change, so neither can the notice that the customers had.
    for (const auto& warning : before.warnings)
      if (is_notice_warning(warning)) after.warnings.push_back(warning);
    for (auto& warning : window_warnings(*rules, after.starts_at, after.ends_at, holidays))
      after.warnings.push_back(std::move(warning));
  }
  ++after.version;
  return after;
}

result<campaign> begun(const campaign& before, time_point) {
  if (!before.open()) return already_over(before);
  if (before.status == campaign_status::running) return before;
  auto after = before;
  after.status = campaign_status::running; // starts_at stays as announced, however late or early the timer fired
  ++after.version;
  return after;
}

result<campaign> ended(const campaign& before, time_point now) {
  if (before.status == campaign_status::end) return before;
  if (before.status == campaign_status::canceled) return already_over(before);
  if (before.status == campaign_status::scheduled)
    return fail(errc::campaign_scheduled, "the campaign has not started yet; cancel it instead");
  auto after = before;
  after.status = campaign_status::end;
  after.ended_at = before.ends_at && *before.ends_at < now ? *before.ends_at : now;
  after.settlement = before.test ? settlement_status::none : settlement_status::verifying;
  ++after.version;
  return after;
}

result<campaign> canceled(const campaign& before, std::string reason, time_point now) {
  if (before.status == campaign_status::canceled) return before;
  if (before.status == campaign_status::end)
    return fail(errc::campaign_ended, "the campaign has ended; it can no longer be canceled");
  // The end may be due but not yet recorded: whoever reduced has done all that was asked.
  if (before.status == campaign_status::running && before.ends_at && now >= *before.ends_at)
    return fail(errc::campaign_ended,
                "the campaign ended at " + format_rfc3339(*before.ends_at) + "; it can no longer be canceled");
  auto after = before;
  after.status = campaign_status::canceled;
  after.cancel_reason = std::move(reason);
  after.ended_at = now;
  ++after.version;
  return after;
}

campaign_counts& campaign_counts::operator+=(const campaign_counts& by) noexcept {
  dispatched += by.dispatched;
  delivered += by.delivered;
  accept += by.accept;
  deny += by.deny;
  committed_w += by.committed_w;
  real += by.real;
  unreal += by.unreal;
  unverifiable += by.unverifiable;
  pending += by.pending;
  reduction_wh += by.reduction_wh;
  credited_wh += by.credited_wh;
  points_credited += by.points_credited;
  return *this;
}

evaluation_window evaluated_window(const campaign& c) noexcept {
  auto from = floor_to_quarter(c.starts_at);
  auto to = c.ends_at;
  if (c.ended_at) to = to ? std::min(*to, *c.ended_at) : *c.ended_at;
  if (!to) return {from, from + std::chrono::hours{1}};
  return {from, std::max(ceil_to_quarter(*to), time_point{from + quarter_hour})};
}

std::int64_t expected_points(const campaign& c, std::int64_t capacity_w) noexcept {
  if (c.test || c.status == campaign_status::canceled) return 0;
  auto percent = std::min(c.terms.cap_percent.value_or(100), 100);
  return points_of(committed_wh(capacity_w, evaluated_window(c).length(), percent), c.terms.points_per_mwh);
}

bool credits_before(const campaign& a, const campaign& b) noexcept {
  return std::tuple(!a.terms.mandatory, a.starts_at, a.id) < std::tuple(!b.terms.mandatory, b.starts_at, b.id);
}

} // namespace dr
