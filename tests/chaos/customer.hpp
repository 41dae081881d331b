// A simulated customer: connects, is alerted, answers, changes its mind, goes away and comes back. Everything it does
// and hears goes into the history.
#pragma once

#include "tests/chaos/history.hpp"
#include "tests/chaos/schedule.hpp"
#include "tests/support/http_client.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace dr::chaos {

/// What all customers and the operator share: how far the run is.
class phase {
public:
  enum class at : unsigned char { busy, resting, closing, over };
  at now() const noexcept { return now_; }
  void set(at next) noexcept { now_ = next; }
  /// Customers break off and come back when this moves.
  int storms() const noexcept { return storms_; }
  void storm() noexcept { ++storms_; }

  /// Counts what is under way, so that a rest can wait for it.
  class ticket {
  public:
    explicit ticket(phase& of) : of_(of) { ++of_.under_way_; }
    ~ticket() { --of_.under_way_; }
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;

  private:
    phase& of_;
  };
  int under_way() const noexcept { return under_way_; }

private:
  std::atomic<at> now_{at::busy};
  std::atomic<int> storms_{0};
  std::atomic<int> under_way_{0};
};

struct customer_setup {
  std::int64_t user = 0;
  std::uint16_t port = 0;
  std::uint64_t seed = 0;
  bool by_socket = true; ///< false: knows REST only, and polls
};

class customer {
public:
  customer(customer_setup setup, phase& run, history& into);
  /// Waits for its thread; the run must be over.
  ~customer() { join(); }
  void join();

  std::int64_t user() const noexcept { return setup_.user; }
  /// True once the campaign was heard of, live or in a snapshot.
  bool knows(std::int64_t campaign) const;

private:
  struct intent {
    steady::time_point due{};
    std::int64_t response = 0;
    std::int64_t campaign = 0;
    std::string answer;
    bool by_socket = false;
    bool keyed = false;
  };

  void live();
  void connect();
  void disconnect(bool by_itself);
  void listen();
  void hear(json body);
  void learn(const json& campaign, const json& response);
  void poll();
  void carry_out_due();
  void answer_by_rest(const intent& what);
  void answer_by_socket(const intent& what);

  customer_setup setup_;
  phase& run_;
  history& history_;
  dice dice_;
  test::http_client rest_;
  std::optional<test::ws_client> socket_;
  session* session_ = nullptr;
  std::multimap<steady::time_point, intent> intents_;
  std::set<std::int64_t> planned_;            ///< responses
  std::map<std::string, operation*> waiting_; ///< by ref
  int refs_ = 0;
  int storms_ = 0;
  steady::time_point away_until_{};
  steady::time_point polls_at_{};
  mutable std::mutex mutex_;
  std::set<std::int64_t> known_; ///< campaigns
  std::thread thread_;
};

/// One attempt at an operation over REST, recorded.
attempt try_once(test::http_client& over, const operation& what);

} // namespace dr::chaos
