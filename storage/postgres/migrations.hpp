// Numbered schema changes, compiled into the program, applied once and never changed afterwards.
#pragma once

#include "storage/postgres/connection.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dr::storage {

struct migration {
  int version = 0;
  const char* name = "";     ///< the file's
  const char* checksum = ""; ///< SHA-256 of the file, lower-case hex
  const char* sql = "";
  bool beside = false; ///< the release before goes on working with it: the file begins with "-- beside"
};

/// all; or those that may be applied while a server of the release before runs, up to the first that may not.
enum class migration_scope : unsigned char { all = 1, beside };

/// All of this program, ascending; made from storage/migrations at build time.
std::span<const migration> known_migrations() noexcept;

/// Applies what is missing, in one transaction and under a lock. Returns the versions applied now. Fails with
/// store_unavailable, or with internal and a detail for the operator: a changed migration, a newer schema.
result<std::vector<int>> migrate(connection& over, std::span<const migration> known,
                                 migration_scope scope = migration_scope::all);

/// Why this program cannot read the database as it is, in words for the operator: no schema of ours, an older one, one
/// that it does not know. Nothing when the schema is the one it was built with.
std::optional<std::string> schema_misfit(pqxx::transaction_base& in, std::span<const migration> known);

} // namespace dr::storage
