// A gate between a client and a TCP (or Unix) server that can refuse, cut, delay and swallow, for tests of lost
// connections.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dr::test {

/// Listens on 127.0.0.1 at a port of its own and passes bytes on until told otherwise. Thread-safe.
class tcp_gate {
public:
  /// `host` is an IPv4 address, or the folder of a Unix socket of PostgreSQL.
  tcp_gate(std::string host, int port);
  ~tcp_gate();
  tcp_gate(const tcp_gate&) = delete;
  tcp_gate& operator=(const tcp_gate&) = delete;

  int port() const noexcept { return port_; }
  /// Closes every connection and, until open(), every new one.
  void shut();
  void open();
  /// From now on nothing passes and nobody is told: no data, no end of a connection, no new connection beyond the
  /// listening queue. As a cable that was pulled.
  void freeze();
  /// The cable is back: what the ends sent meanwhile arrives.
  void thaw();
  /// Holds every piece of data back for this long, in both directions.
  void delay(std::chrono::milliseconds time) { delay_ms_ = static_cast<int>(time.count()); }

  enum class trap {
    none,
    cut_before,      ///< the next matching piece of the client never reaches the server; both sides are closed
    cut_after,       ///< it reaches the server, whose answer is awaited and thrown away; both sides are closed
    swallow_answer,  ///< it reaches the server, whose answer is thrown away; the client hangs
    truncate_answer, ///< it reaches the server; half of the answer reaches the client, then both sides are closed
    shut_before,     ///< as cut_before, and the gate shuts
    shut_after,      ///< as cut_after, and the gate shuts
    freeze_before,   ///< the gate freezes with it in hand; it goes on when the gate thaws
    lose,            ///< nothing passes on this connection any more, and neither side is told
  };
  /// Springs once, on the first piece from the client that contains `text`.
  void set(trap what, std::string text);
  /// Waits until the trap has sprung.
  bool sprung(std::chrono::milliseconds limit = std::chrono::seconds{10});
  int connections() const noexcept { return accepted_; }

private:
  struct pair {
    int client = -1;
    int server = -1;
    trap answer = trap::none; ///< what becomes of the server's next piece
    std::string kept = {};    ///< from the client, frozen on its way
    bool lost = false;        ///< nothing passes any more
  };
  void run();
  void accept_one();
  void wake();
  void shut_all();
  bool pass(pair& through, bool from_client);
  bool spring(trap what, pair& through, std::string_view piece);
  bool answer(pair& through, std::string_view piece);
  int connect_upstream() const;
  static void close(pair& both);

  std::string host_;
  int upstream_port_;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  int port_ = 0;
  std::mutex mutex_;
  std::list<pair> pairs_;
  trap trap_ = trap::none;
  std::string trap_text_;
  bool shut_ = false;
  bool frozen_ = false;
  std::atomic<bool> sprung_{false};
  std::atomic<bool> stop_{false};
  std::atomic<int> delay_ms_{0};
  std::atomic<int> accepted_{0};
  std::thread thread_;
};

} // namespace dr::test
