// The writer on Postgres: a batch is a transaction, or one statement; repeatable after an unknown commit, fenced by the
// lease's epoch.
#pragma once

#include "storage/postgres/pg_rows.hpp"

#include <deque>
#include <map>

namespace dr::storage {

/// Answers and receipts, which come in bursts, take two round trips (one more for keys): one statement reads, another
/// writes everything and commits by itself. All other batches, and one that lost a race, are transactions with locks.
/// What survives of it: the two marker columns of its lane say which batch was committed last, and how many of its
/// changes. Ranges of a bisected batch are committed from left to right, so one number tells all. Before its first
/// batch each connection begins a session of its lane: from then on nothing that an earlier one was sent can be carried
/// out.
class pg_writer final : public writer {
public:
  pg_writer(postgres_options options, lane which, std::int64_t epoch);
  result<committed> commit(const std::string& batch_id, std::span<const write> batch) override;
  outage last_outage() const override { return connection_.last_outage(); }
  void abort() noexcept override { connection_.abort(); }

private:
  struct range {
    std::size_t from = 0;
    std::size_t to = 0;
  };
  /// What a transaction made, to be believed once it is committed.
  struct outcome {
    range of;
    std::vector<result<written>> results;
    std::int64_t last_seq = 0;
    std::vector<campaign_standing> campaigns;
  };
  /// A batch that is not through yet.
  struct plan {
    std::string batch_id;
    std::vector<std::optional<result<written>>> results;
    std::deque<range> todo;          ///< from left to right
    std::optional<outcome> in_doubt; ///< it was sent to be committed, the answer never came
    bool some_committed = false;
    std::int64_t last_seq = 0;
    std::map<campaign_id, campaign_standing> campaigns; ///< as the last committed range left them
    int conflicts = 0;
  };

  result<committed> look();
  void start(const std::string& batch_id, std::size_t size);
  std::optional<error> advance(std::span<const write> batch);
  error fenced_out();
  error session_ended();
  void connect_and_resolve();
  void resolve(std::size_t done);
  void commit_at_once(range of, std::span<const write> part);
  void commit_transaction(range of, std::span<const write> part);
  outcome decide(pg_rows& rows, range of, std::span<const write> part, std::vector<event>& events);
  void purge_keys(std::int64_t more, time_point present, pg_rows& rows);
  parameters end_of(range of, std::span<const write> part, const std::vector<event>& events) const;
  std::int64_t store(pg_rows& rows, parameters end);
  void believe(outcome made);
  std::optional<error> recover(const std::exception& why);
  void split_or_blame(failure kind);
  error interrupted(error otherwise) const;
  committed finish();

  connection connection_;
  bool resolved_ = false;    ///< on this connection it is known what became of the last transaction
  std::int64_t session_ = 0; ///< the number of this connection, the highest of the lane's
  lane lane_;
  std::int64_t epoch_;
  std::optional<plan> plan_;
  std::string last_id_;
  committed last_;
  std::int64_t commits_with_keys_ = 0;
  std::int64_t keys_since_purge_ = 0;
};

} // namespace dr::storage
