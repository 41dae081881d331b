#include "http/routes.hpp"

#include "http/endpoint.hpp"
#include "http/handlers/handlers.hpp"
#include "http/websockets.hpp"

#include <algorithm>

namespace dr::http {

namespace {

namespace h = handlers;

/// A body is kept in memory before it is looked at, so that it gets no more room than its route has use for.
constexpr std::size_t largest_needless_body = 4 * 1024; // a user that is sent back has room, in Korean too
constexpr std::size_t largest_customer_body = 16 * 1024;

using enum role;
constexpr auto no_body = body_kind::none;
constexpr auto json_body = body_kind::json;
constexpr auto csv_body = body_kind::csv;
constexpr auto hal = offer::hal;

// clang-format off
constexpr route_row table[] = {
  // method         pattern                       who       handler             operation          body       gives
  {method::get,     "/",                          open,     h::get_index,       "getIndex",        no_body,   hal},
  {method::get,     "/openapi.yaml",              open,     h::get_openapi,     "getOpenapi",      no_body,   offer::yaml},
  {method::get,     "/livez",                     open,     h::get_livez,       "getLivez",        no_body,   offer::json},
  {method::get,     "/readyz",                    open,     h::get_readyz,      "getReadyz",       no_body,   offer::json},
  {method::get,     "/health",                    open,     h::get_health,      "getHealth",       no_body,   offer::json},

  {method::post,    "/users",                     admin,    h::create_user,     "createUser",      json_body, hal},
  {method::get,     "/users",                     customer, h::list_users,      "listUsers",       no_body,   hal},
  {method::get,     "/users/{id}",                customer, h::get_user,        "getUser",         no_body,   hal},
  {method::put,     "/users/{id}",                admin,    h::put_user,        "putUser",         json_body, hal},
  {method::patch,   "/users/{id}",                admin,    h::patch_user,      "patchUser",       json_body, hal},
  {method::delete_, "/users/{id}",                admin,    h::withdraw_user,   "withdrawUser",    no_body,   offer::any},
  {method::post,    "/users/{id}/token",          admin,    h::make_token,      "makeToken",       no_body,   hal, true},
  {method::delete_, "/users/{id}/token",          admin,    h::revoke_token,    "revokeToken",     no_body,   offer::any},
  {method::post,    "/users/import",              admin,    h::import_users,    "importUsers",     csv_body,  hal, false, true},
  {method::get,     "/users/{id}/ledger",         customer, h::list_ledger,     "listLedger",      no_body,   hal},
  {method::post,    "/users/{id}/withdraw",       customer, h::withdraw_points, "withdrawPoints",  json_body, hal},

  {method::post,    "/drs/startdr",               admin,    h::start_dr,        "startDr",         json_body, hal},
  {method::post,    "/drs",                       admin,    h::order_dr,        "orderDr",         json_body, hal},
  {method::get,     "/drs",                       customer, h::list_drs,        "listDrs",         no_body,   hal},
  {method::get,     "/drs/{id}",                  customer, h::get_dr,          "getDr",           no_body,   hal},
  {method::put,     "/drs/{id}",                  admin,    h::put_dr,          "putDr",           json_body, hal},
  {method::patch,   "/drs/{id}",                  admin,    h::patch_dr,        "patchDr",         json_body, hal},
  {method::post,    "/drs/{id}/end",              admin,    h::end_dr,          "endDr",           json_body, hal},
  {method::post,    "/drs/{id}/cancel",           admin,    h::cancel_dr,       "cancelDr",        json_body, hal},
  {method::post,    "/drs/{id}/retry-checks",     admin,    h::retry_checks,    "retryChecks",     json_body, hal},
  {method::get,     "/drs/{id}/summary",          admin,    h::get_summary,     "getSummary",      no_body,   hal},
  {method::get,     "/drs/{id}/statement.csv",    admin,    h::get_statement,   "getStatement",    no_body,   offer::csv},

  {method::get,     "/responses",                 customer, h::list_responses,  "listResponses",   no_body,   hal},
  {method::get,     "/responses/{id}",            customer, h::get_response,    "getResponse",     no_body,   hal},
  {method::put,     "/responses/{id}",            customer, h::put_response,    "putResponse",     json_body, hal},
  {method::put,     "/responses/{id}/accept",     customer, h::accept_response, "acceptResponse",  json_body, hal},
  {method::put,     "/responses/{id}/deny",       customer, h::deny_response,   "denyResponse",    json_body, hal},
  {method::post,    "/responses/{id}/retry-check", admin,   h::retry_check,      "retryCheck",      json_body, hal},

  {method::get,     "/kepcos",                    customer, h::list_kepcos,     "listKepcos",      no_body,   hal},
  {method::get,     "/kepcos/{id}",               customer, h::get_kepco,       "getKepco",        no_body,   hal},
  {method::post,    "/kepcos/{id}/recheck",       admin,    h::recheck_kepco,   "recheckKepco",    json_body, hal},

  {method::get,     "/overview",                  admin,    h::get_overview,    "getOverview",     no_body,   hal},
  {method::get,     "/events",                    admin,    h::list_events,     "listEvents",      no_body,   hal},

  {method::get,     "/ws",                        customer, nullptr,            "connectCustomer", no_body,   offer::any, false, false, upgrade_customer},
  {method::get,     "/ws/admin",                  admin,    nullptr,            "connectAdmin",    no_body,   offer::any, false, false, upgrade_admin},
};
// clang-format on

awaitable<websocket_verdict> upgrade(context_ptr app, const route_row& row, request_context& request) {
  identity who;
  if (auto* admitted = std::any_cast<admission>(&request.attached)) who = std::move(admitted->who);
  return row.upgrade(std::move(app), request, std::move(who));
}

} // namespace

std::span<const route_row> route_table() { return table; }

router make_router(const context_ptr& app) {
  router made;
  for (const auto& row : table) {
    route r;
    r.verb = row.verb;
    r.pattern = row.pattern;
    r.tag = &row;
    r.streaming = row.streams;
    if (row.streams)
      r.max_body_bytes = app->config->http.max_import_bytes;
    else if (row.body == body_kind::none)
      r.max_body_bytes = largest_needless_body;
    else if (row.who != role::admin)
      r.max_body_bytes = std::min(largest_customer_body, app->config->http.max_body_bytes);
    if (row.upgrade)
      r.upgrade = [app, &row](request_context& request) { return upgrade(app, row, request); };
    else
      r.handle = [app, &row](request_context& request) { return serve(app, row, request); };
    made.add(std::move(r));
  }
  return made;
}

} // namespace dr::http
