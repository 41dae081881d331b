#include "storage/engine/event_data.hpp"

#include <nlohmann/json.hpp>

namespace dr::storage {

namespace {

using json = nlohmann::json;

event made(const char* type, time_point at, const json& data) {
  event e;
  e.at = at;
  e.type = type;
  // A text that is not UTF-8 never gets here through the API; it must not take the whole transaction down either.
  e.data = data.dump(-1, ' ', false, json::error_handler_t::replace);
  return e;
}

event of_user(const char* type, user_id who, time_point at, const json& data) {
  auto e = made(type, at, data);
  e.user = who;
  return e;
}

event of_response(const char* type, const reduction_check& check, const json& data) {
  auto e = of_user(type, check.user, check.checked_at, data);
  e.campaign = check.campaign;
  e.response = check.response;
  return e;
}

/// What an event tells, as an object; an empty one when its text is none.
json told(const event& from) {
  auto data = json::parse(from.data, nullptr, false);
  return data.is_object() ? data : json::object();
}

json optional_time(const std::optional<time_point>& at) { return at ? json(format_rfc3339(*at)) : json(nullptr); }

double kw(std::int64_t watts) { return static_cast<double>(watts) / 1000; }

json campaign_data(const campaign& c) {
  return {{"name", c.name},
          {"type", c.type},
          {"status", to_string(c.status)},
          {"startsAt", format_rfc3339(c.starts_at)},
          {"respondBy", optional_time(c.respond_by)},
          {"endsAt", optional_time(c.ends_at)},
          {"orderKw", c.order_w ? json(kw(*c.order_w)) : json(nullptr)},
          {"test", c.test}};
}

json user_data(const user& u) {
  return {{"name", u.name},
          {"capacity", kw(u.capacity_w)},
          {"custNo", u.cust_no.empty() ? json(nullptr) : json(u.cust_no)},
          {"baselineMethod", u.method ? json(std::string(to_string(*u.method))) : json(nullptr)},
          {"saa", u.saa ? json(*u.saa) : json(nullptr)}};
}

} // namespace

event user_enrolled_event(const user& who, time_point at) {
  auto data = user_data(who);
  data["point"] = who.points;
  return of_user(event_types::user_enrolled, who.id, at, data);
}

event user_changed_event(const user& before, const user& after, time_point at) {
  auto was = user_data(before);
  auto now = user_data(after);
  json differing = json::object();
  for (const auto& [field, value] : now.items())
    if (was[field] != value) differing[field] = value;
  return of_user(event_types::user_changed, after.id, at, differing);
}

event user_withdrawn_event(const user& who, time_point at) {
  return of_user(event_types::user_withdrawn, who.id, at, json::object());
}

event token_event(const char* type, const user& who, time_point at) {
  return of_user(type, who.id, at, json::object());
}

event points_withdrawn_event(const ledger_entry& entry) {
  return of_user(event_types::point_withdrawn, entry.user, entry.at,
                 {{"amount", entry.amount}, {"balanceAfter", entry.balance_after}, {"entryId", entry.id.value}});
}

event users_imported_event(const imported& outcome, std::int64_t opening_points, time_point at) {
  return made(event_types::users_imported, at,
              {{"created", outcome.created},
               {"updated", outcome.updated},
               {"errors", outcome.errors.size()},
               {"point", opening_points}});
}

event campaign_event(const char* type, const campaign& what, time_point at) {
  auto data = campaign_data(what);
  if (what.ended_at) data["endedAt"] = format_rfc3339(*what.ended_at);
  if (what.status == campaign_status::canceled) data["reason"] = what.cancel_reason;
  auto e = made(type, at, data);
  e.campaign = what.id;
  return e;
}

event list_made_event(const campaign& what, time_point at) {
  auto e = made(event_types::list_made, at, {{"dispatched", what.counts.dispatched}});
  e.campaign = what.id;
  return e;
}

event list_saved_event(const campaign& what, std::int64_t queued, time_point at) {
  auto e = made(event_types::list_saved, at,
                {{"accept", what.counts.accept},
                 {"deny", what.counts.deny},
                 {"ignore", what.counts.ignore()},
                 {"committedKw", kw(what.counts.committed_w)},
                 {"checks", queued},
                 {"settlement", to_string(what.settlement)}});
  e.campaign = what.id;
  return e;
}

event answer_event(const response& after, dr::answer before, time_point at) {
  event e;
  e.at = at;
  e.type = after.answer == answer::accept ? event_types::accept_chosen : event_types::deny_chosen;
  e.campaign = after.campaign;
  e.user = after.user;
  e.response = after.id;
  // The busiest event of all: two constant words need no JSON library.
  e.data = std::string(R"({"answer":")") + to_string(after.answer) + R"(","before":")" + to_string(before) + "\"}";
  return e;
}

event check_event(const reduction_check& check, dr::answer answer_now) {
  return of_response(event_types::reduction_check, check,
                     {{"checkId", check.id.value},
                      {"revision", check.revision},
                      {"isReal", check.is_real},
                      {"adjustPoint", check.adjust_points},
                      {"quality", to_string(check.quality)},
                      {"baselineWh", check.baseline_wh},
                      {"meteredWh", check.metered_wh},
                      {"reductionWh", check.reduction_wh},
                      {"creditedWh", check.credited_wh},
                      {"answer", to_string(answer_now)}});
}

event points_changed_event(const reduction_check& check, std::int64_t moved, const user& after) {
  return of_response(event_types::point_changed, check,
                     {{"amount", moved},
                      {"balanceAfter", after.points},
                      {"owedPoints", after.owed_points},
                      {"checkId", check.id.value},
                      {"revision", check.revision}});
}

event checks_retried_event(campaign_id campaign, std::int64_t count, time_point at) {
  auto e = made(event_types::check_retried, at, {{"checks", count}});
  e.campaign = campaign;
  return e;
}

event queue_event(const char* type, const queued_check& job, time_point at) {
  auto e = made(type, at, {{"attempts", job.attempts}, {"reason", job.reason}, {"revision", job.revision}});
  e.campaign = job.campaign;
  e.user = job.user;
  e.response = job.response;
  return e;
}

std::optional<told_check> read_check_event(const event& from) {
  try {
    const auto data = told(from);
    return told_check{data.at("checkId"),
                      data.at("revision"),
                      data.at("isReal"),
                      data.at("adjustPoint"),
                      data.at("baselineWh"),
                      data.at("meteredWh"),
                      data.at("reductionWh"),
                      data.at("creditedWh"),
                      data.at("quality").get<std::string>(),
                      data.at("answer").get<std::string>()};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::optional<told_points> read_points_event(const event& from) {
  try {
    const auto data = told(from);
    return told_points{data.at("amount"), data.at("balanceAfter"), data.at("owedPoints"), data.at("revision")};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::optional<std::int64_t> told_number(const event& from, const char* field) {
  const auto data = told(from);
  const auto found = data.find(field);
  if (found == data.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

bool tells(const event& from, const char* field) { return told(from).contains(field); }

} // namespace dr::storage
