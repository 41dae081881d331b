// The whole server in one process over the memory store: real tree of actors, real sockets, a clock moved by hand and a
// KEPCO that follows a script.
#pragma once

#include "config/settings.hpp"
#include "domain/clock.hpp"
#include "storage/memory/memory_database.hpp"
#include "tests/support/http_client.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace dr::test {

using json = nlohmann::json;
using namespace std::chrono_literals;

/// Business time that stands still until it is moved.
class standing_clock final : public dr::clock {
public:
  explicit standing_clock(time_point at) : now_ms_(at.time_since_epoch().count()) {}
  time_point now() const override { return time_point{std::chrono::milliseconds{now_ms_.load()}}; }
  std::chrono::milliseconds real_delay_until(time_point at) const override { return at <= now() ? 0ms : 20ms; }
  time_point after_real(std::chrono::milliseconds real) const override { return now() + real; }
  bool is_virtual() const override { return true; }
  void advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }

private:
  std::atomic<std::int64_t> now_ms_;
};

/// An answer with its body read as JSON (discarded when it is none).
struct json_answer {
  unsigned status = 0;
  json body;
  http_answer raw;
  std::string header(std::string_view name) const { return raw.header(name).value_or(""); }
};

class front_world {
public:
  struct setup {
    auth_mode auth = auth_mode::off;
    std::function<void(settings&)> tune = {};
  };
  front_world() : front_world(setup{}) {}
  explicit front_world(setup with);
  ~front_world();
  front_world(const front_world&) = delete;
  front_world& operator=(const front_world&) = delete;

  std::uint16_t port() const;
  /// A client with the admin's rights.
  http_client admin() const;
  http_client with_token(const std::string& token) const;
  http_client nobody() const { return http_client(port()); }
  std::string admin_token() const { return "dra_test_token_of_the_admin"; }
  storage::memory_faults& faults() { return database_->faults(); }
  storage::memory_database& database() { return *database_; }
  standing_clock& clock() { return *clock_; }
  /// What a custNo saves today, in kW.
  void reduce(const std::string& cust_no, int kw);
  /// While true every KEPCO query throws, and so its actor crashes.
  void crash_queries(bool crashing);
  void begin_draining();
  /// Kills the front's actor; its supervisor starts a new one.
  void crash_front();

  // ---- steps that many tests share, with the admin's rights
  json_answer call(const std::string& method, const std::string& target, const json& body = nullptr,
                   header_list headers = {});
  json_answer get(const std::string& target, header_list headers = {}) {
    return call("GET", target, nullptr, std::move(headers));
  }
  int enrol(const std::string& name, double capacity = 400, int points = 0);
  int start_campaign(const json& more = json::object());
  std::string token_of(int user);
  /// The id of the user's response to the campaign.
  int response_of(int campaign, int user);

private:
  struct impl;
  std::shared_ptr<standing_clock> clock_;
  std::shared_ptr<storage::memory_database> database_;
  std::unique_ptr<impl> impl_;
};

json_answer read_json(http_answer answer);
/// Looks again and again until the condition holds; false when the deadline passes first.
bool soon(const std::function<bool()>& holds, std::chrono::milliseconds within = 20s);

} // namespace dr::test
