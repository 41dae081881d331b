// What every request can reach, and what one request carries to its handler.
#pragma once

#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "domain/clock.hpp"
#include "http/auth.hpp"
#include "http/bridge.hpp"
#include "http/codecs/push_codec.hpp"
#include "http/diagnosis.hpp"
#include "http/origin.hpp"
#include "http/pace.hpp"
#include "http/server/reply.hpp"
#include "http/server/request.hpp"
#include "http/server/server.hpp"
#include "http/sockets.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace dr::http {

struct key_record;
struct route_row;

/// Shared by all requests of one front; read-only but for the parts that guard themselves.
struct front_context {
  front_context(caf::actor_system& sys, std::shared_ptr<const settings> cfg, actors::services svc,
                std::shared_ptr<const clock> business, std::string ver, std::string admin_token)
      : system(sys), config(std::move(cfg)), services(std::move(svc)), time(std::move(business)),
        version(std::move(ver)), access(config->auth, std::move(admin_token)), proxies(config->http.trusted_proxies),
        customers_pace(config->http.customer_rate, config->http.customer_burst) {}

  std::chrono::milliseconds request_timeout() const { return config->http.request_timeout; }
  time_point now() const { return time->now(); }

  caf::actor_system& system;
  const std::shared_ptr<const settings> config;
  const actors::services services;
  const std::shared_ptr<const clock> time;
  const std::string version;
  const time_point since = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  access_control access;
  const trusted_proxies proxies;
  pace customers_pace;
  socket_directory sockets;
  const push_codec codec;
  std::atomic<bool> draining{false};
  std::weak_ptr<const server> running;                        ///< set before it starts
  problem_log problems;                                       ///< for watch_health() alone
  std::atomic<std::shared_ptr<const timed_report>> last_look; ///< what watch_health() found, every two seconds
  std::atomic<bool> watching{false};                          ///< watch_health() is under way
};
using context_ptr = std::shared_ptr<front_context>;

/// How an answer is shown: kept by value, because answers may be rendered later and elsewhere.
struct view {
  std::string origin;      ///< "http://host"
  std::string instance;    ///< the path asked for
  bool plain_json = false; ///< the client takes application/json but not HAL
};

/// One request on its way through its handler.
struct call {
  front_context& app;
  request_context& http;
  const route_row& row;
  identity who;
  view how;
  std::shared_ptr<key_record> key; ///< set for a write with an Idempotency-Key

  actors::caller by() const { return who.by; }
};

} // namespace dr::http
