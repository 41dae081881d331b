// Turns an upgraded HTTP connection into a WebSocket session.
#pragma once

#include "http/server/request.hpp"
#include "http/server/runtime.hpp"
#include "http/server/websocket.hpp"

namespace dr::http {

/// Answers the upgrade request with 101 and serves the socket until it closes. On the worker's thread; `request` is
/// only read during the call.
void start_websocket(worker& home, tcp_socket socket, ticket place, const request_context& request,
                     websocket_callbacks callbacks);

} // namespace dr::http
