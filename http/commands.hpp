// Every command that handlers send, each an ordinary function that returns its awaitable (see bridge.hpp).
#pragma once

#include "http/bridge.hpp"
#include "http/context.hpp"

namespace dr::http {

/// To the registry, which passes it on to the entity's actor. `Command` answers storage::written.
template <class Command> awaitable<result<storage::written>> command(front_context& app, Command what) {
  return ask<storage::written>(app.system, app.services.registry, std::move(what), app.request_timeout());
}
/// Orders a campaign; a dispatch to a million users takes its time.
awaitable<result<storage::written>> order(front_context& app, actors::order_campaign what);
/// Straight to the store, for what no entity decides.
awaitable<result<storage::written>> persist(front_context& app, storage::write what, std::chrono::milliseconds timeout);
/// To the verification queue.
template <class Command> awaitable<result<storage::written>> verify(front_context& app, Command what) {
  return ask<storage::written>(app.system, app.services.verification, std::move(what), app.request_timeout());
}
/// A campaign with its live counts.
awaitable<result<campaign>> live_campaign(front_context& app, campaign_id id);

} // namespace dr::http
