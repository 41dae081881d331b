// What a test does to the server's database from beside: a second session, the server's backends, a gate in front.
#pragma once

#include "tests/support/tcp_gate.hpp"

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace dr::test {

/// A session beside the server's own: holds locks and transactions open as long as a test wants. For one thread.
class sql_session {
public:
  explicit sql_session(const std::string& url);
  ~sql_session();
  sql_session(sql_session&&) noexcept;
  /// Runs one statement; returns the first column of its rows, one a line. Throws what the database says.
  std::string run(const std::string& statement);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Runs one statement in a session of its own.
std::string sql(const std::string& url, const std::string& statement);

/// The kinds of backends that the server has.
enum class backend : unsigned char { hot_writer = 1, bulk_writer, reader };

/// The process ids of the server's backends of one kind in the url's database.
std::vector<pid_t> backends(const std::string& url, backend kind);
/// kill -9: Postgres ends every session of the cluster and recovers.
void kill_backends(const std::string& url, backend kind);
/// True once a backend of this kind waits for a lock.
bool waits_for_lock(const std::string& url, backend kind);

/// Backends under SIGSTOP: they keep locks and connections, and hear neither statement_timeout nor a cancellation.
class paused_backends {
public:
  paused_backends(const std::string& url, backend kind);
  ~paused_backends() { resume(); }
  paused_backends(const paused_backends&) = delete;
  paused_backends& operator=(const paused_backends&) = delete;
  void resume();

private:
  std::vector<pid_t> pids_;
};

/// A gate to the server that the url names.
std::unique_ptr<tcp_gate> gate_to(const std::string& url);
/// The same database, through the gate.
std::string url_through(const std::string& url, const tcp_gate& gate);

} // namespace dr::test
