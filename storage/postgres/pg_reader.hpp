// The reader on Postgres. Lists are read in one snapshot, a single item without a transaction.
#pragma once

#include "storage/postgres/columns.hpp"
#include "storage/postgres/connection.hpp"

#include <functional>
#include <map>
#include <set>

namespace dr::storage {

class pg_reader final : public reader {
public:
  explicit pg_reader(postgres_options options);
  result<user> find_user(user_id id) override;
  result<page<user>> users(const user_filter& filter, const page_request& at) override;
  result<campaign> find_campaign(campaign_id id) override;
  result<page<campaign>> campaigns(const campaign_filter& filter, const page_request& at) override;
  result<std::vector<campaign>> unfinished_campaigns() override;
  result<campaign_response> find_response(response_id id) override;
  result<page_end> each_response(const response_filter& filter, const page_request& at,
                                 const std::function<void(response)>& take) override;
  result<std::vector<campaign_response>> open_responses(user_id id) override;
  result<std::vector<user_id>> part_of(campaign_id id, std::span<const user_id> users) override;
  result<std::vector<dispatched_response>> dispatched(campaign_id id, response_id after, int limit) override;
  result<reduction_check> find_check(check_id id) override;
  result<page<reduction_check>> checks(const check_filter& filter, const page_request& at) override;
  result<page<ledger_entry>> ledger(user_id id, const page_request& at) override;
  result<std::vector<event>> events(const event_filter& filter) override;
  result<std::vector<event>> last_events(int limit) override;
  result<std::vector<statement_row>> statement(campaign_id id, response_id after, int limit) override;
  result<user_id> user_of_token(const std::string& token_hash) override;
  result<std::optional<keyed_answer>> find_keyed(const std::string& principal, const std::string& method,
                                                 const std::string& path, const std::string& key,
                                                 time_point now) override;
  result<std::vector<due_check>> due_checks(time_point now, int limit) override;
  result<std::vector<due_check>> expired_parked(time_point ended_before, int limit) override;
  result<std::optional<time_point>> next_check_due() override;
  result<std::vector<check_material>> check_materials(std::span<const response_id> ids) override;
  result<std::vector<history_state>> history(user_id after, int limit, korean_day from, korean_day to) override;
  result<overview_counts> overview() override;
  result<std::vector<parked_check>> parked_checks(int limit) override;
  result<check_queue> queue_of_checks() override;
  result<void> ping() override;
  outage last_outage() const override { return connection_.last_outage(); }
  void abort() noexcept override { connection_.abort(); }

private:
  class session;
  template <class T> result<T> read(bool snapshot, const std::function<result<T>(session&)>& action);
  /// One page of a list whose statements take (filter…, after, limit, offset); the count takes (filter…).
  template <class T>
  result<page<T>> list(const dr::storage::statement& rows, const dr::storage::statement& count,
                       const parameters& filter, const page_request& at, const std::function<T(column_cursor&)>& make);

  void read_campaigns(session& in, const std::set<campaign_id>& ids);

  connection connection_;
  std::map<campaign_id, campaign> campaigns_; ///< as read last; right while the version is the same
};

/// The material of verifications, read for all of them at once.
std::vector<check_material> read_materials(std::span<const response_id> ids,
                                           const std::function<pqxx::result(const statement&, const parameters&)>& run);

/// For LIKE: the text's own %, _ and \ stand for themselves.
std::string like_prefix(std::string_view text);

} // namespace dr::storage
