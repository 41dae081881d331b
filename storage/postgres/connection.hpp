// One connection to Postgres that is made on use, never silently remade, and can be broken off from another thread.
#pragma once

#include "domain/error.hpp"
#include "storage/postgres/columns.hpp"
#include "storage/postgres/parameters.hpp"
#include "storage/postgres/postgres_database.hpp"
#include "storage/store.hpp"

#include <pqxx/pqxx>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

namespace dr::storage {

/// A named statement; prepared on a connection when first used there. Both texts live for ever.
struct statement {
  const char* name;
  const char* sql;
};

/// What a connection is for: the planner is told, since its guesses about many rows at once are costly ones.
enum class workload {
  rows_by_key, ///< the hot writer: a thousand rows by their keys, in tables of any size
  bulk,        ///< whole tables
  reads,       ///< filters that the caller chooses
};

/// What a failure means for whoever called.
enum class failure {
  lost,        ///< no (usable) database: whatever was not committed did not happen
  conflict,    ///< lost a race with another transaction: the same again will do
  unavailable, ///< the database refuses for now (shutdown, timeout, full disk, read-only)
  refused,     ///< these very values (or a defect of ours)
};

/// What our own statements fail with when something does not hold (the function dr_require).
namespace sqlstate {
inline constexpr const char* changed_meanwhile = "DR409"; ///< another transaction changed a row
inline constexpr const char* session_over = "DR410";      ///< the lease, or the lane, has gone to a later connection
} // namespace sqlstate

/// The database cannot be used as it is, for a reason that was logged.
class unusable_database : public std::runtime_error {
public:
  explicit unusable_database(const char* why, outage_cause of = outage_cause::other)
      : std::runtime_error(why), cause(of) {}
  outage_cause cause;
};

class connection {
public:
  connection(postgres_options options, std::string purpose, std::chrono::milliseconds statement_timeout, workload load);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// The open connection. Throws (pqxx::broken_connection, unusable_database) when there is none to be had.
  pqxx::connection& use();
  bool is_open() const noexcept;
  /// Closes it; the next use makes a new one.
  void drop() noexcept;
  /// Breaks it off, from any thread: a blocked call fails soon.
  void abort() noexcept;
  /// Until the next call of this, abort() also keeps use() from connecting.
  void begin_call() noexcept { aborted_ = false; }
  bool aborted() const noexcept { return aborted_; }

  pqxx::result run(pqxx::transaction_base& in, const statement& what, const parameters& values = {});
  /// Runs a SELECT and gives each row to `take` while the server still makes the next ones. It is not prepared: the
  /// values, quoted by the library, become a part of the text (COPY takes no others). `take` must not use this
  /// connection.
  void stream(pqxx::transaction_base& in, const statement& what, const parameters& values, const row_taker& take);

  /// Sorts out an exception caught at the border, and logs it: the statement's name (for debugging its text), never
  /// values.
  failure explain(const std::exception& why) noexcept;
  /// How the last call found the database; explain() notes an outage, works() its end.
  const outage& last_outage() const noexcept { return outage_; }
  void works() noexcept { outage_ = {}; }
  const std::string& purpose() const noexcept { return purpose_; }

private:
  class silencer;
  void prepare_session();
  void forget_socket() noexcept;
  void note(outage_cause cause, const char* said);

  postgres_options options_;
  std::string purpose_;
  std::chrono::milliseconds statement_timeout_;
  workload load_;
  std::unique_ptr<pqxx::connection> open_;
  std::unique_ptr<silencer> silencer_;
  std::unordered_set<const char*> prepared_;
  const statement* last_ = nullptr;
  std::mutex socket_mutex_;
  int socket_ = -1;
  std::atomic<bool> aborted_{false};
  outage outage_;
  std::string last_complaint_; ///< so that a long outage does not fill the log
};

/// The error that callers see for a failure.
error outside_view(failure what);

} // namespace dr::storage
