// What the memory store holds, and the rows interface over it with an undo log.
#pragma once

#include "storage/engine/rows.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dr::storage {

/// Everything stored. Guarded by its mutex: one commit or one read at a time.
struct memory_state {
  std::mutex mutex;
  std::map<user_id, stored_user> users;
  std::unordered_map<std::string, user_id> by_cust_no;
  std::map<campaign_id, campaign> campaigns;
  std::map<response_id, response> responses; ///< user_name is not kept: names are the users' present ones
  std::map<campaign_id, std::vector<response_id>> responses_of_campaign;
  std::map<user_id, std::vector<response_id>> responses_of_user;
  std::map<response_id, queued_check> queue;
  std::map<check_id, reduction_check> checks;
  std::unordered_map<response_id, check_id> check_of;
  std::vector<ledger_entry> ledger; ///< entry id − 1 is the index
  std::map<user_id, std::vector<entry_id>> ledger_of;
  std::map<std::pair<std::string, korean_day>, stored_day> days;
  std::map<request_key, kept_request> requests;
  std::vector<event> events; ///< seq − 1 is the index
  time_point latest{};
  std::int64_t epoch = 0;
  std::int64_t next_user = 1;
  std::int64_t next_campaign = 1;
  std::int64_t next_response = 1;
  std::int64_t next_check = 1;
  struct marker {
    std::string batch_id;
  } markers[2]; ///< the last batch of each lane

  /// The response with its user's name, the points to expect and whether it is pending.
  response seen(const response& stored) const;
  reduction_check seen(const reduction_check& stored) const;
};

/// The rows of one change. undo() takes back all of it.
class memory_rows final : public rows {
public:
  explicit memory_rows(memory_state& state) : state_(state) {}
  void undo();

  const stored_user* find_user(user_id id) override;
  std::optional<user_id> user_with_cust_no(const std::string& cust_no) override;
  user_id new_user_id() override { return {take(state_.next_user)}; }
  void put(const stored_user& row) override;
  const campaign* find_campaign(campaign_id id) override;
  campaign_id new_campaign_id() override { return {take(state_.next_campaign)}; }
  void put(const campaign& row) override;
  void add_counts(campaign_id id, const campaign_counts& by) override;
  const std::set<campaign_id>& changed_campaigns() const noexcept { return changed_campaigns_; }
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
  check_id new_check_id() override { return {take(state_.next_check)}; }
  void put(const reduction_check& row) override;
  entry_id new_entry_id() override { return {static_cast<std::int64_t>(state_.ledger.size() + ++reserved_)}; }
  void add(const ledger_entry& row) override;
  std::optional<ledger_entry> last_credit(response_id id) override;
  void merge_day(const std::string& cust_no, korean_day day, const stored_day& news) override;
  std::optional<kept_request> find_request(const request_key& key) override;
  void put_request(const request_key& key, const kept_request& row) override;
  time_point latest_time() override { return state_.latest; }

private:
  std::int64_t take(std::int64_t& counter);
  /// Remembers how a map entry was, then sets it.
  template <class Map> void set(Map& map, const typename Map::key_type& key, const typename Map::mapped_type& value);
  template <class Map> void erase(Map& map, const typename Map::key_type& key);
  void add_response(const campaign& of, const user& who);

  memory_state& state_;
  std::vector<std::function<void()>> undo_;
  std::set<campaign_id> changed_campaigns_;
  std::size_t reserved_ = 0; ///< entry ids given out whose entries are not there yet
};

} // namespace dr::storage
