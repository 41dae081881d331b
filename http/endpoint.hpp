// What happens around every handler: who may, what is accepted, keys and conditions, and the header fields of every
// answer.
#pragma once

#include "http/context.hpp"
#include "http/routes.hpp"
#include "http/server/server.hpp"

namespace dr::http {

/// Runs a row's handler for an admitted request: Accept, Content-Type, Idempotency-Key, If-None-Match.
awaitable<reply> serve(context_ptr app, const route_row& row, request_context& request);
/// The hooks of the server: admission, CORS, security headers, problem documents, the access log.
server_hooks make_hooks(const context_ptr& app);

} // namespace dr::http
