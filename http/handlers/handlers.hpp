// The handlers by resource. Each: parse → validate → call → map the error → respond.
#pragma once

#include "http/context.hpp"
#include "http/server/websocket.hpp"

namespace dr::http::handlers {

// users.cpp
awaitable<reply> create_user(call& c);
awaitable<reply> list_users(call& c);
awaitable<reply> get_user(call& c);
awaitable<reply> put_user(call& c);
awaitable<reply> patch_user(call& c);
awaitable<reply> withdraw_user(call& c);
// points.cpp
awaitable<reply> list_ledger(call& c);
awaitable<reply> withdraw_points(call& c);
// access.cpp
awaitable<reply> make_token(call& c);
awaitable<reply> revoke_token(call& c);
// import.cpp
awaitable<reply> import_users(call& c);
// drs.cpp
awaitable<reply> start_dr(call& c);
awaitable<reply> order_dr(call& c);
awaitable<reply> list_drs(call& c);
awaitable<reply> get_dr(call& c);
awaitable<reply> put_dr(call& c);
awaitable<reply> patch_dr(call& c);
awaitable<reply> end_dr(call& c);
awaitable<reply> cancel_dr(call& c);
awaitable<reply> get_summary(call& c);
awaitable<reply> retry_checks(call& c);
// statement.cpp
awaitable<reply> get_statement(call& c);
// responses.cpp
awaitable<reply> list_responses(call& c);
awaitable<reply> get_response(call& c);
awaitable<reply> accept_response(call& c);
awaitable<reply> deny_response(call& c);
awaitable<reply> put_response(call& c);
awaitable<reply> retry_check(call& c);
// kepcos.cpp
awaitable<reply> list_kepcos(call& c);
awaitable<reply> get_kepco(call& c);
awaitable<reply> recheck_kepco(call& c);
// overview.cpp
awaitable<reply> get_overview(call& c);
awaitable<reply> list_events(call& c);
awaitable<reply> get_index(call& c);
awaitable<reply> get_openapi(call& c);
// health.cpp
awaitable<reply> get_livez(call& c);
awaitable<reply> get_readyz(call& c);
awaitable<reply> get_health(call& c);

} // namespace dr::http::handlers
