// Works off the durable queue of reduction checks: finds the due ones, settles what can be settled from kept days at
// once, and gives every other one to a short-lived check_job. A parked one is left alone until somebody asks, or its
// deadline passes. Owned by the metering supervisor, permanent. After a
// crash it starts from the stored queue; what was under way is done again, and the store settles it only once.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metering/check_job.hpp"
#include "actors/metering/check_work.hpp"
#include "kepco/breaker.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <unordered_map>
#include <vector>

namespace dr::actors {

/// A check over which a query (or our own code) crashed so often is parked.
inline constexpr int crashes_max = 5;
/// The queue is looked at at least this often, in real time.
inline constexpr std::chrono::minutes look_at_least{5};

/// Look at the queue, unless something newer was planned.
struct look_tick {
  std::uint64_t plan = 0;
};
/// The store has had its rest.
struct pause_over {};
/// What was postponed in the meantime is written down.
struct gathered {};
/// What was judged in the meantime goes to the store.
struct judged {};
using verification_impl =
    verification_actor::extend<caf::reacts_to<look_tick>, caf::reacts_to<pause_over>, caf::reacts_to<gathered>,
                               caf::reacts_to<judged>, caf::reacts_to<check_decided>>;

struct verification_parts {
  store_actor store;
  kepco_gate_actor gate;
  clock_ptr clock;
  rules_ptr rules;
  std::chrono::microseconds question_every{20'000}; ///< KEPCO takes one question in this time
};

struct verification_state {
  static constexpr const char* name = "verification";
  struct due_now {
    std::vector<storage::due_check> checks;
    std::optional<time_point> next;
    std::vector<storage::due_check> expired; ///< parked, and the verification deadline has passed
  };
  /// The checks of one user, one at a time.
  struct turns {
    response_id now;
    std::deque<response_id> waiting; ///< claimed; read again when their turn comes
  };
  /// Whose checks were released while materials were being read: what is read may not show it.
  using users_moved = std::unordered_set<user_id>;
  struct running_job {
    response_id id;
    int attempts = 0;
  };
  struct verdict {
    response_id id;
    int attempts = 0;
    storage::settle_check what;
  };

  explicit verification_state(verification_impl::pointer me) : self(me) {}

  // From the queue to pieces of work.
  void look();
  void looked(const due_now& due, std::size_t asked_for);
  void look_after(std::chrono::milliseconds delay);
  void read_materials();
  void read_some(std::vector<response_id> ids);
  void materials_failed(const std::vector<response_id>& ids, const error& why);
  void materials_read(const std::vector<response_id>& ids, std::vector<storage::check_material> materials,
                      const users_moved& since);
  void take(storage::check_material material, const users_moved& since);
  bool waits_for_user(user_id user, response_id id);
  void next_turn(turns& of, user_id user);

  // From a decision to the store.
  void carry_out(check_decided& done);
  void settle(response_id id, int attempts, storage::settle_check what);
  void write_verdicts();
  void settled(response_id id);
  void settle_unread(response_id id);
  void settling_failed(response_id id, int attempts, const error& why);
  void job_ended(const caf::down_msg& down);
  void store_failed(const error& why);
  void go_on_after_pause();
  void release(response_id id);
  caf::result<storage::written> pass_on(storage::change what, keyed key);

  // What is not settled now (postponing.cpp).
  void postpone(response_id id, int attempts, const try_later& how, std::vector<storage::save_profile> days = {});
  void park(response_id id, int attempts, const std::string& reason, std::vector<storage::save_profile> days = {});
  void crashed(response_id id, int attempts, const std::string& why, time_point not_after,
               std::vector<storage::save_profile> days = {});
  void gather(storage::postponement what);
  void write_gathered();
  void write_postponed(std::vector<storage::postponement> all);
  void postponing_failed(std::vector<storage::postponement> all, const error& why);
  std::chrono::milliseconds place_in_line();
  void waits_for_neighbour(response_id id);
  void wake_neighbours(response_id closed);

  std::size_t batch() const { return std::max<std::size_t>(parts.rules->metering.batch_size, 1); }
  /// Many, since each look at the queue steps over what was settled since the last one; a claim is a few numbers.
  std::size_t claims_max() const { return 16 * batch(); }

  verification_impl::pointer self;
  verification_parts parts;
  std::optional<kepco::backoff> retry;

  std::unordered_map<response_id, user_id> claimed; ///< in work here; the user once known
  std::unordered_map<user_id, turns> users;         ///< in work
  std::deque<response_id> to_read;                  ///< claimed, not read
  std::unordered_set<response_id> expired;          ///< claimed; parked, and their deadline has passed
  std::unordered_set<response_id> hopeless;         ///< such ones that could not be settled even so: they stay parked
  std::unordered_map<caf::actor_id, running_job> jobs;
  std::unordered_map<response_id, int> crashes;     ///< in a row, of the few that had any
  std::vector<storage::postponement> postponed;     ///< gathered, not written; claimed until they are
  bool gathering = false;                           ///< they will be written in a moment
  std::size_t postponing = 0;                       ///< such changes under way
  std::chrono::steady_clock::time_point line_end{}; ///< when the last that waits for KEPCO has its turn
  std::unordered_map<user_id, std::vector<response_id>> after_others; ///< wait for another check of the user; a hint
  std::vector<std::shared_ptr<users_moved>> reads;                    ///< of materials, under way
  std::vector<verdict> verdicts;                                      ///< gathered, not yet with the store
  bool judging = false;                                               ///< they will be in a moment
  std::size_t settling = 0;                                           ///< these, and those with the store
  bool looking = false;
  bool look_again = false;
  bool more = false; ///< the queue holds due checks that were not claimed
  std::chrono::milliseconds store_pause{0};
  bool paused = false;
  std::uint64_t plan = 0;
};

verification_impl::behavior_type verification_behavior(verification_impl::stateful_pointer<verification_state> self,
                                                       verification_parts parts);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::look_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::pause_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::gathered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::judged)
