// Collects the days that baselines need, in the background: walks the enrolled users and asks for what is missing,
// behind every check and at its politest. Owned by the metering supervisor, permanent. After a crash the walk begins
// anew; what is kept is kept.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metering/check_job.hpp"
#include "actors/metering/check_work.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <deque>
#include <vector>

namespace dr::actors {

/// Working days before today that are collected: the longest look-back and room for excluded days.
inline int days_collected(const check_rules& rules) noexcept { return rules.longest_look_back + 10; }

struct history_tick {
  std::uint64_t plan = 0;
};
using history_actor = caf::typed_actor<caf::reacts_to<history_tick>>;

struct history_parts {
  store_actor store;
  kepco_gate_actor gate;
  clock_ptr clock;
  rules_ptr rules;
};

struct history_state {
  static constexpr const char* name = "history";
  struct wanted {
    std::string cust_no;
    korean_day day{};
    std::optional<time_point> noted = {}; ///< kept, but not closed
    bool served = false;                  ///< KEPCO knows the customer: other days are closed
  };
  /// What one look at the store tells.
  struct page_read {
    std::vector<storage::history_state> users;
    bool checks_due = false;
  };

  explicit history_state(history_actor::pointer me) : self(me) {}

  void step();
  void read_page();
  void page_came(page_read page, std::size_t asked_for, korean_day today);
  void end_of_walk(korean_day today);
  void ask_more();
  void skip_customer(const std::string& cust_no);
  void keep(storage::save_profile day);
  void answered(const fetched_day& answer, const wanted& asked);
  void pause();
  void after(std::chrono::milliseconds delay);

  history_actor::pointer self;
  history_parts parts;
  user_id at;                ///< the walk has come so far
  std::deque<wanted> to_ask; ///< of the present page
  int outstanding = 0;
  bool paused = false;
  bool gaps_left = false;                           ///< this walk met days that KEPCO does not have yet
  bool walk_done = false;                           ///< only users behind `at` are new
  korean_day walked_on{};                           ///< the day of the last whole walk
  std::chrono::steady_clock::time_point again_at{}; ///< when the next whole walk begins
  std::uint64_t plan = 0;
};

history_actor::behavior_type history(history_actor::stateful_pointer<history_state> self, history_parts parts);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::history_tick)
