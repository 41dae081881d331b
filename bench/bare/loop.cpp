#include "bench/bare/loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <thread>

namespace dr::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = beast::http;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;
using frame = std::shared_ptr<const std::string>;

constexpr int inherited_socket = 3;

class push_session;

/// One thread's share.
struct loop {
  asio::io_context context{1};
  std::set<push_session*> sockets;
};

/// What all sessions share; lives as long as the process.
struct shared_parts {
  bhttp::response<bhttp::string_body> answer;
  bare_handler handler;
  std::vector<std::unique_ptr<loop>> loops;
};

/// A WebSocket that is written to; what it says is thrown away.
class push_session : public std::enable_shared_from_this<push_session> {
public:
  push_session(loop& on, tcp::socket&& socket) : loop_(on), socket_(std::move(socket)) { loop_.sockets.insert(this); }
  ~push_session() { loop_.sockets.erase(this); }

  void start(const bhttp::request<bhttp::string_body>& upgrade) {
    socket_.async_accept(upgrade, [self = shared_from_this()](error_code failed) {
      if (!failed) self->read();
    });
  }
  void send(const frame& what) {
    socket_.text(true);
    socket_.async_write(asio::buffer(*what), [self = shared_from_this(), what](error_code, std::size_t) {});
  }

private:
  void read() {
    socket_.async_read(buffer_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed) return;
      self->buffer_.clear();
      self->read();
    });
  }
  loop& loop_;
  beast::websocket::stream<tcp::socket> socket_;
  beast::flat_buffer buffer_;
};

void broadcast(shared_parts& parts, std::string_view target) {
  std::size_t bytes = 0;
  const auto digits = target.substr(target.rfind('/') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), bytes);
  const auto what = std::make_shared<const std::string>(bytes, 'x');
  for (auto& each : parts.loops)
    asio::post(each->context, [&on = *each, what] {
      for (auto* socket : on.sockets) socket->send(what);
    });
}

} // namespace

class bare_session : public std::enable_shared_from_this<bare_session> {
public:
  bare_session(shared_parts& parts, loop& on, tcp::socket&& socket)
      : parts_(parts), loop_(on), socket_(std::move(socket)) {}

  void read() {
    request_ = {};
    bhttp::async_read(socket_, buffer_, request_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed) self->take();
    });
  }
  void answer() {
    answer_ = parts_.answer;
    bhttp::async_write(socket_, answer_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed) self->read();
    });
  }
  asio::io_context& context() { return loop_.context; }

private:
  void take() {
    if (beast::websocket::is_upgrade(request_))
      return std::make_shared<push_session>(loop_, std::move(socket_))->start(request_);
    const std::string_view target(request_.target().data(), request_.target().size());
    if (target.starts_with("/broadcast/")) broadcast(parts_, target);
    const auto key = request_["Idempotency-Key"];
    parts_.handler({target, {key.data(), key.size()}}, reply_port(shared_from_this()));
  }

  shared_parts& parts_;
  loop& loop_;
  tcp::socket socket_;
  beast::flat_buffer buffer_;
  bhttp::request<bhttp::string_body> request_;
  bhttp::response<bhttp::string_body> answer_;
};

reply_port::reply_port(std::shared_ptr<bare_session> to) : to_(std::move(to)) {}
void reply_port::send() const { to_->answer(); }

void reply_port::post(std::vector<reply_port> all) {
  std::map<asio::io_context*, std::vector<reply_port>> by_thread;
  for (auto& one : all) by_thread[&one.to_->context()].push_back(std::move(one));
  for (auto& [context, ports] : by_thread)
    asio::post(*context, [ports = std::move(ports)] {
      for (const auto& one : ports) one.send();
    });
}

namespace {

/// Hands new connections round the threads.
void accept(tcp::acceptor& from, shared_parts& parts, std::size_t next) {
  auto& on = *parts.loops[next % parts.loops.size()];
  from.async_accept(on.context, [&from, &parts, &on, next](error_code failed, tcp::socket socket) {
    if (!failed) {
      socket.set_option(tcp::no_delay(true), failed);
      auto session = std::make_shared<bare_session>(parts, on, std::move(socket));
      asio::post(on.context, [session] { session->read(); });
    }
    accept(from, parts, next + 1);
  });
}

} // namespace

void run_loops(int threads, const bare_answer& answer, const bare_handler& handler) {
  shared_parts parts;
  parts.answer.version(11);
  for (const auto& [name, value] : answer.fields) parts.answer.insert(name, value);
  parts.answer.body() = answer.body;
  parts.answer.prepare_payload();
  parts.handler = handler;
  for (int i = 0; i < threads; ++i) parts.loops.push_back(std::make_unique<loop>());
  tcp::acceptor acceptor(parts.loops.front()->context, tcp::v4(), inherited_socket);
  accept(acceptor, parts, 0);
  std::vector<std::thread> running;
  for (auto& each : parts.loops)
    running.emplace_back([&each] {
      const auto keep = asio::make_work_guard(each->context);
      each->context.run();
    });
  for (auto& one : running) one.join();
}

} // namespace dr::bench
