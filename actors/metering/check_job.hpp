// One reduction check that needs KEPCO: a short-lived actor that asks for the days, and hands back what to do, and what
// to keep. Owned by verification and gone with it; nothing survives, for the check stays in the durable queue until it
// is settled.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/metering/check_work.hpp"
#include "domain/clock.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <memory>

namespace dr::actors {

using clock_ptr = std::shared_ptr<const dr::clock>;

/// How long the store may take over one request of ours.
inline constexpr std::chrono::seconds store_timeout{30};

/// A job has done what it could: never ask_days.
struct check_decided {
  response_id id;
  int attempts = 0; ///< before this one
  next_step what;
  std::vector<storage::save_profile> days; ///< fetched for it, to be kept
};
using check_parent_actor = caf::typed_actor<caf::reacts_to<check_decided>>;

struct check_job_state {
  static constexpr const char* name = "check_job";
  std::optional<check_work> work;
  check_parent_actor parent;
  kepco_gate_actor gate;
  clock_ptr clock;
  int outstanding = 0; ///< days asked for and not answered
};

/// Begins with the days that `work` has asked for. Ends by itself once it has sent check_decided. Never has more than a
/// few dozen requests open.
void check_job(caf::stateful_actor<check_job_state>* self, check_work work, ask_days first, check_parent_actor parent,
               kepco_gate_actor gate, clock_ptr clock);

} // namespace dr::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dr::actors::check_decided)
