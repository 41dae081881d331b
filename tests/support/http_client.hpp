// A blocking HTTP and WebSocket client for tests. Every call has a deadline; nothing of Beast is visible here.
// Link with dr_test_http_client.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dr::test {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// An answer as received. Header names keep their case; look-ups ignore it.
struct http_answer {
  unsigned status = 0;
  header_list headers;
  std::string body;

  /// The first header field of that name, or nothing.
  std::optional<std::string> header(std::string_view name) const;
};

/// Thrown when a call does not succeed: refused, closed, or the deadline passed.
struct client_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One keep-alive connection, made again when the server has closed it. For one thread.
class http_client {
public:
  explicit http_client(std::uint16_t port, std::string host = "127.0.0.1",
                       std::chrono::milliseconds timeout = std::chrono::seconds(20));
  ~http_client();
  http_client(http_client&&) noexcept;
  http_client& operator=(http_client&&) noexcept;

  /// Header fields sent with every request from now on, for example Authorization.
  void always_send(header_list headers);

  /// Sends a request and reads the whole answer. Content-Length is added for a body; without a Content-Type field a
  /// non-empty body is sent as application/json. Throws client_error.
  http_answer request(const std::string& method, const std::string& target, std::string body = {},
                      header_list headers = {});
  http_answer get(const std::string& target, header_list headers = {});
  http_answer head(const std::string& target, header_list headers = {});
  http_answer post(const std::string& target, std::string body = {}, header_list headers = {});
  http_answer put(const std::string& target, std::string body = {}, header_list headers = {});
  http_answer patch(const std::string& target, std::string body, header_list headers = {});
  http_answer del(const std::string& target, header_list headers = {});

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// A plain TCP connection, for tests that care about bytes and timing.
class raw_client {
public:
  explicit raw_client(std::uint16_t port, std::string host = "127.0.0.1",
                      std::chrono::milliseconds timeout = std::chrono::seconds(20));
  /// One that takes small segments into a small buffer, so that a server's writes soon wait when it does not read.
  static raw_client narrow(std::uint16_t port);
  raw_client(raw_client&&) noexcept;
  ~raw_client();

  /// Sends all bytes. False when the server has closed.
  bool send(std::string_view bytes);
  /// Reads until the text read holds `mark`; throws client_error at the end of the stream or of the deadline.
  /// Returns everything up to and with the mark and keeps the rest for later.
  std::string read_until(std::string_view mark);
  /// Reads so many bytes; throws client_error like read_until.
  std::string read_exactly(std::size_t bytes);
  /// Reads until the server closes; throws client_error when the deadline passes first.
  std::string read_to_end();
  /// Reads at least one byte; empty at the end of the stream.
  std::string read_some();
  /// The stream did not end, it was broken off.
  bool was_reset() const noexcept;
  /// Ends our direction of the stream.
  void finish_sending();
  /// Closes at once.
  void close();

private:
  struct impl;
  explicit raw_client(std::unique_ptr<impl> made);
  std::unique_ptr<impl> impl_;
};

/// A WebSocket client for one thread. Pings are answered while a call is reading.
class ws_client {
public:
  /// Connects and upgrades; throws upgrade_refused when the server answers otherwise, client_error for the rest.
  ws_client(std::uint16_t port, const std::string& target, header_list headers = {}, std::string host = "127.0.0.1",
            std::chrono::milliseconds timeout = std::chrono::seconds(20));
  ~ws_client();
  ws_client(ws_client&&) noexcept;
  ws_client& operator=(ws_client&&) noexcept;

  /// Sends one text (or binary) message.
  void send(std::string_view text);
  void send_binary(std::string_view bytes);
  /// The next message, or nothing when the deadline passed (only then may it be called again) or the server closed.
  std::optional<std::string> receive(std::chrono::milliseconds within = std::chrono::seconds(20));
  /// Reads what is left until the server has closed. The close code: 1005 none given, 1006 connection lost; nothing
  /// when the deadline passed first.
  std::optional<std::uint16_t> wait_closed(std::chrono::milliseconds within = std::chrono::seconds(20));
  /// Closes with a code and waits for the server's side.
  void close(std::uint16_t code = 1000);
  /// Number of pings seen.
  std::size_t pings() const noexcept;
  /// True once the connection is over; then the code tells why.
  bool closed() const noexcept;
  std::uint16_t close_code() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// Thrown by ws_client when the upgrade is refused.
struct upgrade_refused : client_error {
  explicit upgrade_refused(http_answer why);
  http_answer answer;
};

} // namespace dr::test
