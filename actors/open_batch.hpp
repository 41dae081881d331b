// A batch that still takes changes while its writer is busy with the one before: the store adds, the writer begins with
// whatever is there by then. So no commit waits for an actor's turn.
#pragma once

#include "actors/user_cache.hpp"
#include "storage/writes.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace dr::actors {

/// The changes of one transaction. Thread-safe; nothing here blocks for long.
class open_batch {
public:
  /// For at most `most` changes. The users that they may change are kept out of `users` while this object lives: the
  /// store holds it until the outcome is known, the writer until it has finished.
  open_batch(std::shared_ptr<user_cache> users, std::size_t most);
  open_batch(const open_batch&) = delete;
  open_batch& operator=(const open_batch&) = delete;
  ~open_batch();

  /// False: nothing more can be added, as it is full, begun or taken back; then `what` is as it was.
  bool add(storage::write& what);
  /// The writer's side: from now on nothing is added. Nothing when it was taken back; otherwise the changes, the same
  /// ones however often it is begun.
  std::optional<std::span<const storage::write>> begin();
  /// Everything that was added, out of it again, so that no writer can begin it; nothing when one has.
  std::optional<std::vector<storage::write>> take_back();

private:
  enum class condition : unsigned char { open, begun, taken_back };
  void release() noexcept;

  const std::shared_ptr<user_cache> users_;
  const std::size_t most_;
  std::mutex mutex_;
  condition at_ = condition::open;
  std::vector<storage::write> changes_;
};

} // namespace dr::actors
