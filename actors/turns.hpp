// Where turns are taken. CAF hands each actor that a message makes ready to its scheduler by itself and wakes a thread
// for it, which costs more than a short turn does. Here is what to do when it is known that many become ready at once,
// or that a request leads to a few short turns, one behind the other.
#pragma once

#include <caf/execution_unit.hpp>
#include <caf/fwd.hpp>
#include <caf/message_id.hpp>
#include <caf/resumable.hpp>

#include <cstddef>
#include <functional>
#include <vector>

namespace dr::actors {

/// Jobs of a burst that are taken by one thread, one behind the other.
inline constexpr std::size_t row_of_burst = 64;
/// Turns that a request leads to at once: the registry's, an entity's, the store's.
inline constexpr std::size_t turns_of_request = 3;
/// Turns that a reader's answer leads to at once: the store's. Who asked may be busy with it for long (the push hub),
/// and the reader has its next work already.
inline constexpr std::size_t turns_of_read = 1;
/// Turns that KEPCO's answer leads to at once: the gate's and the check's.
inline constexpr std::size_t turns_of_call = 2;

/// In a turn of an actor, before it sends to many: whoever becomes ready while this lives begins when it is gone, in
/// rows, each one job of the scheduler. Only for receivers with short turns, for those behind them wait.
class burst final : public caf::execution_unit {
public:
  explicit burst(caf::local_actor* sender);
  burst(const burst&) = delete;
  burst& operator=(const burst&) = delete;
  ~burst() override;
  void exec_later(caf::resumable* job) override { ready_.push_back(job); }

private:
  caf::local_actor* sender_;
  caf::execution_unit* of_turn_;
  std::vector<caf::resumable*> ready_;
};

/// Sends a request from a thread that is not the scheduler's, and takes the turns it leads to on that thread, up to
/// turns_of_request, with one message each. Whoever is at work elsewhere goes on there; what else becomes ready, or has
/// more messages, is the scheduler's.
void send_and_begin(caf::actor_system& system, const caf::strong_actor_ptr& to, caf::strong_actor_ptr sender,
                    caf::message_id id, caf::message what);

/// The same for a worker, in its turn: what `answer` sends leads to turns on its thread, `most` at most, with one
/// message each. If one of them gives it new work and the thread is its own, it need not fall asleep in between.
void answer_and_begin(caf::local_actor* self, std::size_t most, const std::function<void()>& answer);

} // namespace dr::actors
