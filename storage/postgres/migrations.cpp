#include "storage/postgres/migrations.hpp"

#include "storage/postgres/columns.hpp"

#include <spdlog/spdlog.h>

#include <map>

namespace dr::storage {

namespace {

/// Any number that no other program is likely to lock in this database.
constexpr std::int64_t migration_lock = 0x44525f6d69677261;

struct recorded {
  std::string name;
  std::string checksum;
};

std::map<int, recorded> read_recorded(pqxx::transaction_base& in) {
  std::map<int, recorded> all;
  for (const auto& row : in.exec("SELECT version, name, checksum FROM migration ORDER BY version")) {
    column_cursor at{row};
    auto version = static_cast<int>(at.number());
    auto name = at.text();
    all[version] = {std::move(name), at.text()};
  }
  return all;
}

/// Why this program must leave the schema alone; nothing when it fits.
std::optional<std::string> misfit(const std::map<int, recorded>& present, std::span<const migration> known) {
  for (const auto& [version, record] : present) {
    const migration* same = nullptr;
    for (const auto& one : known)
      if (one.version == version) same = &one;
    if (!same)
      return "the database has schema version " + std::to_string(version) + " (" + record.name +
             "), which this program does not know: it was made by a newer release; start that one";
    if (record.checksum != same->checksum)
      return "migration " + std::string(same->name) +
             " differs from the one that was applied to this database: a migration must never be changed once it has "
             "been released; restore the file, or use the release that made this database";
  }
  return std::nullopt;
}

std::vector<int> apply_missing(pqxx::work& in, const std::map<int, recorded>& present, std::span<const migration> known,
                               migration_scope scope) {
  std::vector<int> applied;
  for (const auto& one : known) {
    if (present.contains(one.version)) continue;
    if (scope == migration_scope::beside && !one.beside) break;
    in.exec(one.sql);
    in.exec_params("INSERT INTO migration (version, name, checksum) VALUES ($1, $2, $3)", one.version, one.name,
                   one.checksum);
    applied.push_back(one.version);
  }
  return applied;
}

} // namespace

result<std::vector<int>> migrate(connection& over, std::span<const migration> known, migration_scope scope) {
  try {
    over.begin_call();
    pqxx::work in{over.use()};
    in.exec("SELECT pg_advisory_xact_lock(" + std::to_string(migration_lock) + ")");
    // Who waits for a table has everybody wait behind him, the server that still serves among them.
    if (scope == migration_scope::beside) in.exec0("SET LOCAL lock_timeout = '1s'");
    in.exec0("CREATE TABLE IF NOT EXISTS migration (version integer PRIMARY KEY, name text NOT NULL, "
             "checksum text NOT NULL)");
    auto present = read_recorded(in);
    if (auto why = misfit(present, known)) {
      spdlog::error("storage: {}", *why);
      return fail(errc::internal, *why);
    }
    auto applied = apply_missing(in, present, known, scope);
    in.commit();
    for (auto version : applied) spdlog::info("storage: schema version {} is in place", version);
    return applied;
  } catch (const std::exception& why) {
    auto kind = over.explain(why);
    over.drop();
    if (dynamic_cast<const pqxx::insufficient_privilege*>(&why))
      return fail(errc::invalid, "the role in DR_DATABASE_URL may not make tables: let it own the database (ALTER "
                                 "DATABASE … OWNER TO …)");
    if (kind == failure::refused)
      return fail(errc::internal, "a schema migration failed; the log says which statement");
    return outside_view(kind);
  }
}

std::optional<std::string> schema_misfit(pqxx::transaction_base& in, std::span<const migration> known) {
  constexpr const char* how = "start the server on it, or run drplatform migrate";
  if (in.exec1("SELECT to_regclass('migration') IS NULL")[0].as<bool>())
    return std::string("the database does not have the DR Platform's tables: ") + how;
  auto present = read_recorded(in);
  if (auto why = misfit(present, known)) return why;
  if (present.size() < known.size()) return std::string("the database's schema is older than this program: ") + how;
  return std::nullopt;
}

} // namespace dr::storage
