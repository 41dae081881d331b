#include "storage/memory/memory_database.hpp"

namespace dr::storage {

void memory_faults::fail_commits(int count) {
  std::scoped_lock lock{mutex_};
  fail_commits_ = count;
}

void memory_faults::lose_commit_answers(int count) {
  std::scoped_lock lock{mutex_};
  lose_answers_ = count;
}

void memory_faults::fail_reads(int count) {
  std::scoped_lock lock{mutex_};
  fail_reads_ = count;
}

void memory_faults::set_down(bool down) {
  std::scoped_lock lock{mutex_};
  down_ = down;
}

void memory_faults::block_commits() {
  std::scoped_lock lock{mutex_};
  blocked_ = true;
}

void memory_faults::release_commits() {
  std::scoped_lock lock{mutex_};
  blocked_ = false;
  changed_.notify_all();
}

bool memory_faults::wait_for_blocked(int count, std::chrono::milliseconds limit) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, limit, [&] { return blocked_now_ >= count; });
}

memory_faults::fate memory_faults::next_commit(const std::atomic<bool>& aborted) {
  std::unique_lock lock{mutex_};
  if (blocked_) {
    ++blocked_now_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !blocked_ || aborted; });
    --blocked_now_;
    if (aborted) return fate::unavailable;
  }
  if (down_) return fate::unavailable;
  if (fail_commits_ > 0) {
    --fail_commits_;
    return fate::unavailable;
  }
  if (lose_answers_ > 0) {
    --lose_answers_;
    return fate::lose_answer;
  }
  return fate::proceed;
}

bool memory_faults::next_read_fails() {
  std::scoped_lock lock{mutex_};
  if (down_) return true;
  if (fail_reads_ == 0) return false;
  --fail_reads_;
  return true;
}

void memory_faults::break_material(response_id id) {
  std::scoped_lock lock{mutex_};
  broken_material_ = id;
}

bool memory_faults::material_is_broken(response_id id) {
  std::scoped_lock lock{mutex_};
  return broken_material_ && broken_material_ == id;
}

bool memory_faults::is_down() {
  std::scoped_lock lock{mutex_};
  return down_;
}

void memory_faults::wake() {
  std::scoped_lock lock{mutex_};
  changed_.notify_all();
}

} // namespace dr::storage
