// From what the store knows of a check to what domain's verdict depends on.
#pragma once

#include "domain/settlement.hpp"
#include "storage/store.hpp"

namespace dr::storage {

/// The input of dr::evaluate for a check: the event as it was evaluated, the user's other events, what they were
/// credited, and the days that are kept. A day counts as closed where the store says so; for a recheck (`fresh`) only a
/// complete one does, since KEPCO is asked again even where it was given up.
check_input input_of(const check_material& from, const holiday_list& holidays);

} // namespace dr::storage
