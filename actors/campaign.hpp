// One campaign, from dispatch to settlement: its commands one after the other, its start and end on business time, its
// live counts. Owned by the registry, which revives it at once when it crashes while it has something to do. The stored
// row is the truth: every step is durable before the next, and a revived campaign goes on with the step that is
// missing.
#pragma once

#include "actors/ask.hpp"
#include "actors/entities.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <array>
#include <deque>
#include <functional>

namespace dr::actors {

/// Commands that may wait in one campaign; more are refused as overloaded.
inline constexpr std::size_t campaign_backlog_max = 64;
/// Responses read at once when a campaign dispatches or is revived: few at first, so that the first customers are
/// alerted while the next are read, then twice as many each time, up to this many.
inline constexpr int first_page = 64;
inline constexpr int dispatch_page = 5000;

/// A timer of a campaign; outdated ones are known by their number.
struct campaign_tick {
  std::uint64_t number = 0;
};
struct summary_due {};
struct walk_due {
  bool dispatch = false;
};
using campaign_impl =
    campaign_base::extend<caf::reacts_to<campaign_tick>, caf::reacts_to<summary_due>, caf::reacts_to<walk_due>>;

struct campaign_state {
  static constexpr const char* name = "campaign";

  /// A change to be made: a command, or (without a reply) a step of the campaign itself.
  struct job {
    std::function<result<campaign>(const campaign&, time_point now)> decide;
    keyed key = nullptr;
    std::optional<std::int64_t> expected_version = {};
    std::optional<caf::typed_response_promise<storage::written>> reply = {};
    int tries = 0;
    bool decided_on_fresh = false; ///< the row was read for this very decision
  };
  /// A pass over all responses, page by page: a dispatching one makes actors and alerts, the other one alerts only.
  struct walk {
    response_id after;
    int ahead = 0; ///< pages that the registry has not taken up yet
    bool reading = false;
    int limit = first_page; ///< of the page that is read next, or now
  };

  explicit campaign_state(campaign_impl::pointer me) : self(me) {}
  campaign_state(const campaign_state&) = delete;
  campaign_state& operator=(const campaign_state&) = delete;
  ~campaign_state();

  // commands (campaign.cpp)
  caf::result<storage::written> take(job what);
  void enqueue(job what);
  void next();
  void load();
  void decide();
  bool older_twice(const campaign& found);
  bool decide_again_on_fresh();
  void save(const campaign& wanted);
  void saved(campaign now);
  void keep(result<storage::written> outcome);
  void conclude(result<storage::written> outcome);
  caf::result<campaign> answer_counts();
  void count_anew();

  // course (campaign_course.cpp)
  void adopt(campaign now);
  void learn(campaign now);
  void take_over(campaign found, std::uint64_t heard);
  void come_to_life();
  void go_on_after_crash();
  void tell_closed();
  void publish(const campaign& before);
  void step();
  void try_later();
  void arm(std::chrono::milliseconds delay);
  void freeze();
  void frozen(campaign now);
  void count(const counts_moved& fact);
  void doubt_counts();
  void summary_moved();
  void arm_summary(std::chrono::milliseconds delay);
  void send_summary();
  void tell_summary();
  void settle_down();
  bool finished() const noexcept;

  // walks (campaign_walk.cpp)
  void start_walk(bool dispatch);
  void read_page(bool dispatch);
  void page_read(bool dispatch, std::vector<storage::dispatched_response> rows);
  std::optional<walk>& walk_of(bool dispatch) { return dispatch ? dispatching : alerting; }

  std::shared_ptr<const campaign> shared_row() const { return std::make_shared<const campaign>(row); }

  campaign_impl::pointer self;
  context_ptr world;
  campaign_id id;
  campaign row;                ///< as stored when last heard of; its counts are the live ones
  std::int64_t counts_seq = 0; ///< the event with which they began to hold
  std::uint64_t news = 0;      ///< of the counts, heard so far
  bool counts_doubtful = true; ///< something may have been counted that was not heard of: read before telling
  bool counting = false;       ///< being read
  std::vector<kept_promise<campaign>> askers; ///< who wait for that
  bool summary_owed = false;
  bool change_untold = false; ///< its customers are still being alerted
  bool known = false;
  bool read_older = false; ///< the last read had an older version than ours
  bool stale = false;      ///< a write ended in doubt: read again before the next decision
  bool loading = false;
  std::deque<job> jobs; ///< the first one is under way
  bool freezing = false;
  bool dispatch_after_freeze = false; ///< revived between end and freeze: its pending responses are known after it
  std::optional<walk> dispatching;
  std::optional<walk> alerting;
  bool summary_armed = false;
  std::uint64_t ticks = 0;
  std::chrono::milliseconds retry_delay{0};
  bool told_idle = false;
  bool retiring = false;
  bool reborn = false; ///< a former incarnation crashed, perhaps before it told what it had done
};

/// With a row the campaign comes to life from it, dispatches (or takes up) its responses and alerts who is connected;
/// without, it reads its row first.
campaign_impl::behavior_type campaign_behavior(campaign_impl::stateful_pointer<campaign_state> self, context_ptr world,
                                               campaign_id id, std::shared_ptr<const campaign> row);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::campaign_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::summary_due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::walk_due)
