// The store's blocking workers: a writer or a reader owns one connection and carries out one call after the other on
// its thread. Owned by the storage supervisors, permanent: a crash costs the connection, a new one is opened. Nothing
// else is kept in them.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/open_batch.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace dr::actors {

/// Where a worker leaves its connection, so that the store's watchdog can break a blocked call from outside.
/// Thread-safe.
template <class Connection> class connection_slot {
public:
  /// A worker that could not be ended, and is left behind by its successor, does not go on with the old one.
  void put(std::shared_ptr<Connection> connection) {
    {
      std::lock_guard guard{mutex_};
      std::swap(connection_, connection);
    }
    if (connection) connection->abort(); // it is closed when nobody holds it any more
  }
  /// Makes the call under way fail soon; harmless when there is none.
  void abort() noexcept {
    if (auto now = get()) now->abort();
  }

private:
  std::shared_ptr<Connection> get() {
    std::lock_guard guard{mutex_};
    return connection_;
  }
  std::mutex mutex_;
  std::shared_ptr<Connection> connection_;
};
using writer_slot = std::shared_ptr<connection_slot<storage::writer>>;
using reader_slot = std::shared_ptr<connection_slot<storage::reader>>;

/// One transaction. Repeating the id does it once. Without an id: could one be made now?
struct commit_batch {
  std::string id;
  std::shared_ptr<open_batch> what;
  std::string follows; ///< begun only right behind this batch, and only if that one succeeded; empty: in any case
};
struct batch_outcome {
  std::shared_ptr<storage::committed> done; ///< none when it failed as a whole
  error failure;
  storage::outage outage; ///< why it failed, as far as the database is the reason
  double commit_ms = 0;
};

using store_writer_actor = caf::typed_actor<
    // Commits a batch. What the connection says is in the outcome; a crash is an error. One that may not begin, or was
    // taken back, fails with store_unavailable, and nothing is done.
    caf::replies_to<commit_batch>::with<batch_outcome>>;
using store_reader_actor = caf::typed_actor<
    // Runs a task; one without a function is a ping. A throw in it ends the worker.
    caf::replies_to<read_task>::with<read_done>>;

/// Where blocking calls run: on a thread of the worker's own, or (tests, with a store that never blocks) on the
/// scheduler.
enum class worker_thread : unsigned char { own, scheduler };

using open_writer = std::function<std::unique_ptr<storage::writer>()>;
using open_reader = std::function<std::unique_ptr<storage::reader>()>;

/// Starts a worker; its connection is opened at once, in the caller's thread (that never blocks for long, see
/// database).
store_writer_actor spawn_store_writer(caf::actor_system& system, const open_writer& open, const writer_slot& slot,
                                      worker_thread where);
store_reader_actor spawn_store_reader(caf::actor_system& system, const open_reader& open, const reader_slot& slot,
                                      worker_thread where);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::commit_batch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::batch_outcome)
