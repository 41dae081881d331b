// Every change the product can make durable, as data. A batch of them is one transaction.
#pragma once

#include "domain/campaign.hpp"
#include "domain/check.hpp"
#include "domain/profile.hpp"
#include "domain/response.hpp"
#include "domain/user.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace dr::storage {

// ---- users ---------------------------------------------------------------------------------------------------------

/// Enrols a user; `opening_points` > 0 makes an opening ledger entry. With `assign_cust_no` and no cust_no the user
/// gets its id as ten digits (none if that is taken). → user. Fails: cust_no_taken. Event: UserEnrolled.
struct create_user {
  std::string name;
  std::int64_t capacity_w = 0;
  std::int64_t opening_points = 0;
  std::string cust_no;
  bool assign_cust_no = false;
  std::optional<baseline_method> method;
  std::optional<bool> saa;
  time_point at{};
};

/// Changes the given fields; an inner nothing clears. Nothing different: nothing is written, the version stays.
/// → user. Fails: not_found, cust_no_taken, version_conflict, user_withdrawn. Event: UserChanged.
struct change_user {
  user_id id;
  std::optional<std::int64_t> expected_version;
  std::optional<std::string> name;
  std::optional<std::int64_t> capacity_w;
  std::optional<std::string> cust_no; ///< empty clears
  std::optional<std::optional<baseline_method>> method;
  std::optional<std::optional<bool>> saa;
  time_point at{};
};

/// Withdraws a user from the programme; its history, its custNo and its open responses stay, its token is revoked.
/// Repeating it changes nothing. → user. Fails: not_found, version_conflict. Event: UserWithdrawn.
struct withdraw_user {
  user_id id;
  std::optional<std::int64_t> expected_version;
  time_point at{};
};

/// Sets (and so rotates) or, without a hash, revokes the customer's access token. → user. Fails: not_found,
/// user_withdrawn (when setting), version_conflict. Events: TokenIssued, TokenRevoked (only if there was one).
struct set_token {
  user_id id;
  std::optional<std::string> token_hash; ///< lower-case hex of the token's hash; the token itself is never stored
  time_point at{};
  std::optional<std::int64_t> expected_version = {};
};

/// Takes points out. → ledger_entry. Fails: not_found, version_conflict, insufficient_points. Event: PointWithdrawn.
struct withdraw_points {
  user_id id;
  std::int64_t amount = 0; ///< > 0
  time_point at{};
  std::optional<std::int64_t> expected_version = {};
};

struct import_row {
  int line = 0; ///< in the customer's file, for error messages
  std::string name;
  std::int64_t capacity_w = 0;
  std::string cust_no;
  std::int64_t opening_points = 0;
  std::optional<baseline_method> method;
  std::optional<bool> saa;
};
/// Enrols a chunk of users; a row whose cust_no is known changes that user instead (its points are left alone). A row
/// that cannot be taken is reported and the others go on. → imported. Event: one UsersImported.
struct import_users {
  std::vector<import_row> rows;
  bool assign_cust_no = false;
  time_point at{};
};

// ---- campaigns -----------------------------------------------------------------------------------------------------

/// Orders a campaign (as planned by domain, id 0): the campaign and one response `ignore` per enrolled user, with
/// capacity and baseline choice frozen, in one transaction. → campaign. Events: DRstarted, Listmade.
struct open_campaign {
  campaign planned;
  time_point at{};
};

/// Stores the next state of a campaign that domain's functions made (changed, begun, ended, canceled), if the stored
/// version is still `expected_version`; the counts are the store's own and not taken from here. → campaign.
/// Fails: not_found, version_conflict. Event: by what changed (DrChanged, DrBegun, DrEnded, DrCanceled).
struct save_campaign {
  campaign next;
  std::int64_t expected_version = 0;
  time_point at{};
};

/// After the end: counts the frozen answers and queues one check per accepting response (none for a test); with nothing
/// to verify the campaign is settled at once (a test: settlement none). Repeating it changes nothing. → campaign.
/// Fails: not_found, campaign_scheduled (still open). Event: Listsaved.
struct freeze_campaign {
  campaign_id id;
  time_point first_try_at{}; ///< when the checks are due
  time_point at{};
};

// ---- responses -----------------------------------------------------------------------------------------------------

/// The customer's choice. Taken only while the campaign is scheduled or running and at < respond_by, at < ends_at: the
/// store decides this again itself, so that no answer slips in after the end. Repeating the present (or frozen) answer
/// changes nothing. → response_changed. Fails: not_found, answer_frozen, version_conflict. Events: AcceptChosen,
/// DenyChosen.
struct choose_answer {
  response_id id;
  dr::answer answer = dr::answer::accept;
  std::optional<std::int64_t> expected_version;
  time_point at{};
};

/// The delivery receipt of an alert; the first one counts. → response_changed. Fails: not_found.
struct mark_delivered {
  response_id id;
  time_point at{};
};

// ---- verification --------------------------------------------------------------------------------------------------

/// Keeps a metered day. Known values are never replaced by missing ones. `closed`: never ask again (complete, or KEPCO
/// will never give it). → done. No event.
struct save_profile {
  std::string cust_no;
  korean_day day{};
  day_profile profile;
  bool closed = false;
  time_point at{};
};

/// Settles one response, exactly once per revision: the check, the turned answer, the ledger entries, the balance, the
/// counts, the events and the end of the queued job commit together. `check.revision` names the revision; the same or
/// an older one that is already there is answered with what is stored. When the last check of a campaign is in, its
/// settlement becomes settled. Answer: unreal turns accept to deny, real turns it back, unverifiable leaves it.
/// A revision > 1 reverses the former credit and credits anew (domain's recheck arithmetic, owed points included).
/// The days that were fetched for it are kept with it, so that no settlement stands without its metered values; also
/// when the check itself was settled before. → check_settled. Fails: not_found. Events: ReductionCheck, then
/// PointChanged when points moved.
struct settle_check {
  reduction_check check; ///< id 0; spread included
  std::vector<save_profile> days = {};
};

struct postponement {
  response_id id;
  time_point next_try_at{};
  int attempts = 0;
  bool parked = false;
  std::string reason;
  std::vector<save_profile> days = {}; ///< fetched for it, to be kept
};
/// Moves queued checks to a later try, or parks them until somebody asks. One that is not queued any more is passed
/// over. → done{count}. Events: CheckParked for each newly parked.
struct postpone_checks {
  std::vector<postponement> checks;
  time_point at{};
};

/// Queues a settled check to be verified again from fresh data; repeating it while queued changes nothing. → done.
/// Fails: not_found (no such check). Event: RecheckOrdered.
struct order_recheck {
  check_id id;
  time_point at{};
};

/// Puts every parked check of a campaign back into the queue. → done{count}. Fails: not_found. Event: CheckRetried when
/// there were any.
struct retry_parked {
  campaign_id id;
  time_point at{};
};

/// Puts the check of one response back into the queue if it is parked. → done{count}. Fails: not_found. Event:
/// CheckRetried if it was.
struct retry_check {
  response_id id;
  time_point at{};
};

/// Remembers the answer to a keyed request that made no write (see keyed_request). → done.
struct remember_answer {
  time_point at{}; ///< when it was answered
};

using change = std::variant<create_user, change_user, withdraw_user, set_token, withdraw_points, import_users,
                            open_campaign, save_campaign, freeze_campaign, choose_answer, mark_delivered, settle_check,
                            postpone_checks, order_recheck, retry_parked, retry_check, save_profile, remember_answer>;

// ---- what a change gives back --------------------------------------------------------------------------------------

struct imported {
  std::int64_t created = 0;
  std::int64_t updated = 0;
  struct line_error {
    int line = 0;
    std::string field;
    std::string detail;
  };
  std::vector<line_error> errors;
  std::vector<std::pair<user_id, std::string>> renamed; ///< of those updated, who has another name now
};
struct response_changed {
  dr::response response;
  dr::answer before = dr::answer::ignore;
  bool changed = false; ///< false: it was so already
};
struct check_settled {
  reduction_check check;
  dr::response response;
  std::vector<ledger_entry> entries; ///< made now
  std::int64_t points = 0;           ///< the user's balance after
  bool changed = false;              ///< false: this revision was there already
  bool campaign_settled = false;     ///< true: this was the last open check of its campaign
};
struct done {
  std::int64_t count = 0;
};
/// The keyed request was answered before: these are the bytes its `render` made then.
struct replayed {
  std::string answer;
};
using written = std::variant<user, ledger_entry, imported, campaign, response_changed, check_settled, done, replayed>;

/// An Idempotency-Key. It is recorded in the same transaction as the change, with the answer that `render` makes of the
/// change's outcome; the bytes mean nothing to the store. A second change with the same key is not carried out: the
/// same body_hash gives `replayed`, another one fails with key_reused. Keys live 24 hours.
struct keyed_request {
  std::string principal; ///< "admin" or "user:7"
  std::string method;
  std::string path;
  std::string key;
  std::string body_hash;
  std::function<std::string(const result<written>&)> render; ///< pure; an empty string: do not record (a 5xx)
};

/// One change on its way to the store.
struct write {
  change what;
  std::shared_ptr<const keyed_request> keyed; ///< none for most
};

} // namespace dr::storage
