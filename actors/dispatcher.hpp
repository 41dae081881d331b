// Carries one order into the store, so that the registry never waits: plans it, opens the campaign, answers, and is
// gone. Started by the registry for each order. When it cannot tell whether the order was stored, or crashes, the
// registry looks for it.
#pragma once

#include "actors/entities.hpp"

namespace dr::actors {

using dispatcher_actor = caf::typed_actor<
    // As in registry_actor; once per dispatcher.
    caf::replies_to<order_campaign>::with<storage::written>>;

dispatcher_actor::behavior_type dispatcher(dispatcher_actor::pointer self, context_ptr world);

} // namespace dr::actors
