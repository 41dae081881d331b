// A Postgres cluster of one test's own, so that it may be stopped, killed, paused and filled up; and a second session
// that gets in the server's way.
#pragma once

#include "tests/support/process.hpp"
#include "tests/support/tcp_gate.hpp"

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace dr::test {

/// The kinds of backends that the server has.
enum class backend : unsigned char { hot_writer = 1, bulk_writer, reader };

/// Runs as script/postgres runs it: by user postgres when we are root, reached by a Unix socket. Its commits survive
/// any end of Postgres, but not of the machine. For one thread.
class own_postgres {
public:
  /// `settings` are further lines for postgresql.conf. With `started` false only the cluster's folder is made.
  explicit own_postgres(const std::string& settings = {}, bool started = true);
  /// Wakes what was paused and stops the cluster, whatever state it is in.
  ~own_postgres();
  own_postgres(const own_postgres&) = delete;
  own_postgres& operator=(const own_postgres&) = delete;

  /// Returns when it takes connections.
  void start();
  /// In order: every session is ended, nothing has to be recovered.
  void stop();
  /// As a crash: the next start recovers from the log.
  void stop_immediately();
  /// kill -9 of the postmaster; the backends follow it when they notice.
  void kill_postmaster();
  bool running() const { return postmaster() > 0; }

  /// The process ids of the server's backends of one kind; those of every server on this cluster.
  std::vector<pid_t> backends(backend kind) const;
  /// kill -9 of every backend of a kind: Postgres ends all sessions and recovers.
  void kill(backend kind);
  /// SIGSTOP: they keep their locks and connections, and hear neither statement_timeout nor a cancellation.
  void pause(backend kind);
  /// Wakes all that pause() has stopped.
  void resume();

  /// How the server connects; `database` is one that was made here.
  std::string url(const std::string& database = "drplatform") const;
  /// The same through a gate in front of this cluster (see gate()).
  std::string url_through(const tcp_gate& gate) const;
  /// A gate to this cluster's socket.
  std::unique_ptr<tcp_gate> gate() const;

  /// Runs one statement in a session of its own, as superuser; returns the first column of its rows, one a line.
  std::string sql(const std::string& statement) const;
  /// What Postgres wrote to its log so far.
  std::string log() const;
  /// The cluster's data folder. Only its owner and root may look inside.
  const std::filesystem::path& data() const noexcept { return data_; }

private:
  std::string script(const std::string& command) const;
  pid_t postmaster() const;
  void end_by(int signal);

  scratch_folder folder_;
  std::filesystem::path data_;
  std::string url_;
  std::vector<pid_t> paused_;
};

/// A session beside the server's own: holds locks and transactions open as long as a test wants.
class sql_session {
public:
  explicit sql_session(const std::string& url);
  ~sql_session();
  sql_session(sql_session&&) noexcept;
  /// Runs one statement; returns the first column of its rows, one a line. Throws what the database says.
  std::string run(const std::string& statement);
  pid_t pid() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace dr::test
