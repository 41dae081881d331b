// Stable handles: one handle per permanent service that stays valid however often what is behind it is restarted. A
// message goes straight on to the present incarnation, in order and without a hop through a mailbox; while there is
// none, a request is answered at once with store_unavailable (it was not begun: try again), after the end with
// shutting_down.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/fwd.hpp>

#include <string>

namespace dr::actors {

/// A new stable handle with nothing behind it. `name` appears in its errors. Thread-safe to use from everywhere.
caf::actor make_stable(caf::actor_system& system, std::string name);

/// The same, typed.
template <class Handle> Handle make_stable(caf::actor_system& system, std::string name) {
  return caf::actor_cast<Handle>(make_stable(system, std::move(name)));
}

/// Puts an incarnation behind the handle (the supervisor's business). Without one it answers that it is restarting.
/// A handle that make_stable did not make is left alone.
void point_to(const caf::actor& stable, const caf::actor& incarnation);

/// Nothing comes behind this handle any more: shutting_down from now on.
void close_stable(const caf::actor& stable);

/// What stands behind the handle now; invalid while there is nothing.
caf::actor incarnation_of(const caf::actor& stable);

} // namespace dr::actors
