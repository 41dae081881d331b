// The whole product as a user runs it: a database of its own, kepco-sim and the server, real processes on free ports.
#pragma once

#include "tests/support/http_client.hpp"
#include "tests/support/process.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/resource.h>

namespace dr::test {

using json = nlohmann::json;

/// An answer with its body as JSON (null when it has none or is not JSON).
struct json_answer {
  unsigned status = 0;
  json body;
  header_list headers;
};

class platform {
public:
  struct setup {
    environment variables = {};    ///< on top of the defaults, for server and simulator
    std::string database_url = {}; ///< empty: a fresh database in the tests' Postgres
    /// Makes the server's address of the database from the direct one, to put a gate between; none: the same.
    std::function<std::string(const std::string& direct)> reach = {};
    std::optional<rlimit> open_files = {}; ///< the server's limit of descriptors; nothing: as ours
    bool simulator = true;
    bool started = true; ///< start the server at once and wait until it is ready
    /// Run it by `drplatform up`: server() is the launcher then, and takes the port when it starts.
    bool launcher = false;
    std::string server_program = {}; ///< empty: the one under test; else a copy of it
  };
  platform() : platform(setup{}) {}
  explicit platform(setup with);
  ~platform();

  void start_server();
  void wait_ready();
  /// SIGKILL, then a new start that is waited for.
  void kill_and_restart();
  void kill_server() { server_->kill(); }
  /// SIGTERM; the exit status.
  int stop_server();
  process& server() { return *server_; }
  void start_simulator();
  void stop_simulator() { simulator_.reset(); }

  /// One call with the admin's rights (DR_AUTH=off); retried while the connection breaks only if `again` is set.
  json_answer call(const std::string& method, const std::string& path, const json& body = nullptr,
                   header_list headers = {});
  json get(const std::string& path) { return call("GET", path).body; }
  /// A call to the simulator; throws unless it succeeds.
  json sim(const std::string& method, const std::string& path, const json& body = nullptr);
  ws_client socket_of(int user_id);

  std::string log() const;
  unsigned short port() const noexcept { return port_; }
  const std::filesystem::path& data_dir() const noexcept { return folder_.path(); }
  /// The direct address of the database.
  const std::string& database_url() const noexcept { return database_url_; }
  environment server_environment() const;
  static std::string program(const std::string& name);

private:
  setup with_;
  scratch_folder folder_;
  listening_socket http_;
  unsigned short port_ = http_.port();
  std::string database_name_;
  std::string database_url_;
  std::string reached_url_;
  std::string simulator_address_;
  std::optional<process> server_;
  std::optional<process> simulator_;
};

// ---- steps that many tests share ----------------------------------------------------------------------------------

/// Enrols a user; returns its id.
int enrol(platform& on, const std::string& name, double capacity_kw, int points = 0);
/// Orders a campaign that starts now; returns its id.
int start_campaign(platform& on, const json& extra = json::object());
/// The only response of the user in the campaign.
json response_of(platform& on, int campaign, int user);
unsigned accept(platform& on, int campaign, int user);
/// The customer's next message of this type. Others are passed over: an alert may come behind the snapshot that holds
/// it.
json hear(ws_client& socket, const std::string& type);
void end_campaign(platform& on, int campaign);
/// Tells the simulator that the user's site reduces from the campaign's start on.
void reduce(platform& on, int campaign, int user, double kw);
void wait_settled(platform& on, int campaign, std::chrono::milliseconds at_most = std::chrono::seconds(60));
json check_of(platform& on, int campaign, int user);
/// balance = Σ ledger, for every user; and never more than one credit per response and revision.
void require_books_balance(platform& on);
/// Numbers 1 … n without gaps.
void require_events_whole(platform& on);

} // namespace dr::test
