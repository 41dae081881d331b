// A Postgres cluster of one test's own, so that it may be stopped, killed, moved and filled up.
#pragma once

#include "tests/support/process.hpp"
#include "tests/system/database_tools.hpp"

#include <string>

namespace dr::test {

/// Runs as script/postgres runs it: by user postgres when we are root, reached by a Unix socket. Its commits survive
/// any end of Postgres, but not of the machine. For one thread. Its backends are paused and killed, and gates put in
/// front of it, by database_tools.hpp.
class own_postgres {
public:
  /// `settings` are further lines for postgresql.conf. With `started` false only the cluster's folder is made.
  explicit own_postgres(const std::string& settings = {}, bool started = true);
  /// Stops it, whatever state it is in.
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

  /// How to connect, as superuser.
  const std::string& url() const noexcept { return url_; }
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
};

} // namespace dr::test
