#include "actors/user.hpp"

#include "actors/house.hpp"

#include <caf/sec.hpp>
#include <caf/typed_response_promise.hpp>

namespace dr::actors {

using storage::written;

// A promise that dies with its actor answers nothing, so the waiting callers are told here.
user_state::~user_state() {
  for (auto& [ticket, reply] : under_way) reply.deliver(caf::make_error(caf::sec::request_receiver_down));
}

/// The store keeps the order of its queue, so the changes need not wait for each other here: many withdrawals share a
/// transaction.
caf::result<written> user_state::take(user_command& cmd) {
  if (under_way.size() >= user_backlog_max)
    return to_caf(fail(errc::overloaded, "too many changes of this user at once: try again"));
  last_used = self->clock().now();
  if (!check_armed) {
    check_armed = true;
    self->delayed_send(self, user_idle_after, idle_check{});
  }
  auto ticket = ++tickets;
  auto reply = self->make_response_promise<written>();
  under_way.emplace(ticket, reply);
  write(
      self, world->store, caf::infinite, std::move(cmd.what),
      [this, ticket](written done) { ended(ticket, std::move(done)); },
      [this, ticket](const error& why) { ended(ticket, why); });
  return reply;
}

void user_state::ended(std::uint64_t ticket, result<written> outcome) {
  auto reply = std::move(under_way.extract(ticket).mapped());
  if (outcome)
    reply.deliver(std::move(*outcome));
  else
    reply.deliver(to_caf(outcome.error()));
  settle_down();
}

void user_state::check_idle() {
  check_armed = false;
  auto idle = self->clock().now() - last_used;
  if (idle >= user_idle_after && under_way.empty())
    return self->send(world->registry, entity_idle{entity_kind::user, id.value});
  check_armed = true;
  auto rest =
      idle < user_idle_after ? user_idle_after - idle : caf::actor_clock::duration_type{std::chrono::seconds{1}};
  self->delayed_send(self, std::chrono::duration_cast<std::chrono::milliseconds>(rest), idle_check{});
}

void user_state::settle_down() {
  if (retiring && under_way.empty()) self->quit();
}

user_impl::behavior_type user_behavior(user_impl::stateful_pointer<user_state> self, context_ptr world, user_id id) {
  house_rules(self, user_state::name);
  self->state.world = std::move(world);
  self->state.id = id;
  return {
      [self](user_command& cmd) { return self->state.take(cmd); },
      [self](const retire&) {
        self->state.retiring = true;
        self->state.settle_down();
      },
      [self](const idle_check&) { self->state.check_idle(); },
  };
}

} // namespace dr::actors
