#include "actors/open_batch.hpp"

#include <utility>

namespace dr::actors {

open_batch::open_batch(std::shared_ptr<user_cache> users, std::size_t most) : users_(std::move(users)), most_(most) {}

open_batch::~open_batch() { release(); }

bool open_batch::add(storage::write& what) {
  const std::scoped_lock lock(mutex_);
  if (at_ != condition::open || changes_.size() >= most_) return false;
  changes_.push_back(std::move(what));
  users_->hold(changes_.back().what);
  return true;
}

std::optional<std::span<const storage::write>> open_batch::begin() {
  const std::scoped_lock lock(mutex_);
  if (at_ == condition::taken_back) return std::nullopt;
  at_ = condition::begun;
  return std::span<const storage::write>(changes_);
}

std::optional<std::vector<storage::write>> open_batch::take_back() {
  const std::scoped_lock lock(mutex_);
  if (at_ != condition::open) return std::nullopt;
  at_ = condition::taken_back;
  release();
  return std::exchange(changes_, {});
}

void open_batch::release() noexcept {
  for (const auto& one : changes_) users_->release(one.what);
}

} // namespace dr::actors
