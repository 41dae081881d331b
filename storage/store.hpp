// The store: what is durable. Postgres implements it for real, memory for tests; one contract suite holds both.
#pragma once

#include "domain/event.hpp"
#include "storage/writes.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace dr::storage {

/// Which writer: answers, checks, ledger and all small changes go through the hot one; open_campaign, freeze_campaign,
/// import_users and retry_parked through the bulk one, which locks nothing that the hot one waits for, so that a
/// million responses never stall an answer.
enum class lane : unsigned char { hot = 0, bulk = 1 };
lane lane_of(const change& what) noexcept;

/// What a campaign counts after a transaction that touched it.
struct campaign_standing {
  campaign_id id;
  std::int64_t version = 0;
  campaign_counts counts;
};

/// The results of one transaction, one per change and in its order. A failed result changed nothing.
struct committed {
  std::vector<result<written>> results;
  std::int64_t last_seq = 0;                ///< the highest event number there is after this transaction
  std::vector<campaign_standing> campaigns; ///< those that it changed
};

/// Why the database cannot be used.
enum class outage_cause : unsigned char {
  none,                 ///< it works
  unreachable,          ///< no connection, or it broke
  authentication,       ///< it does not let us in
  read_only,            ///< a standby, or set to read-only
  disk_full,            ///< it has no room left
  too_many_connections, ///< it has no connection left for us
  starting,             ///< it starts, stops or recovers
  hanging,              ///< it does not answer in time
  other
};
/// How the last call of a connection found the database. `said`: one line of its own words, for operators only.
struct outage {
  outage_cause cause = outage_cause::none;
  std::string said;
};

/// One connection that writes. Used by one thread, except for abort().
class writer {
public:
  virtual ~writer() = default;
  /// Carries out the changes in order, as one transaction (several changes of one row see each other). Repeating the
  /// call with the same batch_id is safe and does it once: that is how an unknown outcome is resolved. A change that
  /// breaks the transaction is found by bisection and alone fails (internal). Fails as a whole: store_unavailable
  /// (nothing happened, try again), outcome_unknown (call again with the same batch_id), fenced (another process has
  /// the lease: stop). A second call with the batch_id by a *new* writer object after a commit answers outcome_unknown
  /// in each result. Without a batch_id and changes it writes nothing and tells whether a batch could be written now.
  virtual result<committed> commit(const std::string& batch_id, std::span<const write> batch) = 0;
  virtual outage last_outage() const { return {}; }
  /// Makes a blocked call fail soon, by closing its connection. From any thread.
  virtual void abort() noexcept = 0;
};

// ---- reading -------------------------------------------------------------------------------------------------------

/// Which part of a list. `after` > 0: the rows behind that id (a keyset page, no totals); else page `number`.
struct page_request {
  std::int64_t after = 0;
  std::int64_t number = 0;
  int size = 20;
};
/// What a page says of the rows that are not on it.
struct page_end {
  std::optional<std::int64_t> total; ///< not counted for keyset pages
  bool more = false;
};
template <class T> struct page : page_end { std::vector<T> items; };

struct user_filter {
  std::string name_prefix; ///< case-insensitive; empty: all
  std::optional<bool> enrolled;
};
struct campaign_filter {
  std::optional<campaign_status> status;
  std::string type;
  user_id user = {}; ///< only those that the user is part of; none: all
};
struct response_filter {
  campaign_id campaign;
  user_id user;
  std::optional<dr::answer> answer;
};
struct check_filter {
  campaign_id campaign;
  user_id user;
};
struct event_filter {
  std::int64_t after = 0;
  campaign_id campaign;
  user_id user;
  std::string type;
  int limit = 100;
};

/// A response together with its campaign.
struct campaign_response {
  dr::campaign campaign;
  dr::response response;
};
/// What dispatch and revival need of a response.
struct dispatched_response {
  response_id id;
  user_id user;
  std::int64_t capacity_w = 0;
  dr::answer answer = dr::answer::ignore;
  std::int64_t version = 1;
  std::optional<time_point> answered_at = {};
  std::optional<time_point> delivered_at = {};
};
struct statement_row {
  dr::response response;
  std::string cust_no;
  std::optional<reduction_check> check;
};
/// A queued check that is due.
struct due_check {
  response_id id;
  int attempts = 0;
};
/// Another campaign in which the same user stands, as far as verification cares.
struct neighbour {
  dr::campaign campaign;
  dr::response response;
  bool check_open = false;              ///< its check is queued (not parked), or its campaign is not frozen yet
  std::vector<credited_quarter> spread; ///< of its settled check
  check_id check = {};                  ///< that check; their numbers are in the order of first settlements
};
struct stored_day {
  day_profile profile;
  bool closed = false;
  time_point fetched_at{};
};
/// Everything one verification needs from the store.
struct check_material {
  dr::campaign campaign;
  dr::response response;
  std::string cust_no; ///< the user's present one
  int revision = 1;    ///< the revision to make
  bool fresh = false;  ///< a recheck: ask KEPCO again for the event day
  int attempts = 0;
  bool parked = false;
  std::string reason; ///< why it was postponed or parked last
  time_point queued_at{};
  std::vector<credited_quarter> credited; ///< of a recheck: the spread of the check that it replaces
  check_id check = {};                    ///< and its number
  korean_day first_day{};                 ///< of `neighbours` and `days`; before it enough reference days are found
  std::vector<neighbour> neighbours; ///< this user's other responses that are an accept (as frozen), or may become one,
                                     ///< of campaigns neither canceled nor tests, up to the event's last day
  std::map<korean_day, stored_day> days; ///< kept profiles; of a closed day perhaps only what evaluate() looks at,
                                         ///< unless `fresh`
};
struct keyed_answer {
  std::string body_hash;
  std::string answer;
};
struct overview_counts {
  std::int64_t enrolled = 0;
  std::int64_t checks_pending = 0;
  std::int64_t checks_parked = 0;
};
/// A check that waits for a person, and why.
struct parked_check {
  response_id response;
  campaign_id campaign;
  user_id user;
  std::string user_name;
  time_point since{};
  int attempts = 0;
  std::string reason;
};
/// The queue of checks, at a glance that costs the same however long it is.
struct check_queue {
  struct parked_of {
    campaign_id campaign;
    std::int64_t count = 0;
    time_point since{};
  };
  std::vector<parked_of> parked;        ///< by campaign
  std::optional<time_point> oldest_due; ///< when the first of the others is or was due
};
/// An enrolled customer with a custNo, and the days of the asked range (both ends included) that need no asking any
/// more.
struct history_state {
  user_id user;
  std::string cust_no;
  std::set<korean_day> closed;
  std::map<korean_day, time_point> noted; ///< kept, but not closed: when something was last learnt of it
};

/// One connection that reads. Used by one thread, except for abort(). Every call can fail with store_unavailable;
/// single items with not_found.
class reader {
public:
  virtual ~reader() = default;
  virtual result<user> find_user(user_id id) = 0;
  virtual result<page<user>> users(const user_filter& filter, const page_request& at) = 0;
  virtual result<campaign> find_campaign(campaign_id id) = 0;
  virtual result<page<campaign>> campaigns(const campaign_filter& filter, const page_request& at) = 0;
  /// Campaigns that still have something to do: open, not frozen after their end, or verifying. By id.
  virtual result<std::vector<campaign>> unfinished_campaigns() = 0;
  virtual result<campaign_response> find_response(response_id id) = 0;
  /// Gives the responses of a page to `take`, one by one, while it is read; `take` must not use this reader. After an
  /// error what was given is void.
  virtual result<page_end> each_response(const response_filter& filter, const page_request& at,
                                         const std::function<void(response)>& take) = 0;
  /// The same as a whole.
  result<page<response>> responses(const response_filter& filter, const page_request& at);
  /// The user's responses in open campaigns, by id.
  virtual result<std::vector<campaign_response>> open_responses(user_id id) = 0;
  /// Those of the users who have a response in the campaign.
  virtual result<std::vector<user_id>> part_of(campaign_id id, std::span<const user_id> users) = 0;
  /// Responses of a campaign that still wait for an answer's end or a check (all of an open campaign, the queued ones
  /// of an ended one), by id, behind `after`, at most `limit`.
  virtual result<std::vector<dispatched_response>> dispatched(campaign_id id, response_id after, int limit) = 0;
  virtual result<reduction_check> find_check(check_id id) = 0;
  virtual result<page<reduction_check>> checks(const check_filter& filter, const page_request& at) = 0;
  /// Newest first; `after` of the page request: entries older than that id.
  virtual result<page<ledger_entry>> ledger(user_id id, const page_request& at) = 0;
  virtual result<std::vector<event>> events(const event_filter& filter) = 0;
  /// The newest `limit` events, oldest of them first.
  virtual result<std::vector<event>> last_events(int limit) = 0;
  virtual result<std::vector<statement_row>> statement(campaign_id id, response_id after, int limit) = 0;
  /// The user that the token hash belongs to; not_found when none.
  virtual result<user_id> user_of_token(const std::string& token_hash) = 0;
  /// The kept answer of a keyed request, younger than 24 hours at `now`.
  virtual result<std::optional<keyed_answer>> find_keyed(const std::string& principal, const std::string& method,
                                                         const std::string& path, const std::string& key,
                                                         time_point now) = 0;
  /// Queued, unparked checks due at `now`, longest due first.
  virtual result<std::vector<due_check>> due_checks(time_point now, int limit) = 0;
  /// Parked first checks (no rechecks: of those there is a settled one) of campaigns that ended at or before this.
  virtual result<std::vector<due_check>> expired_parked(time_point ended_before, int limit) = 0;
  /// When the next queued check is due; nothing when the queue is empty.
  virtual result<std::optional<time_point>> next_check_due() = 0;
  /// Responses that have no queued check any more are left out.
  virtual result<std::vector<check_material>> check_materials(std::span<const response_id> ids) = 0;
  virtual result<std::vector<history_state>> history(user_id after, int limit, korean_day from, korean_day to) = 0;
  virtual result<overview_counts> overview() = 0;
  /// The checks that were parked first.
  virtual result<std::vector<parked_check>> parked_checks(int limit) = 0;
  virtual result<check_queue> queue_of_checks() = 0;
  virtual result<void> ping() = 0;
  virtual outage last_outage() const { return {}; }
  virtual void abort() noexcept = 0;
};

/// The way to connections. Thread-safe.
class database {
public:
  virtual ~database() = default;
  /// Brings the schema up to date under a lock; returns the versions applied now. Fails with a detail an operator
  /// understands (a changed migration, a newer schema than this program knows).
  virtual result<std::vector<int>> migrate() = 0;
  /// For a successor that prepares while another server still writes: applies the missing migrations beside which that
  /// one goes on working, up to the first that is not so; and fails as migrate() would. By default none is known.
  virtual result<std::vector<int>> migrate_beside() { return std::vector<int>{}; }
  /// Becomes the one process that writes: every writer opened before by anybody is fenced from now on. Returns the
  /// epoch.
  virtual result<std::int64_t> take_lease(const std::string& holder) = 0;
  /// Never blocks for long and never fails: the connection is made (and made again after a loss) on use.
  virtual std::unique_ptr<writer> open_writer(lane which, std::int64_t epoch) = 0;
  virtual std::unique_ptr<reader> open_reader() = 0;
};

} // namespace dr::storage
