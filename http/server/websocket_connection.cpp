// A WebSocket session on Beast's stream, written with plain completion handlers: an idle session holds one pending
// read and no coroutine frame, no timer and no write buffer.
#include "http/server/websocket_connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace dr::http {

namespace {

namespace beast = boost::beast;
namespace ws = boost::beast::websocket;

constexpr std::size_t first_read_bytes = 512; // the read buffer of an idle session
constexpr std::size_t next_read_bytes = 4 * 1024;
constexpr std::size_t longest_reason = 123;
constexpr std::size_t idle_capacity = 4; // frames; more room is given back when the queue is empty

using upgrade_request = beast::http::request<beast::http::empty_body>;

upgrade_request to_beast(const request_context& request) {
  upgrade_request made;
  made.method(beast::http::verb::get);
  made.target(beast::string_view(request.target.data(), request.target.size()));
  made.version(11);
  for (const auto& field : request.headers)
    made.insert(beast::string_view(field.name.data(), field.name.size()),
                beast::string_view(field.value.data(), field.value.size()));
  return made;
}

std::uint64_t next_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

/// The code that tells why a read failed, when we did not close ourselves.
std::uint16_t code_of(const error_code& why, const ws::close_reason& peer) {
  if (why == ws::error::closed) return peer.code == ws::close_code::none ? close_code::none : peer.code;
  if (why == ws::error::message_too_big || why == ws::error::buffer_overflow) return close_code::too_big;
  if (why == ws::error::bad_frame_payload) return close_code::bad_payload;
  return close_code::abnormal;
}

std::string fitting(std::string reason) {
  while (reason.size() > longest_reason || !valid_utf8(reason)) reason.pop_back();
  return reason;
}

class session final : public websocket_session, public watched, public std::enable_shared_from_this<session> {
public:
  session(worker& home, tcp_socket socket, ticket place, websocket_callbacks callbacks)
      : keep_(home.state.owner.lock()), home_(home), options_(home.state.options.websocket), place_(std::move(place)),
        open_place_(std::in_place, home.state, &server_state::websockets), callbacks_(std::move(callbacks)),
        stream_(std::move(socket)) {}

  void start(const request_context& request);

  bool send(websocket_frame frame) override;
  void close(std::uint16_t code, std::string reason) override;
  bool is_open() const noexcept override { return !closed_; }
  std::uint64_t id() const noexcept override { return id_; }

  std::shared_ptr<void> hold() override { return shared_from_this(); }
  void tick(steady::time_point now) override;
  void drain() override { close(close_code::service_restart, "service restart"); }
  bool abort() override;
  bool unsettled(steady::time_point) const noexcept override { return false; }

private:
  void on_accepted(error_code failed);
  void read();
  void on_read(error_code failed, std::size_t bytes);
  void deliver(std::string_view text);
  void pump();
  void on_written(error_code failed, std::size_t bytes);
  void ping(steady::time_point now);
  void begin_close(std::uint16_t code, std::string reason);
  void say_goodbye(std::string reason);
  void finish(std::uint16_t code);
  bool shut() noexcept;
  template <class Fn> void guarded(const char* what, Fn&& call);

  const std::shared_ptr<void> keep_; // goes last: our stream's io_context must outlive it, whoever holds us
  worker& home_;
  const websocket_options& options_;
  std::optional<ticket> place_;
  std::optional<ticket> open_place_;
  const std::uint64_t id_ = next_id();
  websocket_callbacks callbacks_;
  ws::stream<tcp_socket, false> stream_; // false: without compression

  // On the io thread only.
  bool opened_ = false;
  bool closing_ = false;
  bool finished_ = false;
  bool pinging_ = false;
  std::uint16_t code_ = close_code::abnormal;
  steady::time_point heard_ = steady::now();
  steady::time_point next_ping_ = heard_ + options_.ping_interval;
  steady::time_point close_deadline_ = heard_ + home_.state.options.write_timeout;
  std::array<char, first_read_bytes> first_; // NOLINT: written by reads
  std::string message_;
  std::vector<websocket_frame> batch_; // being written, from `at_` on
  std::size_t at_ = 0;

  // From any thread.
  std::atomic<bool> closed_{false};
  std::mutex mutex_;
  std::vector<websocket_frame> queue_;
  std::size_t frames_ = 0; // in queue_ and batch_
  std::size_t bytes_ = 0;
  bool pumping_ = false;
};

template <class Fn> void session::guarded(const char* what, Fn&& call) {
  try {
    call();
    return;
  } catch (const std::exception& why) {
    spdlog::error("websocket {}: {} failed: {}", id_, what, why.what());
  } catch (...) {
    spdlog::error("websocket {}: {} failed by an unknown exception", id_, what);
  }
  close(close_code::internal_error, "internal error");
}

void session::start(const request_context& request) {
  home_.watch(*this);
  stream_.auto_fragment(false);
  stream_.read_message_max(options_.max_message_bytes);
  stream_.text(true);
  stream_.control_callback([this](ws::frame_type, beast::string_view) { heard_ = steady::now(); });
  stream_.set_option(ws::stream_base::decorator([&name = home_.state.options.server_name](ws::response_type& answer) {
    answer.set(beast::http::field::server, beast::string_view(name.data(), name.size()));
  }));
  stream_.async_accept(to_beast(request),
                       [self = shared_from_this()](error_code failed) { self->on_accepted(failed); });
}

void session::on_accepted(error_code failed) {
  if (failed || finished_) return finish(code_);
  if (closing_) return say_goodbye({}); // it was told to close before it was open
  opened_ = true;
  heard_ = steady::now();
  next_ping_ = heard_ + options_.ping_interval;
  guarded("on_open", [this] {
    if (callbacks_.on_open) callbacks_.on_open(shared_from_this());
  });
  if (home_.state.stopping || home_.state.handing_over) drain();
  read();
}

void session::read() {
  auto done = [self = shared_from_this()](error_code failed, std::size_t bytes) { self->on_read(failed, bytes); };
  if (message_.empty()) return stream_.async_read_some(asio::buffer(first_), std::move(done));
  const auto before = message_.size();
  message_.resize(before + next_read_bytes);
  stream_.async_read_some(asio::buffer(message_.data() + before, next_read_bytes), std::move(done));
}

void session::on_read(error_code failed, std::size_t bytes) {
  if (failed || finished_) return finish(closing_ ? code_ : code_of(failed, stream_.reason()));
  heard_ = steady::now();
  const bool done = stream_.is_message_done();
  if (stream_.got_binary()) {
    close(close_code::unknown_data, "text messages only");
    message_.clear();
  } else if (message_.empty() && done) {
    deliver({first_.data(), bytes}); // the usual case: one small message, no copy
  } else {
    if (message_.empty())
      message_.assign(first_.data(), bytes);
    else
      message_.resize(message_.size() - next_read_bytes + bytes);
    if (done) {
      deliver(message_);
      message_ = {};
    }
  }
  read();
}

void session::deliver(std::string_view text) {
  if (closed_ || !callbacks_.on_message) return;
  guarded("on_message", [&] { callbacks_.on_message(shared_from_this(), text); });
}

bool session::shut() noexcept {
  const std::scoped_lock lock(mutex_);
  if (closed_.exchange(true)) return false;
  queue_ = {};
  return true;
}

bool session::send(websocket_frame frame) {
  const auto size = frame.size();
  bool full = false;
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return false;
    // One message may be larger than the bound, or it could never be sent at all.
    full = frames_ >= options_.max_queue_frames || (frames_ > 0 && bytes_ + size > options_.max_queue_bytes);
    if (!full) {
      queue_.push_back(std::move(frame));
      ++frames_;
      bytes_ += size;
      wake = !std::exchange(pumping_, true);
    }
  }
  if (full) close(close_code::try_again_later, "reading too slowly");
  if (wake) asio::post(stream_.get_executor(), [self = shared_from_this()] { self->pump(); });
  return !full;
}

void session::pump() {
  if (closing_ || finished_) return;
  if (at_ == batch_.size()) {
    batch_.clear();
    at_ = 0;
    const std::scoped_lock lock(mutex_);
    if (queue_.empty()) {
      pumping_ = false;
      if (batch_.capacity() > idle_capacity) batch_ = {};
      if (queue_.capacity() > idle_capacity) queue_ = {};
      return;
    }
    batch_.swap(queue_);
  }
  const auto& frame = batch_[at_];
  const std::array<asio::const_buffer, 2> parts{frame.head ? asio::buffer(*frame.head) : asio::const_buffer(),
                                                asio::buffer(frame.tail)};
  stream_.async_write(
      parts, [self = shared_from_this()](error_code failed, std::size_t bytes) { self->on_written(failed, bytes); });
}

void session::on_written(error_code failed, std::size_t bytes) {
  if (failed) {
    if (!closing_) finish(close_code::abnormal);
    return;
  }
  batch_[at_++] = {}; // shared frames are let go as soon as they are out
  {
    const std::scoped_lock lock(mutex_);
    --frames_;
    bytes_ -= bytes;
  }
  pump();
}

void session::ping(steady::time_point now) {
  next_ping_ = now + options_.ping_interval;
  if (std::exchange(pinging_, true)) return; // the last one is not out yet
  stream_.async_ping({}, [self = shared_from_this()](error_code) { self->pinging_ = false; });
}

void session::tick(steady::time_point now) {
  if (finished_) return;
  if (!opened_ || closing_) {
    if (now >= close_deadline_) finish(code_);
  } else if (now - heard_ >= options_.silence_timeout) {
    close(close_code::going_away, "no answer to ping");
  } else if (now >= next_ping_) {
    ping(now);
  }
}

void session::close(std::uint16_t code, std::string reason) {
  if (!shut()) return;
  asio::post(stream_.get_executor(), [self = shared_from_this(), code, text = std::move(reason)]() mutable {
    self->begin_close(code, std::move(text));
  });
}

void session::begin_close(std::uint16_t code, std::string reason) {
  if (closing_ || finished_) return;
  closing_ = true;
  code_ = code;
  close_deadline_ = steady::now() + options_.close_timeout;
  if (opened_) say_goodbye(std::move(reason)); // else when it has been accepted; the tick ends what takes too long
}

void session::say_goodbye(std::string reason) {
  const ws::close_reason why(static_cast<ws::close_code>(code_), fitting(std::move(reason)));
  stream_.async_close(why, [self = shared_from_this()](error_code) { self->finish(self->code_); });
}

void session::finish(std::uint16_t code) {
  if (std::exchange(finished_, true)) return;
  unlink(); // here, on its own thread: whoever holds the session last may let go of it on another one
  shut();
  error_code ignored;
  stream_.next_layer().close(ignored);
  open_place_.reset(); // here and not on destruction: the application may still hold the session
  place_.reset();
  const auto callbacks = std::move(callbacks_);
  callbacks_ = {};
  if (!opened_ || !callbacks.on_close) return;
  guarded("on_close", [&] { callbacks.on_close(shared_from_this(), code); });
}

bool session::abort() {
  const bool cut = !finished_;
  finish(closing_ ? code_ : close_code::service_restart);
  return cut;
}

} // namespace

void start_websocket(worker& home, tcp_socket socket, ticket place, const request_context& request,
                     websocket_callbacks callbacks) {
  std::make_shared<session>(home, std::move(socket), std::move(place), std::move(callbacks))->start(request);
}

} // namespace dr::http
