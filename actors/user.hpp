// One user: its changes reach the store in the order in which they came, and it hears of its withdrawals.
// Owned by the registry, which starts it on the next touch; it keeps nothing, so a crash loses nothing that was
// answered.
#pragma once

#include "actors/entities.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace dr::actors {

/// Changes of one user under way at once; more are refused as overloaded.
inline constexpr std::size_t user_backlog_max = 256;
/// A user without commands for so long (real time) ends.
inline constexpr std::chrono::minutes user_idle_after{5};

struct idle_check {};
using user_impl = user_base::extend<caf::reacts_to<idle_check>>;

struct user_state {
  static constexpr const char* name = "user";
  explicit user_state(user_impl::pointer me) : self(me) {}
  user_state(const user_state&) = delete;
  user_state& operator=(const user_state&) = delete;
  ~user_state();

  caf::result<storage::written> take(user_command& cmd);
  void ended(std::uint64_t ticket, result<storage::written> outcome);
  void check_idle();
  void settle_down();

  user_impl::pointer self;
  context_ptr world;
  user_id id;
  std::map<std::uint64_t, caf::typed_response_promise<storage::written>> under_way;
  std::uint64_t tickets = 0;
  caf::actor_clock::time_point last_used{};
  bool check_armed = false;
  bool retiring = false;
};

user_impl::behavior_type user_behavior(user_impl::stateful_pointer<user_state> self, context_ptr world, user_id id);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::idle_check)
