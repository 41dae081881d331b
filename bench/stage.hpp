// What the cases stand on: databases of their own in the private Postgres, and the real programs on free ports.
#pragma once

#include "bench/load.hpp"
#include "bench/usage.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/process.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dr::bench {

/// Where everything is.
struct places {
  std::filesystem::path programs; ///< the folder of drplatform, kepco-sim, dr-bench-bare and dr-bench-faulty
  std::filesystem::path source;   ///< the project's top folder, for script/postgres
  std::filesystem::path postgres; ///< the data folder of the private Postgres, started by script/postgres; may be empty
  std::string postgres_url;       ///< one of its databases
};

/// One SQL session.
class sql_session {
public:
  explicit sql_session(const std::string& url);
  ~sql_session();
  sql_session(sql_session&&) noexcept;
  sql_session& operator=(sql_session&&) = delete;

  void execute(const std::string& statement);
  /// The first column of the first row.
  std::int64_t number(const std::string& query);
  /// Reads all rows; the first column of the last one, 0 without any.
  std::int64_t last_number(const std::string& query);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// An empty database with the product's schema; dropped at the end.
class database {
public:
  explicit database(const places& where);
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  const std::string& url() const noexcept { return url_; }
  sql_session open() const { return sql_session(url_); }
  /// Enrols users number 1 … count, each with its number as ten digits for a custNo, 100 kW and 1,000,000 points.
  void enrol(int count);
  /// Tables' statistics and pages as they are after a quiet night, so that no vacuum runs into a measurement.
  void settle_down();

private:
  const places& where_;
  std::string name_;
  std::string url_;
};

/// kepco-sim on a free port.
class simulator {
public:
  explicit simulator(const places& where);
  std::uint16_t port() const noexcept { return port_; }
  nlohmann::json call(const std::string& method, const std::string& path, const nlohmann::json& body);

private:
  test::scratch_folder folder_;
  std::optional<test::process> process_;
  std::uint16_t port_ = 0;
};

/// drplatform (or a program that embeds it) on a socket that outlives it.
class server {
public:
  struct setup {
    test::environment variables = {}; ///< on top of the bench's
    std::uint16_t simulator_port = 9; ///< by default nobody answers there
    bool auth = true;                 ///< as shipped: tokens
    std::string program = "drplatform";
    bool started = true;
  };
  server(const places& where, const database& data) : server(where, data, setup{}) {}
  server(const places& where, const database& data, setup with);

  /// Starts it without waiting.
  void launch();
  void start() {
    launch();
    wait_ready();
  }
  void wait_ready(std::chrono::milliseconds at_most = std::chrono::minutes(5));
  void kill() { process_->kill(); }
  void stop();

  std::uint16_t port() const noexcept { return socket_.port(); }
  pid_t pid() const { return process_->pid(); }
  usage used() const { return usage_of(process_->pid()); }
  /// The admin's token; empty without access control.
  std::string token() const;
  request_writer requests() const { return request_writer(port(), token()); }
  /// One call with the admin's rights; throws unless it succeeds.
  nlohmann::json call(const std::string& method, const std::string& path, const nlohmann::json& body);
  nlohmann::json get(const std::string& path);
  /// An answer with its head, as the bare server is to give it.
  test::http_answer raw(const std::string& method, const std::string& path, const std::string& body = {});
  /// Orders a campaign that starts now; its id.
  std::int64_t start_campaign();
  /// Actors of a kind that are alive: campaigns, responses, users.
  std::int64_t alive(const std::string& kind);
  std::string log() const;

private:
  const places& where_;
  const setup with_;
  std::string database_url_;
  test::scratch_folder folder_;
  test::listening_socket socket_;
  std::optional<test::process> process_;
};

/// dr-bench-bare: what the machine can do without the product.
class bare_server {
public:
  /// `arguments`: the mode and its options, see `dr-bench-bare --help`.
  bare_server(const places& where, std::vector<std::string> arguments);
  std::uint16_t port() const noexcept { return socket_.port(); }
  usage used() const { return usage_of(process_->pid()); }

private:
  test::scratch_folder folder_;
  test::listening_socket socket_;
  std::optional<test::process> process_;
};

/// Writes an answer to a file as `dr-bench-bare --answer` reads it: header fields, an empty line, the body.
void write_answer(const std::filesystem::path& file, const test::http_answer& answer);

/// Starts or stops the private Postgres ("start", "stop").
void postgres(const places& where, const std::string& command);
/// The CPU seconds that all of the Postgres at `where` has used.
double postgres_cpu_s(const places& where);

double seconds_since(std::chrono::steady_clock::time_point since);

} // namespace dr::bench
