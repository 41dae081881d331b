// How the launcher puts a new server in the place of the running one: it starts the successor beside it, passes the
// orders on, and deals with whoever fails. The course itself is in handover.hpp.
#pragma once

#include "app/handover.hpp"
#include "app/launcher_child.hpp"

#include <functional>
#include <optional>
#include <string>

namespace dr {

class succession {
public:
  using clock = launcher_child::clock;
  /// `server` is the one to replace, and the replaced one afterwards. `make` gives a child that runs a program as the
  /// server runs; `on_serving` is called when the new server begins to answer.
  succession(const handover_limits& limits, launcher_child& server,
             std::function<launcher_child(const std::string& program)> make, std::function<void()> on_serving);

  /// Starts a successor. `asker` is told how it goes; it is refused while another one is under way.
  void begin(const std::string& program, channel asker);
  /// A server, new or old, is still there besides the present one.
  bool under_way() const;
  /// A new server must not be started beside one that has not left yet.
  bool server_may_start() const { return !leaving_ || !leaving_->running(); }

  /// Takes what the servers have said.
  void hear();
  /// … only the present server: it stays the present one.
  void hear_server() { hear(server_); }
  /// True when the dead process was one of ours and not the present server.
  bool bury(pid_t pid, int status);
  void server_ended(const std::string& how);
  void server_ready();
  void look_at_deadlines();
  std::optional<clock::time_point> due() const;
  /// Ends it, because the launcher stops; `stop` ends one child.
  void cancel(const std::function<void(launcher_child&)>& stop);
  /// The lines to listen on besides the server's; -1: none.
  int successor_line() const { return successor_ ? successor_->line().descriptor() : -1; }
  int leaving_line() const { return leaving_ ? leaving_->line().descriptor() : -1; }

private:
  void hear(launcher_child& one);
  void act(handover::step next);
  void switch_over();
  void finish();
  void tell(const std::string& text) const;

  handover_limits limits_;
  launcher_child& server_;
  std::function<launcher_child(const std::string& program)> make_;
  std::function<void()> on_serving_;
  std::optional<handover> course_;
  std::optional<launcher_child> successor_; ///< prepares
  std::optional<launcher_child> leaving_;   ///< was told to hand over
  channel asker_;
};

} // namespace dr
