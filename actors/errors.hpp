// How the rest of the program sees actor errors: dr::error travels inside caf::error and comes out again.
#pragma once

#include "domain/error.hpp"

#include <caf/error.hpp>
#include <caf/fwd.hpp>

#include <string>

namespace dr::actors {

/// Wraps an error for a reply.
caf::error to_caf(error why);
/// The error behind a failed request. CAF's own failures become: request_timeout → timed_out; a receiver that is down,
/// crashed or broke its promise → outcome_unknown (nobody can tell whether a write happened; asking again tells); a
/// receiver that was shut down → shutting_down; anything else is a defect of ours → internal. A service that is being
/// restarted answers store_unavailable itself (see stable.hpp), for such a request was never begun.
error from_caf(const caf::error& why);
/// An error after which it is open whether the change happened: the next decision needs the stored truth.
inline bool leaves_doubt(const error& why) noexcept {
  return why.code == errc::outcome_unknown || why.code == errc::timed_out || why.code == errc::internal;
}
/// Why an actor ended, in one line for the log and the tree: what its exception said, or the reason's name. Not for
/// clients.
std::string describe(const caf::error& why);
/// Makes CAF render our errors. Call it on the configuration before the system is made.
void add_error_category(caf::actor_system_config& config);

} // namespace dr::actors
