#include "tests/chaos/mutants.hpp"

#include <pqxx/pqxx>

#include <array>
#include <functional>

namespace dr::chaos {

namespace {

using storage::committed;
using storage::write;
using storage::written;

// The first one is always spoiled, so that a short run meets the bug.
constexpr int every_answer = 6; ///< one answer in so many is lost
constexpr int every_change = 4; ///< one change in so many is done wrongly
constexpr int every_batch = 30; ///< after so many transactions the log loses an event

constexpr std::array names = {"lost-commit", "double-credit", "skipped-alert", "wrong-count", "forgotten-event"};

/// Statements outside of the product's transactions.
class saboteur {
public:
  explicit saboteur(std::string url) : url_(std::move(url)) {}
  template <class... Values> void run(const char* sql, const Values&... values) {
    try {
      if (!open_) open_ = std::make_unique<pqxx::connection>(url_);
      pqxx::work in(*open_);
      in.exec_params(sql, values...);
      in.commit();
    } catch (const std::exception&) {
      open_.reset(); // a bug that cannot strike now strikes later
    }
  }

private:
  std::string url_;
  std::unique_ptr<pqxx::connection> open_;
};

/// A writer that does everything right but for what its subclass spoils.
class spoiled_writer : public storage::writer {
public:
  explicit spoiled_writer(std::unique_ptr<storage::writer> real) : real_(std::move(real)) {}
  result<committed> commit(const std::string& batch_id, std::span<const write> batch) override {
    auto done = real_->commit(batch_id, batch);
    if (done) spoil(batch, *done);
    return done;
  }
  void abort() noexcept override { real_->abort(); }

protected:
  virtual void spoil(std::span<const write>, committed&) {}
  std::unique_ptr<storage::writer> real_;
};

class losing_writer final : public spoiled_writer {
public:
  losing_writer(std::unique_ptr<storage::writer> real, std::unique_ptr<storage::reader> reader)
      : spoiled_writer(std::move(real)), reader_(std::move(reader)) {}
  result<committed> commit(const std::string& batch_id, std::span<const write> batch) override {
    std::vector<write> kept;
    std::vector<bool> lost;
    for (const auto& one : batch) {
      lost.push_back(std::holds_alternative<storage::choose_answer>(one.what) && answers_++ % every_answer == 0);
      if (!lost.back()) kept.push_back(one);
    }
    auto done = real_->commit(batch_id, kept);
    if (!done) return done;
    committed whole;
    whole.last_seq = done->last_seq;
    auto next = done->results.begin();
    for (std::size_t i = 0; i < batch.size(); ++i)
      whole.results.push_back(lost[i] ? lie(std::get<storage::choose_answer>(batch[i].what)) : std::move(*next++));
    return whole;
  }

private:
  result<written> lie(const storage::choose_answer& what) {
    auto found = reader_->find_response(what.id);
    if (!found) return found.error();
    auto response = found->response;
    const auto before = response.answer;
    response.answer = what.answer;
    response.answered_at = what.at;
    ++response.version;
    return written{storage::response_changed{response, before, true}};
  }

  std::unique_ptr<storage::reader> reader_;
  int answers_ = 0;
};

class crediting_writer final : public spoiled_writer {
public:
  crediting_writer(std::unique_ptr<storage::writer> real, std::string url)
      : spoiled_writer(std::move(real)), sabotage_(std::move(url)) {}

private:
  void spoil(std::span<const write>, committed& done) override {
    for (const auto& one : done.results) {
      const auto* settled = one ? std::get_if<storage::check_settled>(&*one) : nullptr;
      if (!settled || settled->entries.empty() || credits_++ % every_change != 0) continue;
      const auto& entry = settled->entries.front();
      sabotage_.run("WITH account AS (UPDATE users SET points = points + $2 WHERE id = $1 RETURNING points) "
                    "INSERT INTO ledger (user_id, amount, balance_after, campaign_id, response_id, at, revision, kind) "
                    "SELECT $1, $2, points, $3, $4, now(), 1000, $5 FROM account",
                    entry.user.value, entry.amount, entry.campaign.value, entry.response.value,
                    static_cast<int>(entry.kind));
    }
  }

  saboteur sabotage_;
  int credits_ = 0;
};

class miscounting_writer final : public spoiled_writer {
public:
  miscounting_writer(std::unique_ptr<storage::writer> real, std::string url)
      : spoiled_writer(std::move(real)), sabotage_(std::move(url)) {}

private:
  void spoil(std::span<const write> batch, committed& done) override {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (!std::holds_alternative<storage::mark_delivered>(batch[i].what) || !done.results[i]) continue;
      const auto* changed = std::get_if<storage::response_changed>(&*done.results[i]);
      if (changed && changed->changed && receipts_++ % every_change == 0)
        sabotage_.run("UPDATE campaign SET delivered = delivered + 1 WHERE id = $1", changed->response.campaign.value);
    }
  }

  saboteur sabotage_;
  int receipts_ = 0;
};

class forgetting_writer final : public spoiled_writer {
public:
  forgetting_writer(std::unique_ptr<storage::writer> real, std::string url)
      : spoiled_writer(std::move(real)), sabotage_(std::move(url)) {}

private:
  void spoil(std::span<const write>, committed& done) override {
    if (batches_++ % every_batch == 0) sabotage_.run("DELETE FROM event WHERE seq = $1", done.last_seq);
  }

  saboteur sabotage_;
  int batches_ = 0;
};

class mutated_database final : public storage::database {
public:
  mutated_database(std::shared_ptr<storage::database> real, mutant which, std::string url)
      : real_(std::move(real)), which_(which), url_(std::move(url)) {}
  result<std::vector<int>> migrate() override { return real_->migrate(); }
  result<std::int64_t> take_lease(const std::string& holder) override { return real_->take_lease(holder); }
  std::unique_ptr<storage::reader> open_reader() override { return real_->open_reader(); }
  std::unique_ptr<storage::writer> open_writer(storage::lane which, std::int64_t epoch) override {
    auto writer = real_->open_writer(which, epoch);
    if (which != storage::lane::hot) return writer;
    switch (which_) {
    case mutant::lost_commit:
      return std::make_unique<losing_writer>(std::move(writer), real_->open_reader());
    case mutant::double_credit:
      return std::make_unique<crediting_writer>(std::move(writer), url_);
    case mutant::wrong_count:
      return std::make_unique<miscounting_writer>(std::move(writer), url_);
    case mutant::forgotten_event:
      return std::make_unique<forgetting_writer>(std::move(writer), url_);
    case mutant::skipped_alert:
      break; // not storage's business
    }
    return writer;
  }

private:
  std::shared_ptr<storage::database> real_;
  mutant which_;
  std::string url_;
};

} // namespace

std::optional<mutant> parse_mutant(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names.at(i)) return static_cast<mutant>(i);
  return std::nullopt;
}

std::shared_ptr<storage::database> mutated(std::shared_ptr<storage::database> real, mutant which, std::string url) {
  return std::make_shared<mutated_database>(std::move(real), which, std::move(url));
}

} // namespace dr::chaos
