#include "actors/store_workers.hpp"

#include "actors/house.hpp"
#include "actors/turns.hpp"

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <span>
#include <stdexcept>

namespace dr::actors {

namespace {

struct store_writer_state {
  static constexpr const char* name = "store_writer";
  std::shared_ptr<storage::writer> connection;
  std::string succeeded; ///< the last batch, unless it failed
};

struct store_reader_state {
  static constexpr const char* name = "store_reader";
  std::shared_ptr<storage::reader> connection;
};

batch_outcome commit(storage::writer& connection, const std::string& id, std::span<const storage::write> changes) {
  auto begun = std::chrono::steady_clock::now();
  auto got = connection.commit(id, changes);
  batch_outcome outcome;
  outcome.commit_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  if (got)
    outcome.done = std::make_shared<storage::committed>(std::move(*got));
  else
    outcome.failure = got.error();
  if (!got) outcome.outage = connection.last_outage();
  return outcome;
}

batch_outcome not_begun() {
  batch_outcome outcome;
  outcome.failure = fail(errc::store_unavailable, "the batch was not begun");
  return outcome;
}

batch_outcome carry_out(store_writer_state& state, const commit_batch& batch) {
  if (batch.id.empty()) return commit(*state.connection, {}, {});
  if (!batch.follows.empty() && batch.follows != state.succeeded) return not_begun();
  const auto changes = batch.what->begin();
  if (!changes) return not_begun();
  state.succeeded.clear();
  auto outcome = commit(*state.connection, batch.id, *changes);
  if (outcome.done) state.succeeded = batch.id;
  return outcome;
}

store_writer_actor::behavior_type store_writer(store_writer_actor::stateful_pointer<store_writer_state> self,
                                               std::shared_ptr<storage::writer> connection) {
  house_rules(self, store_writer_state::name);
  self->state.connection = std::move(connection);
  return {[self](const commit_batch& batch) { return carry_out(self->state, batch); }};
}

store_reader_actor::behavior_type store_reader(store_reader_actor::stateful_pointer<store_reader_state> self,
                                               std::shared_ptr<storage::reader> connection) {
  house_rules(self, store_reader_state::name);
  self->state.connection = std::move(connection);
  return {[self](const read_task& task) -> caf::result<read_done> {
    if (!task.run) return read_done{};
    auto& from = *self->state.connection;
    task.run(from);
    auto store = self->make_response_promise<read_done>();
    answer_and_begin(self, turns_of_read, [&] { store.deliver(read_done{from.last_outage()}); });
    return store;
  }};
}

} // namespace

store_writer_actor spawn_store_writer(caf::actor_system& system, const open_writer& open, const writer_slot& slot,
                                      worker_thread where) {
  std::shared_ptr<storage::writer> connection = open();
  if (!connection) throw std::runtime_error("no connection for a writer");
  slot->put(connection);
  return where == worker_thread::own ? system.spawn<caf::detached>(store_writer, std::move(connection))
                                     : system.spawn(store_writer, std::move(connection));
}

store_reader_actor spawn_store_reader(caf::actor_system& system, const open_reader& open, const reader_slot& slot,
                                      worker_thread where) {
  std::shared_ptr<storage::reader> connection = open();
  if (!connection) throw std::runtime_error("no connection for a reader");
  slot->put(connection);
  return where == worker_thread::own ? system.spawn<caf::detached>(store_reader, std::move(connection))
                                     : system.spawn(store_reader, std::move(connection));
}

} // namespace dr::actors
