// The life of a connection: its phases, deadlines and end. How requests are served is in connection_serve.cpp.
#include "http/server/connection.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <cstring>
#include <utility>

namespace dr::http {

namespace {
constexpr std::size_t head_read_bytes = 4 * 1024;
constexpr std::size_t linger_read_bytes = 16 * 1024;
constexpr unsigned longest_burst = 32;
constexpr std::chrono::seconds longest_body_pause{1}; // a client that stalls must not hold up a handover

bool was_cancelled(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const boost::system::system_error& failed) {
    return failed.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}
} // namespace

connection::connection(worker& home, tcp_socket socket, ticket place, purpose why)
    : home_(home), state_(home.state), socket_(std::move(socket)), place_(std::move(place)), purpose_(why) {}

void connection::inherit(std::string_view unread) {
  first_ = false;
  if (unread.empty()) return;
  const auto room = input_.prepare(unread.size());
  std::memcpy(room.data(), unread.data(), unread.size());
  input_.commit(unread.size());
}

void connection::start() {
  home_.watch(*this);
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  const auto peer = socket_.remote_endpoint(ignored);
  peer_ = peer.address().to_string(ignored);
  request_.peer_address = peer_;
  request_.peer_port = peer.port();
  request_.peer_is_loopback = peer.address().is_loopback();
  request_.executor = socket_.get_executor();
  auto ended = [self = shared_from_this()](std::exception_ptr why) {
    if (why && !was_cancelled(why)) spdlog::error("a connection ended by an unexpected exception");
  };
  auto life = purpose_ == purpose::serve ? run() : refuse();
  asio::co_spawn(socket_.get_executor(), std::move(life),
                 asio::bind_cancellation_slot(cancel_.slot(), std::move(ended)));
}

void connection::arm(phase next, std::chrono::milliseconds timeout) {
  phase_ = next;
  deadline_ = steady::now() + timeout;
  timed_out_ = false;
}

void connection::arm_application() {
  arm(phase::application, state_.options.handler_timeout);
  request_.deadline = deadline_;
}

void connection::tick(steady::time_point now) {
  if (now < deadline_) return;
  const bool again = std::exchange(timed_out_, true);
  if (phase_ != phase::application) {
    error_code ignored;
    socket_.cancel(ignored); // again at the next tick, should it have come between two operations
  } else if (!again) {
    cancel_.emit(asio::cancellation_type::terminal);
  }
}

void connection::drain() {
  error_code ignored;
  const bool waiting = phase_ == phase::idle || phase_ == phase::header;
  if (state_.handing_over) {
    if (waiting) socket_.cancel(ignored);
  } else if (phase_ == phase::idle) {
    deadline_ = std::min(deadline_, steady::now() + state_.options.stop_idle_grace);
  }
}

bool connection::unsettled(steady::time_point now) const noexcept {
  if (request_.verb == method::get || request_.verb == method::head) return false;
  const bool arriving = phase_ == phase::body && now < deadline_ - state_.options.body_timeout + longest_body_pause;
  return phase_ == phase::application || arriving;
}

bool connection::abort() {
  const bool busy = phase_ != phase::idle && phase_ != phase::linger;
  aborted_ = true;
  if (in_pieces_) reset_socket();
  error_code ignored;
  socket_.close(ignored);
  cancel_.emit(asio::cancellation_type::terminal);
  return busy;
}

asio::awaitable<void> connection::run() {
  for (;;) {
    if (!co_await read_head()) {
      if (giving_) give_away();
      break;
    }
    const bool keep = co_await serve();
    if (upgrade_) {
      hand_over();
      co_return;
    }
    finish_request();
    if (!keep) {
      co_await linger();
      break;
    }
    if (++burst_ < longest_burst) continue;
    burst_ = 0; // a client with a long pipeline must not keep the thread for itself
    co_await asio::post(socket_.get_executor(), asio::use_awaitable);
  }
  error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> connection::refuse() {
  reply answer = state_.render(503, "the server has as many connections as it can take, try again soon", nullptr);
  answer.with("Retry-After", std::to_string(state_.options.retry_after.count()));
  answer.chunks = nullptr;
  const bool written = co_await write(answer, reply_framing{});
  if (written) co_await linger();
  error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<std::size_t> connection::read_some(std::size_t most, error_code& ec) {
  burst_ = 0;
  return socket_.async_read_some(input_.prepare(most), asio::redirect_error(asio::use_awaitable, ec));
}

/// Servers should bear empty lines before a request line (RFC 9112, 2.2).
void connection::skip_blank_lines() {
  for (;;) {
    const auto data = input_.cdata();
    if (data.size() < 2 || std::memcmp(data.data(), "\r\n", 2) != 0) return;
    input_.consume(2);
  }
}

/// True: a request is there, or a fault to tell the client. False: nothing more to do.
asio::awaitable<bool> connection::read_head() {
  const auto& options = state_.options;
  reader_.emplace(options, memory_);
  fault_ = {};
  arm(phase::idle, first_ ? options.header_timeout : options.idle_timeout);
  first_ = false;
  giving_ = state_.handing_over; // before what a pipelining client has sent already
  while (!giving_) {
    if (!reader_->got_some()) skip_blank_lines();
    if (input_.size() > 0) {
      if (phase_ == phase::idle) arm(phase::header, options.header_timeout);
      error_code ec;
      input_.consume(reader_->put(input_.cdata(), ec));
      if (ec && ec != boost::beast::http::error::need_more) fault_ = reader_->explain(ec);
      if (fault_ || (!ec && reader_->is_header_done())) co_return true;
      if (!ec) continue;
    }
    if (state_.handing_over) giving_ = true;
    if (giving_) break;
    if (phase_ == phase::idle && state_.stopping) drain();
    error_code ec;
    const auto bytes = co_await read_some(head_read_bytes, ec);
    input_.commit(bytes);
    if (!ec) continue;
    giving_ = ec == asio::error::operation_aborted && !timed_out_ && !aborted_ && state_.handing_over;
    if (giving_) break;
    if (ec != asio::error::operation_aborted || !timed_out_ || phase_ == phase::idle) co_return false;
    fault_ = {408, "the request did not arrive in time"};
    co_return true;
  }
  co_return false;
}

/// What was read and not served goes along; what has not been read stays in the socket.
void connection::give_away() {
  std::string unread = reader_->head_so_far();
  const auto rest = input_.cdata();
  unread.append(static_cast<const char*>(rest.data()), rest.size());
  error_code failed;
  const int descriptor = socket_.release(failed);
  if (!failed) state_.give(descriptor, std::move(unread));
}

void connection::finish_request() {
  request_.reset();
  reader_.reset();
  match_ = {};
  continued_ = false;
  // One large request must not make an idle connection expensive.
  if (input_.size() == 0 && input_.capacity() > 2 * head_read_bytes) input_ = {};
  if (head_.capacity() > head_read_bytes) head_ = {};
}

/// Closing with input unread would reset the connection and may destroy the answer before the client has read it.
asio::awaitable<void> connection::linger() {
  error_code ec;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  arm(phase::linger, state_.options.linger_timeout);
  while (!ec && !timed_out_) {
    input_.clear();
    co_await read_some(linger_read_bytes, ec);
  }
}

} // namespace dr::http
