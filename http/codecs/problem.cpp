#include "http/codecs/problem.hpp"

#include "http/codecs/json_writer.hpp"

namespace dr::http {

namespace {

struct wording {
  unsigned status;
  const char* title;
  const char* detail; ///< when the error brings none
};

wording wording_of(errc code) noexcept {
  switch (code) {
  case errc::malformed:
    return {400, "The request cannot be read", "Check the syntax of the request."};
  case errc::invalid:
    return {400, "Some input is wrong", "Correct the fields named in errors."};
  case errc::unauthorized:
    return {401, "Credentials are missing or wrong", "Send a valid token as Authorization: Bearer."};
  case errc::forbidden:
    return {403, "Not allowed", "This token does not reach this resource."};
  case errc::not_found:
    return {404, "Not found", "There is no such resource."};
  case errc::cust_no_taken:
    return {409, "Customer number taken", "Another user has this custNo; use a different one."};
  case errc::answer_frozen:
    return {409, "Answer frozen", "This response takes no more answers."};
  case errc::campaign_scheduled:
    return {409, "Campaign not started", "It has not started yet; cancel it instead."};
  case errc::campaign_ended:
    return {409, "Campaign ended", "The campaign is over and can no longer be changed."};
  case errc::campaign_canceled:
    return {409, "Campaign canceled", "The campaign was canceled."};
  case errc::insufficient_points:
    return {409, "Insufficient points", "The balance does not cover this amount."};
  case errc::user_withdrawn:
    return {409, "User withdrawn", "The user has left the programme."};
  case errc::check_not_settled:
    return {409, "Check not settled", "There is no settled reduction check to verify again."};
  case errc::version_conflict:
    return {412, "Changed meanwhile", "The resource has another version; read it again."};
  case errc::key_reused:
    return {422, "Idempotency-Key reused", "This key was used with another body; use a new one."};
  case errc::too_many_requests:
    return {429, "Too many requests", "Slow down, and try again soon."};
  case errc::overloaded:
    return {503, "Overloaded", "Too much is waiting; try again soon."};
  case errc::store_unavailable:
    return {503, "Storage unavailable", "Storage cannot be reached; try again soon."};
  case errc::outcome_unknown:
    return {503, "Outcome unknown", "It is not known whether this was done; repeat it with the same Idempotency-Key."};
  case errc::timed_out:
    return {503, "Timed out", "There was no answer in time; try again soon."};
  case errc::fenced:
    return {503, "Not the active server", "Another server process has taken over; try again soon."};
  case errc::shutting_down:
    return {503, "Shutting down", "The server is stopping; try again soon."};
  case errc::internal:
    break;
  }
  return {500, "Internal error", "Something went wrong on our side; it has been logged."};
}

struct status_wording {
  unsigned status;
  const char* type;
  const char* title;
};
constexpr status_wording status_wordings[] = {
    {400, "malformed", "The request cannot be read"},
    {401, "unauthorized", "Credentials are missing or wrong"},
    {403, "forbidden", "Not allowed"},
    {404, "not-found", "Not found"},
    {405, "method-not-allowed", "Method not allowed"},
    {406, "not-acceptable", "Not acceptable"},
    {408, "request-timeout", "The request took too long to arrive"},
    {411, "length-required", "Length required"},
    {413, "too-large", "The body is too large"},
    {414, "uri-too-long", "The address is too long"},
    {415, "unsupported-media-type", "Unsupported media type"},
    {417, "expectation-failed", "Expectation failed"},
    {426, "upgrade-required", "A WebSocket upgrade is required"},
    {429, "too-many-requests", "Too many requests"},
    {431, "header-too-large", "The header fields are too large"},
    {501, "not-implemented", "Not implemented"},
    {503, "unavailable", "Unavailable"},
    {505, "http-version", "HTTP version not supported"},
};

} // namespace

problem problem_of(const error& why) {
  const auto words = wording_of(why.code);
  problem p;
  p.status = words.status;
  p.type = to_string(why.code);
  p.title = words.title;
  p.detail = why.detail.empty() || why.code == errc::internal ? words.detail : why.detail;
  p.fields = why.fields;
  return p;
}

problem problem_of_status(unsigned status, std::string_view detail) {
  for (const auto& known : status_wordings)
    if (known.status == status)
      return {status, known.type, known.title, std::string(detail.empty() ? known.title : detail), {}};
  auto p = problem_of(error{errc::internal, {}, {}});
  p.status = status;
  return p;
}

std::string to_json(const problem& p, std::string_view instance) {
  std::string text;
  json_writer out(text);
  out.begin_object();
  out.field("type", "/problems/" + p.type).field("title", p.title).field("status", p.status);
  out.field("detail", p.detail).field("message", p.detail);
  if (!instance.empty()) out.field("instance", instance);
  if (!p.fields.empty()) {
    out.key("errors").begin_array();
    for (const auto& f : p.fields)
      out.begin_object().field("pointer", f.pointer).field("detail", f.detail).end_object();
    out.end_array();
  }
  out.end_object();
  return text;
}

} // namespace dr::http
