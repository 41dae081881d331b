// One HTTP connection: reads requests one after the other, has them answered, and writes the answers in order.
#pragma once

#include "http/server/reply_head.hpp"
#include "http/server/request_reader.hpp"
#include "http/server/runtime.hpp"
#include "http/server/websocket.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <array>
#include <memory>
#include <optional>

namespace dr::http {

class connection final : public watched, public std::enable_shared_from_this<connection>, private body_source {
public:
  /// What it does with the socket: serve it, or say 503 and close it.
  enum class purpose : unsigned char { serve, refuse };

  connection(worker& home, tcp_socket socket, ticket place, purpose why);
  /// Before the start: the connection was another server's, which had read this and not served it.
  void inherit(std::string_view unread);
  /// Starts it; on the worker's thread.
  void start();

  std::shared_ptr<void> hold() override { return shared_from_this(); }
  void tick(steady::time_point now) override;
  void drain() override;
  bool abort() override;
  bool unsettled(steady::time_point now) const noexcept override;

private:
  template <class T = void> using awaitable = asio::awaitable<T>;
  enum class phase : unsigned char { idle, header, body, application, write, linger };
  enum class progress : unsigned char { done, need_input, failed };
  enum class part : unsigned char { admission, endpoint }; ///< of the application
  /// Up to three buffers under way to the socket.
  struct outgoing {
    std::array<asio::const_buffer, 3> parts;
    std::size_t left() const noexcept { return parts[0].size() + parts[1].size() + parts[2].size(); }
    void consume(std::size_t bytes) noexcept;
  };

  awaitable<> run();
  awaitable<> refuse();
  awaitable<bool> read_head();
  awaitable<bool> serve();
  awaitable<> read_body();
  awaitable<std::optional<reply>> run_application(part what);
  awaitable<reply> endpoint();
  awaitable<reply> upgrade_endpoint();
  awaitable<bool> write(reply& answer, const reply_framing& framing);
  awaitable<bool> write_chunks(reply& answer, bool chunked);
  awaitable<bool> write_rest(outgoing& data);
  awaitable<bool> make_chunk(reply& answer, std::optional<std::string>& piece);
  awaitable<bool> send(outgoing data);
  awaitable<bool> invite_body();
  awaitable<> linger();
  awaitable<result<std::optional<std::string>>> next_chunk() override;
  awaitable<std::size_t> read_some(std::size_t most, error_code& ec);

  fault prepare();
  fault prepare_body(bool refused);
  reply render(fault why);
  reply no_route();
  reply_framing frame(const reply& answer) const;
  progress parse_body();
  error body_error() const;
  bool write_now(outgoing& data);
  void arm(phase next, std::chrono::milliseconds timeout);
  void arm_application();
  void skip_blank_lines();
  void hand_over();
  void give_away();
  void reset_socket();
  void finish_request();

  worker& home_;
  server_state& state_;
  tcp_socket socket_;
  ticket place_;
  asio::cancellation_signal cancel_;
  purpose purpose_;
  phase phase_ = phase::idle;
  bool timed_out_ = false;
  bool aborted_ = false;
  bool unread_ = false;    // the body is left where it is: nobody takes it, and it is not known to be small
  bool in_pieces_ = false; // an answer in pieces has begun, and its end has not been sent
  bool first_ = true;
  bool giving_ = false;    // read_head() ended because the connection is to be given away
  bool continued_ = false; // "100 Continue" was sent for this request
  unsigned burst_ = 0;     // requests served since the last wait for input
  steady::time_point deadline_;
  steady::time_point started_;
  fault fault_;
  std::optional<request_reader> reader_;
  boost::beast::flat_buffer input_;
  request_memory memory_;
  std::string head_;
  std::string peer_;
  request_context request_;
  router::match match_;
  std::optional<websocket_callbacks> upgrade_;
};

} // namespace dr::http
