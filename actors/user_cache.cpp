#include "actors/user_cache.hpp"

namespace dr::actors {

namespace {

/// Whom a change may touch.
struct touched {
  bool anybody = false;
  user_id one;
};

touched touched_by(const storage::change& what) {
  struct visitor {
    touched operator()(const storage::change_user& c) const { return {false, c.id}; }
    touched operator()(const storage::withdraw_user& c) const { return {false, c.id}; }
    touched operator()(const storage::set_token& c) const { return {false, c.id}; }
    touched operator()(const storage::withdraw_points& c) const { return {false, c.id}; }
    // The store takes the user of the response, whom the check names when it was made from it.
    touched operator()(const storage::settle_check& c) const { return {!c.check.user, c.check.user}; }
    touched operator()(const storage::import_users&) const { return {true, {}}; } // known by their numbers only
    // A new user's id is nobody's yet; campaigns and answers leave the users as they are.
    touched operator()(const storage::create_user&) const { return {}; }
    touched operator()(const storage::open_campaign&) const { return {}; }
    touched operator()(const storage::save_campaign&) const { return {}; }
    touched operator()(const storage::freeze_campaign&) const { return {}; }
    touched operator()(const storage::choose_answer&) const { return {}; }
    touched operator()(const storage::mark_delivered&) const { return {}; }
    touched operator()(const storage::postpone_checks&) const { return {}; }
    touched operator()(const storage::order_recheck&) const { return {}; }
    touched operator()(const storage::retry_parked&) const { return {}; }
    touched operator()(const storage::retry_check&) const { return {}; }
    touched operator()(const storage::save_profile&) const { return {}; }
    touched operator()(const storage::remember_answer&) const { return {}; }
  };
  return std::visit(visitor{}, what);
}

} // namespace

user_cache::found user_cache::find(user_id id) {
  const std::scoped_lock lock(mutex_);
  const auto known = by_id_.find(id.value);
  if (known != by_id_.end()) {
    rows_.splice(rows_.begin(), rows_, known->second);
    return {known->second->row, known->second->ticket};
  }
  if (max_users_ == 0 || !open() || held_.contains(id.value)) return {};
  if (rows_.size() >= max_users_) drop(rows_.back().id);
  rows_.push_front({id.value, ++tickets_, nullptr});
  by_id_[id.value] = rows_.begin();
  return {nullptr, tickets_};
}

void user_cache::keep(const user& row, std::uint64_t ticket) {
  auto kept = std::make_shared<const user>(row);
  const std::scoped_lock lock(mutex_);
  const auto known = by_id_.find(row.id.value);
  if (known != by_id_.end() && known->second->ticket == ticket) known->second->row = std::move(kept);
}

void user_cache::suspend() {
  const std::scoped_lock lock(mutex_);
  suspended_ = true;
  clear();
}

void user_cache::resume() {
  const std::scoped_lock lock(mutex_);
  suspended_ = false;
}

void user_cache::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  clear();
}

std::size_t user_cache::size() const {
  const std::scoped_lock lock(mutex_);
  return rows_.size();
}

void user_cache::hold(const storage::change& what) {
  const auto whom = touched_by(what);
  if (max_users_ == 0 || (!whom.anybody && !whom.one)) return;
  const std::scoped_lock lock(mutex_);
  if (whom.anybody) {
    ++all_held_;
    clear();
  } else {
    ++held_[whom.one.value];
    drop(whom.one.value);
  }
}

void user_cache::release(const storage::change& what) noexcept {
  const auto whom = touched_by(what);
  if (max_users_ == 0 || (!whom.anybody && !whom.one)) return;
  const std::scoped_lock lock(mutex_);
  if (whom.anybody) {
    --all_held_;
  } else if (const auto at = held_.find(whom.one.value); at != held_.end() && --at->second == 0) {
    held_.erase(at);
  }
}

void user_cache::drop(std::int64_t id) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  rows_.erase(known->second);
  by_id_.erase(known);
}

void user_cache::clear() {
  rows_.clear();
  by_id_.clear();
}

} // namespace dr::actors
