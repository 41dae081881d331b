// What every actor of ours does with what it does not expect: exceptions are logged with the actor's name and end it;
// messages without a handler are counted and dropped; a thread of an actor's own bears its name (`top -H`, `perf`).
#pragma once

#include "domain/time.hpp"

#include <caf/fwd.hpp>

#include <cstdint>

namespace dr::actors {

/// Call it first: in a behaviour, on the actor's thread, or in the constructor of an actor that is not detached. `name`
/// must outlive the actor (a literal); of a detached actor it has at most 15 characters, as names of threads have.
void house_rules(caf::scheduled_actor* self, const char* name);
/// Messages that no handler took, since the process began.
std::int64_t unexpected_messages() noexcept;
/// The world's time, for `since` in /health. Business time comes from the injected clock only.
time_point real_now();

} // namespace dr::actors
