#include "actors/dispatcher.hpp"

#include "actors/house.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

namespace dr::actors {

namespace {

using storage::written;
using reply_port = kept_promise<written>;

void refuse(dispatcher_actor::pointer self, const entity_context& world, const keyed& key, const error& why,
            reply_port reply) {
  if (!key) {
    reply.deliver(to_caf(why));
    return self->quit();
  }
  write(
      self, world.store, world.write_timeout(), {storage::remember_answer{world.clock->now()}, recording(key, why)},
      [self, why, reply](written done) mutable {
        if (std::holds_alternative<storage::replayed>(done))
          reply.deliver(std::move(done));
        else
          reply.deliver(to_caf(why));
        self->quit();
      },
      [self, reply](const error& failed) mutable {
        reply.deliver(to_caf(failed));
        self->quit();
      });
}

void open(dispatcher_actor::pointer self, const context_ptr& world, campaign planned, const keyed& key,
          reply_port reply) {
  storage::open_campaign what{std::move(planned), world->clock->now()};
  write(
      self, world->store, world->bulk_timeout(), {std::move(what), key},
      [self, world, reply](written done) mutable {
        if (const auto* c = std::get_if<campaign>(&done))
          self->send(world->registry, campaign_opened{std::make_shared<const campaign>(*c)});
        reply.deliver(std::move(done));
        self->quit();
      },
      [self, world, reply](const error& why) mutable {
        if (leaves_doubt(why)) self->send(world->registry, order_in_doubt{});
        reply.deliver(to_caf(why));
        self->quit();
      });
}

} // namespace

dispatcher_actor::behavior_type dispatcher(dispatcher_actor::pointer self, context_ptr world) {
  house_rules(self, "dispatcher");
  return {[self, world](const order_campaign& cmd) -> caf::result<written> {
    auto promise = self->make_response_promise<written>();
    reply_port reply{promise};
    const auto& config = *world->config;
    auto planned = plan_campaign(cmd.order, config.programmes, config.baselines, config.holidays, world->clock->now());
    if (planned)
      open(self, world, std::move(*planned), cmd.key, reply);
    else
      refuse(self, *world, cmd.key, planned.error(), reply);
    return promise;
  }};
}

} // namespace dr::actors
