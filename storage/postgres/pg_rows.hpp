// The rows of one write transaction in Postgres: what a batch needs is read for all of it at once, the rules then work
// in memory, and what they changed is written table by table, many rows in a statement.
#pragma once

#include "storage/postgres/bundle.hpp"
#include "storage/postgres/row_cache.hpp"
#include "storage/postgres/statements.hpp"

#include <deque>
#include <map>
#include <set>
#include <span>

namespace dr::storage {

/// How a campaign that was read stays as it is until its numbers are written.
enum class guarding : unsigned char {
  by_lock,    ///< the rows work in a transaction
  by_version, ///< each statement commits by itself; the last writes over the very row that was read, or fails
};

class pg_rows final : public rows {
public:
  pg_rows(connection& over, pqxx::transaction_base& in, guarding guard) : connection_(over), in_(in), guard_(guard) {}

  /// Reads what the changes will ask for. Only speed depends on it: whatever was not foreseen is read when asked for.
  void prefetch(std::span<const write> batch);
  /// Writes all that was changed. Fails as a conflict when somebody else changed one of these rows meanwhile.
  void flush();
  /// Makes the parameters of what flush_with() sends; throws when Postgres has no way to take one of the values.
  void gather();
  /// As flush(), at the end of the transaction, together with `last` (see bundle::run_with).
  std::int64_t flush_with(const statement& last, parameters values, const char* columns);
  /// The campaigns that were changed, as they stand now.
  std::vector<campaign_standing> standings() const;
  /// Throws away a few keyed requests that have expired at that time.
  void purge_requests(time_point now, std::int64_t at_most);

  const stored_user* find_user(user_id id) override;
  std::optional<user_id> user_with_cust_no(const std::string& cust_no) override;
  user_id new_user_id() override { return {user_ids_.take(*this)}; }
  void put(const stored_user& row) override;
  const campaign* find_campaign(campaign_id id) override;
  campaign_id new_campaign_id() override { return {campaign_ids_.take(*this)}; }
  void put(const campaign& row) override;
  void add_counts(campaign_id id, const campaign_counts& by) override;
  std::int64_t make_responses(const campaign& of) override;
  frozen_counts freeze(campaign_id id, bool queue, time_point first_try_at, time_point at) override;
  std::int64_t unpark(campaign_id id, time_point at) override;
  const response* find_response(response_id id) override;
  void put(const response& row) override;
  const queued_check* find_queued(response_id id) override;
  void put(const queued_check& row) override;
  void erase_queued(response_id id) override;
  const reduction_check* find_check(check_id id) override;
  const reduction_check* check_of(response_id id) override;
  check_id new_check_id() override { return {check_ids_.take(*this)}; }
  void put(const reduction_check& row) override;
  entry_id new_entry_id() override { return {entry_ids_.take(*this)}; }
  void add(const ledger_entry& row) override { entries_.push_back(row); }
  std::optional<ledger_entry> last_credit(response_id id) override;
  void merge_day(const std::string& cust_no, korean_day day, const stored_day& news) override;
  std::optional<kept_request> find_request(const request_key& key) override;
  void put_request(const request_key& key, const kept_request& row) override;
  time_point latest_time() override;

private:
  using day_key = std::pair<std::string, korean_day>;
  /// Numbers of one sequence, taken in advance for as many rows as are foreseen.
  struct id_pool {
    const statement& source;
    std::deque<std::int64_t> ids;
    void fill(pg_rows& rows, std::int64_t count);
    std::int64_t take(pg_rows& rows);
  };
  /// What a batch will ask for.
  struct wanted;

  pqxx::result run(const statement& what, const parameters& values = {}) { return connection_.run(in_, what, values); }
  void load_users(const std::set<user_id>& ids);
  void load_cust_nos(const std::set<std::string>& numbers);
  void keep(const pqxx::result& users);
  void lock_campaigns(const std::set<campaign_id>& ids);
  void read_campaigns(const std::set<campaign_id>& ids);
  void load_responses(const std::set<response_id>& ids);
  void load_queued(const std::set<response_id>& ids);
  void load_checks(const std::set<response_id>& ids);
  void load_requests(const std::set<request_key>& keys);
  void foresee_numbers(std::span<const write> batch);
  std::int64_t foresee_users(const import_users& what, std::int64_t& entries);

  void flush_users();
  void flush_campaigns();
  void flush_responses();
  void flush_checks();
  void flush_entries();
  void flush_queue();
  void flush_days();
  void flush_requests();

  bundle changes_; ///< gathered to be sent
  connection& connection_;
  pqxx::transaction_base& in_;
  guarding guard_;
  row_cache<user_id, stored_user> users_;
  std::unordered_map<std::string, std::optional<user_id>> by_cust_no_;
  row_cache<campaign_id, campaign> campaigns_;
  std::set<campaign_id> unlocked_; ///< read without a lock: must not be written
  std::set<campaign_id> changed_campaigns_;
  std::set<campaign_id> reworded_campaigns_; ///< of these more than the numbers changed, not yet written
  row_cache<response_id, response> responses_;
  row_cache<response_id, queued_check> queue_;
  row_cache<response_id, reduction_check> checks_; ///< one per response
  std::vector<ledger_entry> entries_;
  std::map<day_key, stored_day> news_of_days_; ///< merged into what is stored by the flush
  std::map<request_key, std::optional<kept_request>> requests_;
  std::set<request_key> changed_requests_;
  id_pool user_ids_{sql::new_user_ids, {}};
  id_pool campaign_ids_{sql::new_campaign_ids, {}};
  id_pool check_ids_{sql::new_check_ids, {}};
  id_pool entry_ids_{sql::new_entry_ids, {}};
};

template <class Id> array_literal array_of(const std::set<Id>& ids) {
  return array_of(ids, [](const Id& id) { return id.value; });
}

} // namespace dr::storage
