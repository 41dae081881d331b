#include "storage/memory/memory_writer.hpp"

#include "storage/engine/apply.hpp"

#include <spdlog/spdlog.h>

namespace dr::storage {

namespace {

class memory_writer final : public writer {
public:
  memory_writer(std::shared_ptr<memory_state> state, std::shared_ptr<memory_faults> faults, lane which,
                std::int64_t epoch)
      : state_(std::move(state)), faults_(std::move(faults)), lane_(which), epoch_(epoch) {}

  result<committed> commit(const std::string& batch_id, std::span<const write> batch) override {
    aborted_ = false;
    outage_ = {};
    if (batch_id.empty() && batch.empty()) return look();
    ++faults_->commits;
    faults_->changes += static_cast<int>(batch.size());
    auto fate = faults_->next_commit(aborted_);
    if (fate == memory_faults::fate::unavailable) return unreachable();
    std::scoped_lock lock{state_->mutex};
    if (state_->epoch != epoch_) return fail(errc::fenced, "another server process has taken over the writing");
    auto done = carry_out(batch_id, batch);
    if (fate == memory_faults::fate::lose_answer)
      return fail(errc::outcome_unknown, "the answer to the commit was lost");
    return done;
  }

  outage last_outage() const override { return outage_; }

  void abort() noexcept override {
    ++faults_->aborts;
    aborted_ = true;
    faults_->wake();
  }

private:
  error unreachable() {
    outage_ = {outage_cause::unreachable, "the memory store was told to fail"};
    return fail(errc::store_unavailable, "the store cannot be reached");
  }

  result<committed> look() {
    if (faults_->is_down()) return unreachable();
    std::scoped_lock lock{state_->mutex};
    if (state_->epoch != epoch_) return fail(errc::fenced, "another server process has taken over the writing");
    return committed{};
  }

  committed carry_out(const std::string& batch_id, std::span<const write> batch) {
    auto& marker = state_->markers[static_cast<int>(lane_)];
    if (marker.batch_id == batch_id && last_id_ == batch_id) return last_;
    if (marker.batch_id == batch_id) return unknown(batch.size());
    committed all;
    std::set<campaign_id> changed;
    for (const auto& one : batch) all.results.push_back(carry_out(one, changed));
    for (auto id : changed) {
      const auto& c = state_->campaigns.at(id);
      all.campaigns.push_back({id, c.version, c.counts});
    }
    all.last_seq = static_cast<std::int64_t>(state_->events.size());
    marker.batch_id = last_id_ = batch_id;
    return last_ = all;
  }

  result<written> carry_out(const write& one, std::set<campaign_id>& changed) {
    memory_rows rows{*state_};
    try {
      std::vector<event> events;
      auto outcome = execute(one, rows, events);
      if (auto at = time_of(one.what)) state_->latest = std::max(state_->latest, *at);
      for (auto& e : events) {
        e.seq = static_cast<std::int64_t>(state_->events.size()) + 1;
        state_->events.push_back(std::move(e));
      }
      changed.insert(rows.changed_campaigns().begin(), rows.changed_campaigns().end());
      return outcome;
    } catch (const std::exception& why) {
      rows.undo();
      spdlog::error("storage: a change could not be carried out: {}", why.what());
      return fail(errc::internal, "the change could not be stored");
    }
  }

  committed unknown(std::size_t count) const {
    auto lost = fail(errc::outcome_unknown, "this was stored before, but its answer is lost: read it again");
    return {std::vector<result<written>>(count, lost), static_cast<std::int64_t>(state_->events.size()), {}};
  }

  std::shared_ptr<memory_state> state_;
  std::shared_ptr<memory_faults> faults_;
  lane lane_;
  std::int64_t epoch_;
  std::atomic<bool> aborted_{false};
  std::string last_id_;
  committed last_;
  outage outage_;
};

class database_in_memory final : public memory_database {
public:
  result<std::vector<int>> migrate() override { return std::vector<int>{}; }
  result<std::int64_t> take_lease(const std::string&) override {
    std::scoped_lock lock{state_->mutex};
    return ++state_->epoch;
  }
  std::unique_ptr<writer> open_writer(lane which, std::int64_t epoch) override {
    ++faults_->writers;
    return make_memory_writer(state_, faults_, which, epoch);
  }
  std::unique_ptr<reader> open_reader() override {
    ++faults_->readers;
    return make_memory_reader(state_, faults_);
  }
  memory_faults& faults() noexcept override { return *faults_; }

private:
  std::shared_ptr<memory_state> state_ = std::make_shared<memory_state>();
  std::shared_ptr<memory_faults> faults_ = std::make_shared<memory_faults>();
};

} // namespace

std::unique_ptr<writer> make_memory_writer(std::shared_ptr<memory_state> state, std::shared_ptr<memory_faults> faults,
                                           lane which, std::int64_t epoch) {
  return std::make_unique<memory_writer>(std::move(state), std::move(faults), which, epoch);
}

std::shared_ptr<memory_database> make_memory_database() { return std::make_shared<database_in_memory>(); }

} // namespace dr::storage
