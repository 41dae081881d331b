// What actors say to each other. Commands are imperative, facts are in the past tense, queries start with get_.
// Nothing here crosses a process, so the structs travel by value as they are and need no serialisation.
#pragma once

#include "domain/campaign.hpp"
#include "domain/check.hpp"
#include "domain/error.hpp"
#include "domain/event.hpp"
#include "domain/profile.hpp"
#include "domain/response.hpp"
#include "domain/user.hpp"
#include "kepco/meter_source.hpp"
#include "storage/store.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace dr::actors {

using keyed = std::shared_ptr<const storage::keyed_request>;

/// On whose behalf a command comes. Another customer's things do not exist for a customer.
struct caller {
  user_id user; ///< none: the admin
  bool is_admin() const noexcept { return !user; }
  bool may_see(user_id owner) const noexcept { return is_admin() || user == owner; }
};

// ---- store ---------------------------------------------------------------------------------------------------------

/// Makes one change durable. The reply comes after the commit.
struct persist {
  storage::write what;
};
/// What a query may hold up.
enum class urgency : unsigned char {
  leading,  ///< the course of a campaign, pages of its alert: before all others
  prompt,   ///< somebody waits for it: a snapshot, a single row
  yielding, ///< work in the background: goes behind what is prompt
  lengthy,  ///< a list, whose filter may cost much: the same, and never on all readers (of several) at once
};
/// Runs `run` on one of the readers' threads; the closure keeps what it read. `run` must be short and must not throw.
struct read_task {
  std::function<void(storage::reader&)> run;
  dr::actors::urgency urgency = urgency::prompt;
};
struct read_done {
  storage::outage outage; ///< how the reader found the database; what it read is in the closure
};
struct get_storage_state {};
struct storage_state {
  enum class condition : unsigned char { up, recovering, down } state = condition::up;
  std::int64_t queued = 0;  ///< changes waiting or in a transaction
  double commit_ms_p50 = 0; ///< over the last some hundred transactions
  double commit_ms_p99 = 0;
  std::string last_error;
  time_point since{};                                        ///< real time of the last change of state
  storage::outage_cause cause = storage::outage_cause::none; ///< of a state that is not up
  std::optional<time_point> failing_since;                   ///< real time; recovering and down belong to one failure
  bool fenced = false;                                       ///< another process writes: this one never will again
  std::int64_t queue_max = 0;
  std::optional<time_point> crowded_since; ///< since when the queue has been nearly full (real time)
};

// ---- entities ------------------------------------------------------------------------------------------------------

/// A customer's (or the admin's) answer.
struct choose {
  response_id id;
  dr::answer answer = dr::answer::accept;
  std::optional<std::int64_t> expected_version;
  caller by;
  keyed key;
};
/// The delivery receipt of an alert.
struct acknowledge_alert {
  response_id id;
  caller by;
};
struct order_campaign {
  campaign_order order;
  keyed key;
};
struct alter_campaign {
  campaign_id id;
  campaign_change change;
  std::optional<std::int64_t> expected_version;
  keyed key;
};
struct end_campaign {
  campaign_id id;
  std::optional<std::int64_t> expected_version;
  keyed key;
};
struct cancel_campaign {
  campaign_id id;
  std::string reason;
  std::optional<std::int64_t> expected_version;
  keyed key;
};
/// The campaign with its live counts.
struct get_campaign {
  campaign_id id;
};
/// A change of one user: change_user, withdraw_user, set_token or withdraw_points inside.
struct user_command {
  user_id id;
  storage::write what;
};
/// Freshly dispatched (or, after a restart, still pending) responses of a campaign: an actor each.
struct responses_dispatched {
  std::shared_ptr<const campaign> of;
  std::vector<storage::dispatched_response> responses;
};
/// The campaign takes no more answers; its responses without a check to wait for are gone.
struct answers_frozen {
  std::shared_ptr<const campaign> of;
};
/// The campaign's terms (respond_by, ends_at, status) are different now.
struct terms_changed {
  std::shared_ptr<const campaign> of;
};
/// A transaction was committed: the store tells registry and hub before it answers those who asked for the changes, so
/// that whoever has his answer finds it counted.
struct batch_committed {
  std::shared_ptr<const storage::committed> what;
};
/// Something may have been committed that nobody will be told of: the campaigns look into the store before they tell
/// their numbers.
struct counts_in_doubt {};
/// What a campaign counts after the transaction that ended with event `last_seq`.
struct counts_moved {
  storage::campaign_standing now;
  std::int64_t last_seq = 0;
};
/// The reduction check of a response was committed.
struct check_closed {
  response_id id;
};
/// How many actors of each dynamic kind there are.
struct get_population {};
struct population {
  std::map<std::string, std::int64_t> counts;
};

// ---- metering ------------------------------------------------------------------------------------------------------

enum class fetch_priority : unsigned char { check = 0, history = 1 };
/// One customer's metered day, from KEPCO. Waits its turn at the gate.
struct fetch_day {
  std::string cust_no;
  korean_day day{};
  fetch_priority priority = fetch_priority::check;
};
/// What KEPCO said: a profile (perhaps with gaps) or why there is none.
struct fetched_day {
  std::string cust_no;
  korean_day day{};
  day_profile profile;
  std::optional<meter_error> failure;
};
/// Is the worker there and free? A stuck or crashed one leaves it unanswered or fails it.
struct get_readiness {};
struct query_ready {};
struct get_kepco_state {};
struct kepco_state {
  enum class circuit_state : unsigned char { closed, open, half_open } circuit = circuit_state::closed;
  std::int64_t queued = 0;
  std::int64_t in_flight = 0;
  std::int64_t calls = 0;
  std::int64_t failures = 0;
  std::string last_error;
  // For whoever looks after it; times are real.
  std::optional<time_point> circuit_since;  ///< since when the circuit is not closed
  std::optional<time_point> refusing_since; ///< since when KEPCO refuses every call (a wrong service key, most likely)
  std::optional<time_point> unset_since;    ///< since when calls fail because no address or key is configured
  std::optional<time_point> slow_since;     ///< since when a typical call takes longer than slow_share of its time
  std::optional<time_point> crowded_since;  ///< since when the queue has been nearly full
  std::int64_t call_ms_p50 = 0;             ///< of the last calls
};
/// Checks were queued in the store (a campaign was frozen): look now.
struct checks_queued {};
struct order_recheck {
  check_id id;
  keyed key;
};
struct retry_parked {
  campaign_id id;
  keyed key;
};
struct retry_check {
  response_id id;
  keyed key;
};

// ---- push ----------------------------------------------------------------------------------------------------------

/// One text message to a socket: a shared, once-serialised head and a personal tail.
struct push_frame {
  std::shared_ptr<const std::string> head;
  std::string tail;
  std::int64_t event_seq = 0; ///< of an event of the console; 0: anything else
};
/// A connected socket, as the hub sees it. push() is thread-safe and never blocks; a socket that is too slow closes
/// itself.
class push_sink {
public:
  virtual ~push_sink() = default;
  virtual void push(const push_frame& frame) = 0;
};
using sink_ptr = std::shared_ptr<push_sink>;

enum class campaign_notice_kind : unsigned char { announced, started, changed, ended, canceled };
/// How it is told of a campaign that is over.
inline campaign_notice_kind closing_of(const campaign& over) noexcept {
  return over.status == campaign_status::end ? campaign_notice_kind::ended : campaign_notice_kind::canceled;
}
/// Makes messages of facts; the wire format is the front's business. Thread-safe and pure.
class push_encoder {
public:
  virtual ~push_encoder() = default;
  /// The shared part of an alert, up to where the personal response begins.
  virtual std::string alert_head(campaign_notice_kind kind, const campaign& c) const = 0;
  /// The personal rest of an alert: the response, and what closes the message.
  virtual std::string alert_tail(const response& r) const = 0;
  /// A whole campaign message without a personal part (changed, ended, canceled).
  virtual std::string campaign_message(campaign_notice_kind kind, const campaign& c) const = 0;
  virtual std::string response_changed(const response& r) const = 0;
  virtual std::string reduction_checked(const reduction_check& check) const = 0;
  virtual std::string point_changed(user_id user, std::int64_t points, const ledger_entry& entry) const = 0;
  virtual std::string admin_event(const event& e) const = 0;
  virtual std::string admin_summary(const campaign& c) const = 0;
};

/// A customer's socket. From now on it gets every live message of its user.
struct attach_customer {
  user_id user;
  std::string user_name;
  sink_ptr sink;
};
struct attach_admin {
  sink_ptr sink;
};
struct detach {
  sink_ptr sink;
};
/// Alerts for those of these users who are connected. `of->status` scheduled: announced, running: started.
struct alert_users {
  std::shared_ptr<const campaign> of;
  std::vector<storage::dispatched_response> responses;
};
/// A campaign-wide fact, for every connected customer (a scheduled one that started comes with its responses by
/// alert_users instead).
struct campaign_noticed {
  campaign_notice_kind kind = campaign_notice_kind::changed;
  std::shared_ptr<const campaign> of;
};
/// The customer is told of an answer that was committed without anybody's knowing.
struct response_noticed {
  dr::response response;
};
/// The counts of a campaign moved (sent at most four times a second per campaign).
struct summary_noticed {
  campaign of;
};
struct get_push_state {};
struct push_state {
  std::int64_t customers = 0; ///< connected users
  std::int64_t sockets = 0;
  std::int64_t admins = 0;
};

// ---- supervision ---------------------------------------------------------------------------------------------------

struct get_tree {};
struct tree_node {
  std::string name;
  bool supervisor = false;
  enum class condition : unsigned char { up, restarting, down } state = condition::up;
  std::int64_t restarts = 0;
  std::string last_error;
  time_point since{};                      ///< real time of the last change of state
  std::optional<time_point> trouble_since; ///< its first crash of a row that has not ended yet (real time)
  std::vector<tree_node> children;
  std::map<std::string, std::int64_t> dynamic;
};
/// Ends the supervisor and everything under it, in reverse order of start.
struct stop_tree {};

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::error)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::campaign)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::storage::written)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::persist)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::read_task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::read_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::get_storage_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::storage_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::choose)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::acknowledge_alert)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::order_campaign)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::alter_campaign)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::end_campaign)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::cancel_campaign)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::get_campaign)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::user_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::responses_dispatched)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::answers_frozen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::terms_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::batch_committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::counts_in_doubt)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::counts_moved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::check_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::get_population)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::population)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::fetch_day)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::fetched_day)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::get_readiness)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::query_ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::get_kepco_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::kepco_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::checks_queued)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::order_recheck)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::retry_parked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::retry_check)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::attach_customer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::attach_admin)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::detach)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::alert_users)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::campaign_noticed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::response_noticed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::summary_noticed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::get_push_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::push_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::get_tree)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::tree_node)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::stop_tree)
