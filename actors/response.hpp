// One pending response: decides accept and deny, one change at a time, until it is frozen and its check is in.
// Owned by the registry, which revives it from the store on the next touch; a crash loses nothing that was answered.
// Small on purpose: there may be a million.
#pragma once

#include "actors/entities.hpp"

#include <caf/actor_config.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <variant>
#include <vector>

namespace dr::actors {

/// Commands that may wait in one response; more are refused as overloaded. A caller may be a stranger, which is seen
/// only when the row has been read: one alone does not fill it.
inline constexpr std::size_t response_backlog_max = 16;
inline constexpr std::size_t response_backlog_of_all = 4 * response_backlog_max;

struct response_state {
  static constexpr const char* name = "response";
  struct command {
    std::variant<choose, acknowledge_alert> what;
    caf::typed_response_promise<storage::written> reply;
    bool decided_on_fresh = false; ///< the row was read for this very decision
    const caller& by() const {
      return std::visit([](const auto& c) -> const caller& { return c.by; }, what);
    }
  };
  using backlog = std::vector<command>; ///< seldom more than one

  explicit response_state(response_impl::pointer me) : self(me) {}
  response_state(const response_state&) = delete;
  response_state& operator=(const response_state&) = delete;
  ~response_state();

  template <class Command> caf::result<storage::written> take(Command& cmd);
  void next();
  void load();
  void learn(const storage::campaign_response& row);
  void decide(const choose& cmd);
  void store(storage::write what);
  void stored(storage::written done);
  void conclude(result<storage::written> outcome);
  void newer(const std::shared_ptr<const campaign>& row);
  void settle_down();
  bool pending() const noexcept;

  response_impl::pointer self;
  context_ptr world;
  std::shared_ptr<const campaign> of;
  response_id id;
  user_id user;
  std::int64_t capacity_w = 0;
  std::unique_ptr<backlog> work; ///< exists while something is under way
  dr::answer answer = dr::answer::ignore;
  bool known = false;   ///< the members above are of the store
  bool stale = false;   ///< a write ended in doubt: read again before the next decision
  bool loading = false; ///< the row is being read
  bool settled = false; ///< its check is in
  bool turned = false;  ///< by its check, as last read
  bool told_idle = false;
  bool retiring = false;
};

/// A class, not a function: its arguments go into the state at once, where a function's would be kept beside each actor
/// until its first message, and most of a million wait long for that.
class pending_response final : public response_impl::stateful_base<response_state> {
public:
  /// With `of`, `row` is the stored response; without, the row is read when the first command comes.
  pending_response(caf::actor_config& config, context_ptr world, const storage::dispatched_response& row,
                   std::shared_ptr<const campaign> of);

protected:
  behavior_type make_behavior() override;
};

} // namespace dr::actors
