// The WebSockets of customers and of the admin's console: attached to the hub first, then the snapshot, then what came
// meanwhile, then live messages. So nothing falls between snapshot and live.
#pragma once

#include "http/context.hpp"
#include "http/server/websocket.hpp"

namespace dr::http {

/// GET /ws. Refuses an unknown customer.
awaitable<websocket_verdict> upgrade_customer(context_ptr app, request_context& request, identity who);
/// GET /ws/admin.
awaitable<websocket_verdict> upgrade_admin(context_ptr app, request_context& request, identity who);

} // namespace dr::http
