// The two sides of the memory store.
#pragma once

#include "storage/memory/memory_database.hpp"
#include "storage/memory/memory_rows.hpp"

namespace dr::storage {

std::unique_ptr<writer> make_memory_writer(std::shared_ptr<memory_state> state, std::shared_ptr<memory_faults> faults,
                                           lane which, std::int64_t epoch);
std::unique_ptr<reader> make_memory_reader(std::shared_ptr<memory_state> state, std::shared_ptr<memory_faults> faults);
/// What the check of a queued response is computed from.
check_material material_of(memory_state& s, const queued_check& job);

} // namespace dr::storage
