// The small parent of `drplatform up`: it owns the listening socket and keeps the server (and the simulator) running.
// A restarted server gets the same socket, so that no connection attempt is lost meanwhile.
#pragma once

#include "app/handover.hpp"
#include "config/settings.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace dr {

struct launcher_options {
  endpoint http_address;                      ///< bound and listened on once; port 0 takes a free one
  std::filesystem::path data_dir;             ///< must exist; holds launcher.pid and launcher.sock
  std::vector<std::string> server_command;    ///< program and arguments; gets the socket as descriptor 3 (LISTEN_FDS)
  std::vector<std::string> simulator_command; ///< empty: no simulator is started
  std::vector<std::string> simulator_environment; ///< "NAME=value", on top of ours
  endpoint simulator_address;                 ///< where the simulator will answer, for the banner and to wait for it
  bool auth_off = false;                      ///< the banner's examples then need no token
  std::chrono::milliseconds backoff_min{200}; ///< until a dead child is started again; doubles with every death …
  std::chrono::milliseconds backoff_max{10'000};
  std::chrono::milliseconds healthy{60'000};      ///< … and begins anew after the child has lived so long
  std::chrono::milliseconds stop_timeout{20'000}; ///< for the server's ordered stop; then it is killed
  handover_limits handover;                       ///< for putting a new server in its place
};

/// Runs until SIGTERM, SIGINT or SIGHUP (unless that is ignored from the start, as by nohup), then stops server and
/// simulator in this order. SIGUSR2, or a request at the data folder's launcher.sock, puts a new server in the place of
/// the running one. Prints progress on stderr and, once /readyz answers 200, the banner on stdout. When
/// DR_LAUNCHER_PARENT names its parent's pid, it stops when that dies; the children always stop when the launcher dies.
/// Single-threaded; call it before any thread is made. Returns the program's exit code: 0 after a signal, 75 or 78 as
/// the server gave (neither is started again), 78 when another launcher has the data folder, 1 when the address cannot
/// be bound.
int run_launcher(const launcher_options& options);

/// The absolute path of the running program. To be asked at the start: a newer build may take the file's place later.
std::string own_executable();

} // namespace dr
