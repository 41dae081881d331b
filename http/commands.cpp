#include "http/commands.hpp"

namespace dr::http {

awaitable<result<storage::written>> order(front_context& app, actors::order_campaign what) {
  return ask<storage::written>(app.system, app.services.registry, std::move(what), app.config->database.bulk_timeout);
}

awaitable<result<storage::written>> persist(front_context& app, storage::write what,
                                            std::chrono::milliseconds timeout) {
  return ask<storage::written>(app.system, app.services.store, actors::persist{std::move(what)}, timeout);
}

awaitable<result<campaign>> live_campaign(front_context& app, campaign_id id) {
  return ask<campaign>(app.system, app.services.registry, actors::get_campaign{id}, app.request_timeout());
}

} // namespace dr::http
