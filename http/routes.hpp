// The one table of what there is: method, path, who may, which handler, which operation of openapi.yaml.
#pragma once

#include "http/context.hpp"
#include "http/server/router.hpp"

#include <span>

namespace dr::http {

/// Who reaches a route. `customer`: the admin, and a customer for what is its own.
enum class role : unsigned char { open, customer, admin };
/// What the body must be, when there is one.
enum class body_kind : unsigned char { none, json, csv };
/// What the answer can be.
enum class offer : unsigned char { hal, json, csv, yaml, any };

using endpoint_handler = awaitable<reply> (*)(call&);
using upgrade_endpoint = awaitable<websocket_verdict> (*)(context_ptr, request_context&, identity);

struct route_row {
  method verb = method::get;
  const char* pattern = "";
  role who = role::admin;
  endpoint_handler handle = nullptr; ///< none for WebSockets
  const char* operation = "";        ///< operationId
  body_kind body = body_kind::none;
  offer gives = offer::hal;
  bool sealed = false;                ///< the answer holds a secret: a kept one is encrypted
  bool streams = false;               ///< the handler reads the body piece by piece and sees to its key itself
  upgrade_endpoint upgrade = nullptr; ///< of a WebSocket
};

std::span<const route_row> route_table();
/// The table as the server's router.
router make_router(const context_ptr& app);

} // namespace dr::http
