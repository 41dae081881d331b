// The real product under test: a Postgres of its own behind a TCP gate, kepco-sim, and the server, each a process that
// may be killed. Faults are done to it through this one object.
#pragma once

#include "tests/chaos/history.hpp"
#include "tests/support/process.hpp"
#include "tests/support/tcp_gate.hpp"
#include "tests/system/own_postgres.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace dr::chaos {

struct world_options {
  std::string server_program = "drplatform"; ///< in DR_BIN_DIR
  test::environment variables;               ///< on top of the defaults, for the server
  double clock_rate = 300;                   ///< business seconds per real one
  std::filesystem::path meters;              ///< what the simulator reads its customers' usage from
};

/// Thread-safe but for the destructor.
class world {
public:
  explicit world(world_options options);
  ~world();

  std::uint16_t port() const noexcept { return listener_.port(); }
  std::uint16_t simulator_port() const noexcept { return simulator_port_; }
  std::string server_log() const;
  /// The product's own audit of its database; throws what it names.
  void audit() const;
  const std::filesystem::path& folder() const noexcept { return folder_.path(); }
  /// The database without the gate, for looking at it from outside.
  std::string database_url() const { return postgres_.url(); }

  // ---- the server
  void kill_server();
  void stop_server();
  void freeze_server();
  void thaw_server();
  /// Starts another server on the same socket and database while the present one is frozen; then wakes that one up and
  /// waits for it to leave. Throws when it does not leave as a fenced one does.
  void succeed_server(std::chrono::milliseconds frozen);
  /// Keeps the server running: call it often. Returns false while it had to start it again.
  bool tend_server();
  bool ready() const;
  /// Throws when the server is not ready in time.
  void wait_ready(std::chrono::milliseconds at_most);
  /// Tells a server that takes orders to kill one of its actors.
  void kill_actor(const std::string& name);
  int server_starts() const noexcept { return starts_; }

  // ---- storage
  void kill_backend(std::uint64_t luck);
  void restart_postgres();
  void stop_postgres();
  void start_postgres();
  test::tcp_gate& gate() noexcept { return *gate_; }

  // ---- KEPCO
  /// Replaces the simulator's faults. Does nothing while it is gone.
  void set_kepco_faults(const json& faults);
  void stop_kepco();
  void start_kepco();

  /// Ends whatever fault is there.
  void heal();

private:
  test::process spawn_server(const std::filesystem::path& data_dir);
  std::filesystem::path next_data_dir();
  test::environment server_environment(const std::filesystem::path& data_dir) const;

  world_options options_;
  test::scratch_folder folder_;
  test::own_postgres postgres_;
  std::unique_ptr<test::tcp_gate> gate_;
  test::listening_socket listener_;
  std::filesystem::path data_dir_;
  std::uint16_t simulator_port_ = 0;
  std::mutex kepco_mutex_;
  std::mutex postgres_mutex_;
  std::mutex server_mutex_;
  std::optional<test::process> simulator_;
  std::optional<test::process> server_;
  bool frozen_ = false;
  bool postgres_down_ = false;
  std::atomic<int> starts_{0};
  int data_dirs_ = 0;
};

} // namespace dr::chaos
