// The Beast half of the bare server: one io_context per thread, a fixed answer, WebSockets that are only written to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dr::bench {

/// What every request is answered with, byte for byte as the product did.
struct bare_answer {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
};

struct bare_request {
  std::string_view target;
  std::string_view key; ///< its Idempotency-Key
};

class bare_session;

/// Answers one request, once. From the thread that `context()` belongs to, or through post().
class reply_port {
public:
  explicit reply_port(std::shared_ptr<bare_session> to);
  void send() const;
  /// Runs all of these on their threads, with one hand-over per thread.
  static void post(std::vector<reply_port> all);

private:
  std::shared_ptr<bare_session> to_;
};

using bare_handler = std::function<void(const bare_request&, reply_port)>;

/// Serves the listening socket that was inherited as descriptor 3, until the process is killed.
/// POST /broadcast/{bytes} sends a frame of that size to every WebSocket.
void run_loops(int threads, const bare_answer& answer, const bare_handler& handler);

} // namespace dr::bench
