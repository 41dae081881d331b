// The rows that a transaction works on. The rules of every change (apply.cpp) are written once against this interface;
// memory and Postgres only differ in where the rows come from and go to.
#pragma once

#include "storage/store.hpp"

#include <optional>
#include <string>

namespace dr::storage {

/// A user with what never leaves the store.
struct stored_user {
  dr::user user;
  std::string token_hash; ///< empty: no token
};

/// A job of the durable verification queue; one per response at most.
struct queued_check {
  response_id response;
  campaign_id campaign;
  user_id user;
  int revision = 1;
  time_point next_try_at{};
  int attempts = 0;
  bool parked = false;
  bool fresh = false; ///< a recheck: ask KEPCO again
  std::string reason;
  time_point queued_at{};
};

/// What the job itself tells of its material; the rest is still empty.
inline check_material begun_material(const queued_check& job) {
  check_material m;
  m.revision = job.revision;
  m.fresh = job.fresh;
  m.attempts = job.attempts;
  m.parked = job.parked;
  m.reason = job.reason;
  m.queued_at = job.queued_at;
  return m;
}

/// Who asked what under which key.
struct request_key {
  std::string principal;
  std::string method;
  std::string path;
  std::string key;
  friend auto operator<=>(const request_key&, const request_key&) = default;
};
struct kept_request {
  keyed_answer kept;
  time_point created_at{};
};
/// For how long a keyed request is remembered (business time).
inline constexpr std::chrono::hours key_lifetime{24};

/// The answers of a campaign, as frozen.
struct frozen_counts {
  std::int64_t accept = 0;
  std::int64_t deny = 0;
  std::int64_t committed_w = 0;
  std::int64_t queued = 0; ///< checks queued now
};

/// Found rows stay valid until the next call that changes a row of the same kind. A response is found as it is stored:
/// `verification::pending` and `expected_points` are derived (see presented()).
class rows {
public:
  virtual ~rows() = default;

  virtual const stored_user* find_user(user_id id) = 0;
  virtual std::optional<user_id> user_with_cust_no(const std::string& cust_no) = 0;
  virtual user_id new_user_id() = 0;
  virtual void put(const stored_user& row) = 0;

  virtual const campaign* find_campaign(campaign_id id) = 0;
  virtual campaign_id new_campaign_id() = 0;
  virtual void put(const campaign& row) = 0;
  /// Adds to the numbers of a campaign that was found; its version stays.
  virtual void add_counts(campaign_id id, const campaign_counts& by) = 0;
  /// One response `ignore` for every enrolled user, by ascending user. Returns how many.
  virtual std::int64_t make_responses(const campaign& of) = 0;
  /// Counts the answers and, for `queue`, puts a check of every accepting response into the queue.
  virtual frozen_counts freeze(campaign_id id, bool queue, time_point first_try_at, time_point at) = 0;
  /// Puts the parked checks of a campaign back. Returns how many.
  virtual std::int64_t unpark(campaign_id id, time_point at) = 0;

  virtual const response* find_response(response_id id) = 0;
  virtual void put(const response& row) = 0;

  virtual const queued_check* find_queued(response_id id) = 0;
  virtual void put(const queued_check& row) = 0;
  virtual void erase_queued(response_id id) = 0;

  virtual const reduction_check* find_check(check_id id) = 0;
  virtual const reduction_check* check_of(response_id id) = 0;
  virtual check_id new_check_id() = 0;
  virtual void put(const reduction_check& row) = 0;

  virtual entry_id new_entry_id() = 0;
  virtual void add(const ledger_entry& row) = 0;
  /// The newest credit of a response.
  virtual std::optional<ledger_entry> last_credit(response_id id) = 0;

  /// Adds what is newly known of a day (see merge()). Nobody reads days here, so that none is loaded for it.
  virtual void merge_day(const std::string& cust_no, korean_day day, const stored_day& news) = 0;

  virtual std::optional<kept_request> find_request(const request_key& key) = 0;
  virtual void put_request(const request_key& key, const kept_request& row) = 0;

  /// The latest business time that a change has carried.
  virtual time_point latest_time() = 0;
};

} // namespace dr::storage
