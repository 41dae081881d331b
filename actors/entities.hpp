// What the entities (campaigns, responses, users) and their registry share: the world they live in, and the messages
// between them that concern nobody else.
#pragma once

#include "actors/ask.hpp"
#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "domain/clock.hpp"

#include <caf/abstract_actor.hpp>

#include <memory>

namespace dr::actors {

enum class entity_kind : unsigned char { campaign = 1, response, user, order };

/// To an entity: the registry has forgotten it, nothing comes any more. It ends when it has finished what it is doing.
struct retire {};
/// From an entity: it has nothing to wait for.
struct entity_idle {
  entity_kind kind = entity_kind::campaign;
  std::int64_t id = 0;
};
/// An entity has ended.
struct entity_gone {
  entity_kind kind = entity_kind::campaign;
  std::int64_t id = 0;
  caf::actor_id incarnation = 0;
  bool crashed = false;
};
/// A campaign was ordered and is durable: it comes to life and dispatches.
struct campaign_opened {
  std::shared_ptr<const campaign> of;
};
/// It is not known whether an order was stored: look for it.
struct order_in_doubt {};
/// A response that was revived by its id alone has found out where it belongs.
struct response_located {
  response_id id;
  campaign_id campaign;
};
/// The registry has taken up a page of dispatched responses: send the next.
struct page_taken {};
/// To a campaign that was brought back after a crash: nobody asks it anything, but it has timers and steps to take, and
/// perhaps news to tell that its former incarnation died with.
struct go_on {};

using response_impl = response_actor::extend<caf::reacts_to<retire>>;
using campaign_base = campaign_actor::extend<caf::reacts_to<retire>, caf::reacts_to<page_taken>, caf::reacts_to<go_on>>;
using user_base = user_actor::extend<caf::reacts_to<retire>>;
using registry_base =
    registry_actor::extend<caf::reacts_to<entity_idle>, caf::reacts_to<entity_gone>, caf::reacts_to<campaign_opened>,
                           caf::reacts_to<order_in_doubt>, caf::reacts_to<response_located>>;

/// What every entity needs. All handles are stable ones.
struct entity_context {
  store_actor store;
  registry_base registry;
  push_hub_actor hub;
  verification_actor verification;
  std::shared_ptr<const dr::clock> clock;
  std::shared_ptr<const dr::settings> config;

  /// The store itself answers every change within its watchdog's time; a little more is for the way.
  std::chrono::milliseconds write_timeout() const { return config->database.request_timeout + slack; }
  std::chrono::milliseconds bulk_timeout() const { return config->database.bulk_timeout + slack; }
  std::chrono::milliseconds read_timeout() const { return config->database.request_timeout + slack; }

private:
  static constexpr std::chrono::milliseconds slack{2'000};
};
using context_ptr = std::shared_ptr<const entity_context>;

/// A key that records another outcome than the change it travels with: refusals decided by an actor are the first
/// answer too.
inline keyed recording(const keyed& key, result<storage::written> outcome) {
  auto copy = std::make_shared<storage::keyed_request>(*key);
  copy->render = [render = key->render, outcome = std::move(outcome)](const result<storage::written>&) {
    return render(outcome);
  };
  return copy;
}

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::retire)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::entity_idle)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::entity_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::campaign_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::order_in_doubt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::response_located)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::page_taken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::go_on)
