// The fake: a store in memory with the same rules, for tests of everything above it. It can be told to misbehave.
#pragma once

#include "storage/store.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace dr::storage {

/// What the next calls do. Thread-safe; the counters only grow.
class memory_faults {
public:
  /// The next `count` commits fail with store_unavailable; nothing happens.
  void fail_commits(int count);
  /// The next `count` commits really happen, and then answer outcome_unknown.
  void lose_commit_answers(int count);
  /// The next `count` calls of any reader fail with store_unavailable.
  void fail_reads(int count);
  /// While on, every commit and read fails with store_unavailable.
  void set_down(bool down);
  /// Reading what the verification of this response needs fails with internal, as damaged data would.
  void break_material(response_id id);
  /// Commits wait until release_commits(), or until their writer is aborted (then they fail with store_unavailable).
  void block_commits();
  void release_commits();
  /// Waits until at least `count` commits stand blocked; false when that does not happen in time.
  bool wait_for_blocked(int count, std::chrono::milliseconds limit);

  std::atomic<int> commits{0}; ///< calls of commit()
  std::atomic<int> changes{0}; ///< changes in them
  std::atomic<int> reads{0};   ///< calls of a reader
  std::atomic<int> aborts{0};
  std::atomic<int> writers{0}; ///< opened
  std::atomic<int> readers{0};

  // ---- for the store itself ----
  enum class fate { proceed, unavailable, lose_answer };
  /// Decides a commit's fate; waits while commits are blocked and `aborted` stays false.
  fate next_commit(const std::atomic<bool>& aborted);
  bool next_read_fails();
  bool material_is_broken(response_id id);
  bool is_down();
  void wake();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int fail_commits_ = 0;
  int lose_answers_ = 0;
  int fail_reads_ = 0;
  int blocked_now_ = 0;
  bool blocked_ = false;
  bool down_ = false;
  response_id broken_material_;
};

/// A database in memory; it lives as long as it, or any writer or reader of it, is held.
class memory_database : public database {
public:
  /// How it is told to misbehave, and what it counted.
  virtual memory_faults& faults() noexcept = 0;
};

std::shared_ptr<memory_database> make_memory_database();

} // namespace dr::storage
