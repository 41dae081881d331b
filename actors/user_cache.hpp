// The rows of users that were read lately, so that GET /users/{id} need not ask the database. Shared by the store,
// which keeps it exact, and the front, which reads through it. Nothing in it survives the process, nor needs to.
#pragma once

#include "domain/user.hpp"
#include "storage/writes.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace dr::actors {

/// What is guaranteed: a row found here is the one that a read of the database would find at the same moment, as long
/// as this process holds the writer lease. Before a change of a user can be committed its row is taken out, and while
/// the outcome is open (a transaction under way, or lost in its commit) the user is read from the database; a read that
/// began before is not kept after it. A process that lost the lease unseen (it slept) learns of it from its next
/// transaction or probe, and may until then show what was right when it last held it.
///
/// Bounded: the user that was asked for longest ago makes room. Thread-safe; nothing here blocks for long.
class user_cache {
public:
  /// Keeps at most `max_users` rows; 0: none at all.
  explicit user_cache(std::size_t max_users) : max_users_(max_users) {}

  /// A row, or else the ticket with which to keep() the one that is read instead.
  struct found {
    std::shared_ptr<const user> row;
    std::uint64_t ticket = 0; ///< 0: the row must not be kept
  };
  found find(user_id id);
  /// Keeps a row whose reading began after find() gave the ticket; not if the user was changed meanwhile.
  void keep(const user& row, std::uint64_t ticket);

  /// Whom the change may touch is kept out from now on, until as many releases of such changes. Before a transaction
  /// can begin, its changes are held; they are released when its outcome is known and it is over.
  void hold(const storage::change& what);
  void release(const storage::change& what) noexcept;
  /// Keeps everybody out until resume(): a transaction is under way of which nobody will hear any more.
  void suspend();
  /// A transaction was committed: it waited for the one that suspend() was about.
  void resume();
  /// Another process writes now: keeps everybody out for ever.
  void stop();

  std::size_t size() const;

private:
  struct entry {
    std::int64_t id = 0;
    std::uint64_t ticket = 0;
    std::shared_ptr<const user> row; ///< none while it is being read
  };
  void drop(std::int64_t id);
  void clear();
  bool open() const { return !suspended_ && !stopped_ && all_held_ == 0; }

  const std::size_t max_users_;
  mutable std::mutex mutex_;
  std::list<entry> rows_; ///< asked for last: first
  std::unordered_map<std::int64_t, std::list<entry>::iterator> by_id_;
  std::unordered_map<std::int64_t, int> held_; ///< by how many changes
  int all_held_ = 0;                           ///< changes that may touch anybody
  std::uint64_t tickets_ = 0;
  bool suspended_ = false;
  bool stopped_ = false;
};

} // namespace dr::actors
