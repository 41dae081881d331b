// Where the reader on Postgres runs its statements: what the files of pg_reader share.
#pragma once

#include "storage/postgres/pg_reader.hpp"

namespace dr::storage {

/// A place to run statements: a snapshot, or none.
class pg_reader::session {
public:
  session(connection& over, bool snapshot) : over_(over) {
    if (snapshot)
      snapshot_ = std::make_unique<pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>>(over.use());
    else
      plain_ = std::make_unique<pqxx::nontransaction>(over.use());
  }
  pqxx::result run(const dr::storage::statement& what, const parameters& values = {}) {
    return over_.run(transaction(), what, values);
  }
  /// See connection::stream().
  void stream(const dr::storage::statement& what, const parameters& values, const row_taker& take) {
    over_.stream(transaction(), what, values, take);
  }
  std::function<pqxx::result(const dr::storage::statement&, const parameters&)> runner() {
    return [this](const dr::storage::statement& what, const parameters& values) { return run(what, values); };
  }

private:
  pqxx::transaction_base& transaction() {
    return snapshot_ ? static_cast<pqxx::transaction_base&>(*snapshot_) : *plain_;
  }

  connection& over_;
  std::unique_ptr<pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>> snapshot_;
  std::unique_ptr<pqxx::nontransaction> plain_;
};

/// Runs an action and translates what it throws. A connection that had died unnoticed is made again, once.
template <class T> result<T> pg_reader::read(bool snapshot, const std::function<result<T>(session&)>& action) {
  connection_.begin_call();
  for (bool stale = connection_.is_open();; stale = false) {
    try {
      session in{connection_, snapshot};
      auto found = action(in);
      connection_.works();
      return found;
    } catch (const std::exception& why) {
      auto kind = connection_.explain(why);
      if (kind != failure::refused) connection_.drop();
      if (kind == failure::lost && stale && !connection_.aborted()) continue;
      return outside_view(kind);
    }
  }
}

/// Gives each row to `take`.
inline void each(const pqxx::result& rows, const row_taker& take) {
  for (const auto& row : rows) {
    column_cursor at{row};
    take(at);
  }
}

} // namespace dr::storage
