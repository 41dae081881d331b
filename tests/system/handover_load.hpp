// Clients that keep a server busy while it is replaced, and remember everything that went wrong or was acknowledged.
#pragma once

#include "tests/system/platform.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace dr::test {

/// One connection that must live for ever: unlike http_client it is never made again.
class lasting_connection {
public:
  explicit lasting_connection(unsigned short port) : wire_(port) {}
  /// Throws client_error when the connection ends, or is announced to end.
  http_answer request(const std::string& method, const std::string& path);

private:
  raw_client wire_;
};

/// Runs from construction to finish(). Every answerer has a connection that lasts and a response of its own; it changes
/// its answer and reads it back. Newcomers make a connection for every user they enrol. Customers hold WebSockets and
/// connect again whenever they were told to.
class handover_load {
public:
  struct numbers {
    int answerers = 4;
    int newcomers = 1;
    int customers = 3;
  };
  handover_load(platform& on, numbers how_many);
  ~handover_load();
  handover_load(const handover_load&) = delete;
  handover_load& operator=(const handover_load&) = delete;

  /// Every client has had another answer since the last call, every customer a snapshot.
  void wait_for_progress();
  /// Ends the clients and compares all that was acknowledged with what is stored.
  void finish();

  long requests() const { return requests_; }
  std::chrono::microseconds longest_wait() const { return std::chrono::microseconds{longest_us_.load()}; }
  /// The fewest times that a customer was told to connect again, and came back into a snapshot.
  int returns_of_each() const;

private:
  struct client {
    std::thread thread = {};
    std::atomic<long> answers{0};
    std::atomic<int> closed{0};    ///< WebSocket: by 1012
    std::atomic<int> snapshots{0}; ///< WebSocket
    std::string last_answer = {};  ///< acknowledged
  };
  template <class Work> void run(client& who, Work work);
  void answer(client& who, int response);
  void enrol_newcomers(client& who);
  void listen(client& who, int user);
  void fail(const std::string& what);
  template <class Call> http_answer timed(client& who, Call call);

  platform& on_;
  int campaign_ = 0;
  std::vector<int> users_;
  std::vector<int> responses_;
  std::vector<std::unique_ptr<client>> answerers_, newcomers_, customers_;
  std::atomic<bool> stop_{false};
  std::atomic<long> requests_{0};
  std::atomic<long> longest_us_{0};
  std::mutex mutex_;
  std::vector<std::string> failures_;
  std::set<int> enrolled_; ///< acknowledged
};

} // namespace dr::test
