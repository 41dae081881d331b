#include "actors/stable.hpp"

#include "actors/errors.hpp"

#include <caf/actor_config.hpp>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/message.hpp>
#include <caf/monitorable_actor.hpp>

#include <mutex>

namespace dr::actors {

namespace {

/// Forwards whole mailbox elements, so that sender, request id and order stay as they are. It has no mailbox of its
/// own.
class stable_actor : public caf::monitorable_actor {
public:
  stable_actor(caf::actor_config& cfg, std::string name) : caf::monitorable_actor(cfg), name_(std::move(name)) {}

  using caf::abstract_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) override {
    caf::strong_actor_ptr target;
    bool closed = false;
    {
      std::lock_guard guard{mutex_};
      target = target_;
      closed = closed_;
    }
    if (target)
      target->enqueue(std::move(what), host);
    else if (what->mid.is_request() && what->sender)
      // Not by bounce(): that would answer request_receiver_down, whatever error it is given.
      what->sender->enqueue(nullptr, what->mid.response_id(), caf::make_message(to_caf(why_not(closed))), host);
  }

  void on_destroy() override {
    if (!getf(is_cleaned_up_flag)) cleanup(caf::exit_reason::unreachable, nullptr);
  }

  const char* name() const override { return name_.c_str(); }

  void point_to(caf::strong_actor_ptr target) {
    std::lock_guard guard{mutex_};
    std::swap(target_, target); // the old one is released behind the lock
  }
  void close() {
    caf::strong_actor_ptr old; // released behind the lock
    std::lock_guard guard{mutex_};
    closed_ = true;
    std::swap(target_, old);
  }
  caf::strong_actor_ptr target() const {
    std::lock_guard guard{mutex_};
    return target_;
  }

private:
  error why_not(bool closed) const {
    return closed ? fail(errc::shutting_down, "the server is shutting down")
                  : fail(errc::store_unavailable, name_ + " is being restarted: try again");
  }

  const std::string name_;
  mutable std::mutex mutex_;
  caf::strong_actor_ptr target_;
  bool closed_ = false;
};

stable_actor* stable_of(const caf::actor& handle) {
  return dynamic_cast<stable_actor*>(caf::actor_cast<caf::abstract_actor*>(handle));
}

} // namespace

caf::actor make_stable(caf::actor_system& system, std::string name) {
  caf::actor_config config;
  return caf::make_actor<stable_actor, caf::actor>(system.next_actor_id(), system.node(), &system, config,
                                                   std::move(name));
}

void point_to(const caf::actor& stable, const caf::actor& incarnation) {
  if (!stable) return;
  if (auto* handle = stable_of(stable)) handle->point_to(caf::actor_cast<caf::strong_actor_ptr>(incarnation));
}

void close_stable(const caf::actor& stable) {
  if (!stable) return;
  if (auto* handle = stable_of(stable)) handle->close();
}

caf::actor incarnation_of(const caf::actor& stable) {
  auto* handle = stable ? stable_of(stable) : nullptr;
  return handle ? caf::actor_cast<caf::actor>(handle->target()) : caf::actor{};
}

} // namespace dr::actors
