// A campaign: one reduction order, from start to end. Its state machine is pure; the store makes its steps durable.
#pragma once

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/programme.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dr {

enum class campaign_status : unsigned char { scheduled = 1, running, end, canceled };
enum class settlement_status : unsigned char { none = 1, verifying, settled };
/// "scheduled", "running", "end", "canceled".
const char* to_string(campaign_status status) noexcept;
std::optional<campaign_status> parse_campaign_status(std::string_view text) noexcept;
/// "none", "verifying", "settled".
const char* to_string(settlement_status status) noexcept;

/// The numbers of a campaign, kept with it in the same transactions that change them.
struct campaign_counts {
  std::int64_t dispatched = 0; ///< responses made
  std::int64_t delivered = 0;  ///< alerts acknowledged by the customer's client
  std::int64_t accept = 0;     ///< as answered; from the end on as frozen, whatever is turned later
  std::int64_t deny = 0;
  std::int64_t committed_w = 0; ///< Σ capacity at dispatch of the accepting users
  std::int64_t real = 0;        ///< checks by outcome
  std::int64_t unreal = 0;
  std::int64_t unverifiable = 0;
  std::int64_t pending = 0;      ///< accepting responses without a settled check, known from the freeze on
  std::int64_t reduction_wh = 0; ///< Σ over settled checks, signed
  std::int64_t credited_wh = 0;
  std::int64_t points_credited = 0;
  std::int64_t ignore() const noexcept { return dispatched - accept - deny; }
  campaign_counts& operator+=(const campaign_counts& by) noexcept;
  friend bool operator==(const campaign_counts&, const campaign_counts&) = default;
};

struct campaign {
  campaign_id id;
  std::string name; ///< UTF-8, 1 … 200 characters
  std::string type; ///< programme code
  campaign_status status = campaign_status::running;
  settlement_status settlement = settlement_status::none;
  time_point ordered_at{}; ///< `date` in the API
  time_point starts_at{};
  std::optional<time_point> respond_by; ///< answers are taken while now < respond_by; none: until the end
  std::optional<time_point> ends_at;    ///< planned end; none: until ended by hand
  std::optional<time_point> ended_at;   ///< real end or cancellation
  std::optional<std::int64_t> order_w;  ///< reduction ordered by KPX
  bool test = false;                    ///< alerts and answers, nothing verified or credited
  bool frozen = false; ///< the answers are counted and the checks are queued (durable step after the end)
  std::string cancel_reason;
  std::vector<std::string> warnings; ///< what is unusual about the order, in words
  programme_terms terms;             ///< as in force at the start
  campaign_counts counts;
  std::int64_t version = 1; ///< grows with every visible change except the counts
  bool open() const noexcept { return status == campaign_status::scheduled || status == campaign_status::running; }
  friend bool operator==(const campaign&, const campaign&) = default;
};

/// What an admin orders.
struct campaign_order {
  std::string name;
  std::string type;
  time_point ordered_at{};
  std::optional<time_point> starts_at; ///< none or not later than now: at once; more than a day back is refused
  std::optional<time_point> ends_at;
  std::optional<time_point> respond_by;
  std::optional<std::int64_t> order_w;
  bool test = false;
};

/// What an admin changes of an open campaign; absent fields stay, an inner nothing clears.
struct campaign_change {
  std::optional<std::string> name;
  std::optional<std::optional<time_point>> respond_by;
  std::optional<std::optional<time_point>> ends_at;
  std::optional<std::optional<std::int64_t>> order_w;
};

/// Plans a campaign (id 0, no counts) from an order, with the editions of its programme and of the baselines that are
/// in force on the Korean day of its start frozen in its terms. Fails with field errors: unknown type; ends_at not
/// after the start, or not after now; respond_by not after now or after ends_at. Programme windows, lengths, quarter
/// hours and short notice give warnings (`is_holiday` says whether a day is a public holiday), never a refusal.
result<campaign> plan_campaign(const campaign_order& order, const std::vector<programme>& programmes,
                               const std::vector<baseline_edition>& baselines, const std::vector<korean_day>& holidays,
                               time_point now);

/// Applies a change; version + 1 when something differs. Fails: campaign_ended, campaign_canceled, invalid (same rules
/// as planning). Warnings are worked out anew.
result<campaign> changed(const campaign& before, const campaign_change& change,
                         const std::vector<programme>& programmes, const std::vector<korean_day>& holidays,
                         time_point now);

/// The start of a scheduled campaign. Repeating it on a running one changes nothing. Fails: campaign_ended,
/// campaign_canceled.
result<campaign> begun(const campaign& before, time_point now);

/// The end. Repeating it changes nothing. Fails: campaign_scheduled (cancel it instead), campaign_canceled.
/// `ended_at` is `now`, but never later than a planned end that has passed.
result<campaign> ended(const campaign& before, time_point now);

/// The cancellation. Repeating it changes nothing. Fails: campaign_ended.
result<campaign> canceled(const campaign& before, std::string reason, time_point now);

/// The evaluated window [from, to): [starts_at, the earlier of ends_at and the real end) widened to the quarter hours
/// it touches, at least one. For an open campaign the planned end counts, or one hour when there is none.
struct evaluation_window {
  time_point from{};
  time_point to{};
  std::chrono::minutes length() const noexcept { return std::chrono::duration_cast<std::chrono::minutes>(to - from); }
  bool overlaps(const evaluation_window& other) const noexcept { return from < other.to && other.from < to; }
  friend bool operator==(const evaluation_window&, const evaluation_window&) = default;
};
evaluation_window evaluated_window(const campaign& c) noexcept;

/// The points a user can expect: committed energy over the window (capped by the programme) at the programme's rate.
std::int64_t expected_points(const campaign& c, std::int64_t capacity_w) noexcept;

/// Of two overlapping campaigns, true if `a` credits before `b`: mandatory first, then the earlier start, then the
/// lower id.
bool credits_before(const campaign& a, const campaign& b) noexcept;

} // namespace dr
