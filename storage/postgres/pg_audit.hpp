// The audit's reader on Postgres: one read-only snapshot from its first call to its end.
#pragma once

#include "storage/audit.hpp"
#include "storage/postgres/postgres_database.hpp"

namespace dr::storage {

/// Connects when begin() is called. Statements may take as long as those of the bulk lane.
std::unique_ptr<audit_reader> open_postgres_audit(postgres_options options);

} // namespace dr::storage
