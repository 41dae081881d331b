// The small parent of `drplatform up`: it owns the listening socket and keeps the server (and the simulator) running.
// A restarted server gets the same socket, so that no connection attempt is lost meanwhile.
#pragma once

#include "config/settings.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dr {

struct launcher_options {
  endpoint http_address;                      ///< bound and listened on once; port 0 takes a free one
  std::filesystem::path data_dir;             ///< named in the banner
  std::vector<std::string> server_command;    ///< program and arguments; gets the socket as descriptor 3 (LISTEN_FDS)
  std::vector<std::string> simulator_command; ///< empty: no simulator is started
  endpoint simulator_address;                 ///< where the simulator will answer, for the banner and to wait for it
  bool auth_off = false;                      ///< the banner's examples then need no token
  std::chrono::milliseconds backoff_min{200}; ///< until a dead child is started again; doubles with every death …
  std::chrono::milliseconds backoff_max{10'000};
  std::chrono::milliseconds healthy{60'000};      ///< … and begins anew after the child has lived so long
  std::chrono::milliseconds stop_timeout{20'000}; ///< for the server's ordered stop; then it is killed
};

/// Runs until SIGTERM, SIGINT or SIGHUP, then stops server and simulator in this order. Prints progress on stderr and,
/// once /readyz answers 200, the banner on stdout. When DR_LAUNCHER_PARENT names its parent's pid, it stops when that
/// dies; the children always stop when the launcher dies. Single-threaded; call it before any thread is made. Returns
/// the program's exit code: 0 after a signal, 75 or 78 as the server gave (neither is started again), 1 when the
/// address cannot be bound.
int run_launcher(const launcher_options& options);

/// The listening socket that a launcher or systemd handed to this process (LISTEN_PID, LISTEN_FDS), non-blocking and
/// close-on-exec; nothing when there is none. Takes it: a second call gives nothing.
std::optional<int> inherited_listener();

/// The absolute path of the running program.
std::string own_executable();

} // namespace dr
