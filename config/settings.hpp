// Every setting of the product, typed, with its default and unit. config/load.hpp fills it; it is read-only afterwards.
#pragma once

#include "config/secret.hpp"
#include "domain/programme.hpp"
#include "domain/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dr {

/// An IP address and a TCP port.
struct endpoint {
  std::string host = "127.0.0.1"; ///< an IPv4 or IPv6 literal without brackets
  std::uint16_t port = 0;         ///< 0: any free port
  /// "127.0.0.1:8080", "[::1]:8080".
  std::string text() const;
  /// True for 127.0.0.0/8 and ::1.
  bool loopback() const;
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Who may call: bearer tokens, or everybody (only on a loopback address).
enum class auth_mode : unsigned char { token = 1, off };

struct http_settings {
  endpoint address{"127.0.0.1", 8080};
  int io_threads = 2;
  std::size_t max_body_bytes = 1024 * 1024;
  std::size_t max_import_bytes = 256 * 1024 * 1024; ///< of a streamed CSV import
  std::size_t max_header_bytes = 16 * 1024;
  std::size_t max_url_bytes = 8 * 1024;
  std::size_t max_connections = 0;                   ///< 0: what the limit of descriptors allows
  std::chrono::milliseconds header_timeout{10'000};  ///< for a request's line and headers, from its first byte
  std::chrono::milliseconds body_timeout{30'000};    ///< for a body, or between two parts of a streamed one
  std::chrono::milliseconds request_timeout{10'000}; ///< for our answer
  std::chrono::milliseconds write_timeout{30'000};   ///< for a peer to take what we send
  std::chrono::milliseconds idle_timeout{60'000};    ///< of a kept-alive connection between requests
  std::chrono::milliseconds drain_timeout{10'000};   ///< for requests in flight when the server stops
  int customer_rate = 20;                            ///< requests and WebSocket messages of one customer per second …
  int customer_burst = 200;                          ///< … after so many at once; more are refused with 429
  std::vector<std::string> cors_origins;             ///< exact origins that browsers may call from; empty: CORS is off
  std::vector<std::string> trusted_proxies;          ///< addresses or networks (CIDR) whose X-Forwarded-* are believed
};

struct websocket_settings {
  std::chrono::milliseconds ping{20'000};
  std::chrono::milliseconds silent{60'000}; ///< a peer that has sent nothing for so long is closed
  std::size_t queue_max = 256;              ///< messages waiting for one peer; when full it is closed with 1013
  std::size_t max_per_customer = 16;        ///< sockets of one customer; a further one replaces the oldest
  std::size_t max_message_bytes = 64 * 1024;
  int summaries_per_s = 4; ///< at most so many per campaign to /ws/admin
};

struct database_settings {
  secret url;      ///< a libpq URL or conninfo; empty: none given
  int readers = 2; ///< connections for queries (one hot and one bulk writer come on top)
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds statement_timeout{30'000}; ///< enforced by Postgres
  std::chrono::milliseconds request_timeout{10'000};   ///< enforced by us; also covers a stopped backend
  std::chrono::milliseconds bulk_timeout{120'000};     ///< of one dispatch or import chunk
  std::size_t batch_max = 1000;                        ///< rows per transaction of the hot writer
  std::size_t bulk_batch_max = 5000;                   ///< rows per chunk of the bulk writer
  std::size_t queue_max = 100'000;                     ///< writes waiting; more are refused as overloaded
  std::size_t cached_users = 100'000;                  ///< rows kept in memory for reads of single users; 0: none
};

struct simulator_settings {
  endpoint address{"127.0.0.1", 11080}; ///< where kepco-sim listens
};

struct kepco_settings {
  /// Without a trailing slash; "/<operation>.do" is appended. After loading never empty: none given means the
  /// simulator.
  std::string base_url;
  bool base_url_given = false; ///< false: base_url was derived from sim.address, and the simulator is ours to start
  bool simulated = true;       ///< true when base_url is the simulator or another loopback address
  secret service_key;
  int concurrency = 8; ///< calls under way at most
  double calls_per_s = 50;
  std::chrono::milliseconds call_timeout{10'000};
  int breaker_failures = 5; ///< failures in a row that open the circuit
  std::chrono::milliseconds breaker_open{30'000};
  std::size_t max_answer_bytes = 4 * 1024 * 1024;
  std::size_t queue_max = 100'000; ///< queries waiting in the gate
};

struct metering_settings {
  std::chrono::minutes lag{0}; ///< business time from a quarter hour's end until KEPCO is asked for it
  bool ask_early = true;       ///< ask at once instead of after the last quarter hour has passed
  std::chrono::hours verification_deadline{168}; ///< business time after the end; later the check is estimated
  bool collect_history = true;                   ///< fetch the baselines' days of enrolled users in the background
  std::size_t batch_size = 500;                  ///< jobs taken from the durable queue at once
  std::size_t history_batch_size = 100;          ///< customers whose history is collected at once
  std::chrono::milliseconds retry_min{1'000};    ///< real time; doubles with every try, jittered
  std::chrono::milliseconds retry_max{900'000};  ///< real time
};

struct clock_settings {
  std::optional<time_point> start; ///< business time to begin at; none: now, or where the anchor file stands
  double rate = 1.0;               ///< business seconds per real second
};

struct user_settings {
  bool assign_cust_no = true; ///< a user created without one gets its id as KEPCO customer number, zero-padded
};

enum class log_level : unsigned char { trace = 1, debug, info, warn, error };

struct log_settings {
  log_level level = log_level::info;
};

struct actor_settings {
  int scheduler_threads = 2;
  int max_restarts = 5; ///< of one child within restart_window before its supervisor gives up
  std::chrono::milliseconds restart_window{10'000};
  std::chrono::milliseconds backoff_min{10};
  std::chrono::milliseconds backoff_max{5'000};
  std::chrono::milliseconds stop_timeout{10'000}; ///< for the whole tree to stop
  std::size_t spawn_batch = 1000;                 ///< entities revived or spawned per step in the background
};

struct settings {
  std::filesystem::path data_dir = "var";
  auth_mode auth = auth_mode::token;
  std::filesystem::path holidays_file; ///< empty: the calendar compiled in, a copy of config/holidays.txt
  http_settings http;
  websocket_settings ws;
  database_settings database;
  simulator_settings sim;
  kepco_settings kepco;
  metering_settings metering;
  clock_settings clock;
  user_settings users;
  log_settings log;
  actor_settings actors;
  std::vector<programme> programmes;       ///< dated editions; never empty
  std::vector<baseline_edition> baselines; ///< dated editions; every method has one whenever a programme has one
  std::vector<korean_day> holidays;        ///< ascending, without duplicates
};

/// The programmes of domain.md's table (R, February 2024 edition), dated early so that any day finds its edition.
std::vector<programme> shipped_programmes();
/// The built-in figures of the baseline methods as editions, dated likewise.
std::vector<baseline_edition> shipped_baselines();

/// data_dir / "admin.token", "drplatform.pid", "clock.anchor".
std::filesystem::path admin_token_file(const settings& s);
std::filesystem::path pid_file_path(const settings& s);
std::filesystem::path clock_anchor_file(const settings& s);

/// "token", "off"; "trace" … "error".
const char* to_string(auth_mode mode) noexcept;
const char* to_string(log_level level) noexcept;

} // namespace dr
