#include "tests/support/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <algorithm>
#include <limits>
#include <netinet/tcp.h>

namespace dr::test {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
namespace ws = boost::beast::websocket;
using error_code = boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr std::uint16_t no_code = 1005;
constexpr std::uint16_t lost = 1006;
/// The parser asks for as many bytes at once as its buffer has room for, and for 512 if nobody made room.
constexpr std::size_t read_bytes = std::size_t{64} * 1024;

bool same(std::string_view left, std::string_view right) {
  return beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

bool has(const header_list& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& each) { return same(each.first, name); });
}

/// Runs one asynchronous operation to its end; `begin` gets a setter for the outcome.
template <class Begin> error_code run(asio::io_context& context, Begin&& begin) {
  error_code outcome = asio::error::would_block;
  begin([&outcome](error_code failed) { outcome = failed; });
  context.restart();
  context.run();
  return outcome;
}

void check(const error_code& failed, const std::string& what) {
  if (failed) throw client_error(what + ": " + failed.message());
}

asio::ip::tcp::endpoint endpoint(const std::string& host, std::uint16_t port) {
  return {asio::ip::make_address(host), port};
}

http_answer to_answer(bhttp::response<bhttp::string_body>&& received) {
  http_answer answer;
  answer.status = received.result_int();
  for (const auto& field : received)
    answer.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  answer.body = std::move(received.body());
  return answer;
}

} // namespace

std::optional<std::string> http_answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (same(key, name)) return value;
  return std::nullopt;
}

upgrade_refused::upgrade_refused(http_answer why)
    : client_error("the upgrade was refused with status " + std::to_string(why.status)), answer(std::move(why)) {}

struct http_client::impl {
  impl(std::uint16_t to, std::string at, milliseconds patience) : port(to), host(std::move(at)), timeout(patience) {}

  void connect() {
    stream.emplace(context);
    buffer.clear();
    buffer.reserve(read_bytes);
    stream->expires_after(timeout);
    check(run(context, [&](auto done) { stream->async_connect(endpoint(host, port), done); }), "connect");
    stream->socket().set_option(asio::ip::tcp::no_delay(true));
  }

  /// A part of the exchange that failed; the answer is in `parser`.
  error_code exchange(const bhttp::request<bhttp::string_body>& message) {
    stream->expires_after(timeout);
    parser.emplace();
    parser->body_limit(std::numeric_limits<std::uint64_t>::max());
    if (message.method() == bhttp::verb::head) parser->skip(true);
    const auto sent = run(context, [&](auto done) {
      bhttp::async_write(*stream, message, [done](error_code failed, std::size_t) { done(failed); });
    });
    // Also after a failed write: the server may have answered before it had read everything.
    const auto read = run(context, [&](auto done) {
      bhttp::async_read(*stream, buffer, *parser, [done](error_code failed, std::size_t) { done(failed); });
    });
    return read && sent ? sent : read;
  }

  std::uint16_t port;
  std::string host;
  milliseconds timeout;
  header_list always;
  asio::io_context context;
  std::optional<beast::tcp_stream> stream;
  std::optional<bhttp::response_parser<bhttp::string_body>> parser;
  beast::flat_buffer buffer;
};

http_client::http_client(std::uint16_t port, std::string host, milliseconds timeout)
    : impl_(std::make_unique<impl>(port, std::move(host), timeout)) {}
http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;
http_client& http_client::operator=(http_client&&) noexcept = default;

void http_client::always_send(header_list headers) { impl_->always = std::move(headers); }

http_answer http_client::request(const std::string& method, const std::string& target, std::string body,
                                 header_list headers) {
  auto& self = *impl_;
  headers.insert(headers.end(), self.always.begin(), self.always.end());
  bhttp::request<bhttp::string_body> message;
  message.method_string(method);
  message.target(target);
  message.version(11);
  for (const auto& [name, value] : headers) message.insert(name, value);
  if (!has(headers, "Host")) message.set(bhttp::field::host, self.host + ":" + std::to_string(self.port));
  if (!body.empty() && !has(headers, "Content-Type")) message.set(bhttp::field::content_type, "application/json");
  const bool bodied = !body.empty() || (method != "GET" && method != "HEAD");
  message.body() = std::move(body);
  if (bodied) message.content_length(message.body().size());
  const bool reused = self.stream.has_value();
  if (!reused) self.connect();
  auto failed = self.exchange(message);
  if (failed && reused && failed != beast::error::timeout) { // an idle connection that the server had closed
    self.connect();
    failed = self.exchange(message);
  }
  if (failed) {
    self.stream.reset();
    check(failed, method + " " + target);
  }
  const bool keep = self.parser->get().keep_alive();
  auto answer = to_answer(self.parser->release());
  if (!keep) self.stream.reset();
  return answer;
}

http_answer http_client::get(const std::string& target, header_list headers) {
  return request("GET", target, {}, std::move(headers));
}
http_answer http_client::head(const std::string& target, header_list headers) {
  return request("HEAD", target, {}, std::move(headers));
}
http_answer http_client::post(const std::string& target, std::string body, header_list headers) {
  return request("POST", target, std::move(body), std::move(headers));
}
http_answer http_client::put(const std::string& target, std::string body, header_list headers) {
  return request("PUT", target, std::move(body), std::move(headers));
}
http_answer http_client::patch(const std::string& target, std::string body, header_list headers) {
  return request("PATCH", target, std::move(body), std::move(headers));
}
http_answer http_client::del(const std::string& target, header_list headers) {
  return request("DELETE", target, {}, std::move(headers));
}

struct raw_client::impl {
  asio::io_context context;
  beast::tcp_stream stream{context};
  bool reset = false;
  milliseconds timeout;
  std::string buffer;

  void connect(const asio::ip::tcp::endpoint& where, milliseconds patience) {
    timeout = patience;
    stream.expires_after(timeout);
    check(run(context, [&](auto done) { stream.async_connect(where, done); }), "connect");
    stream.socket().set_option(asio::ip::tcp::no_delay(true));
  }
};

raw_client::raw_client(std::uint16_t port, std::string host, milliseconds timeout) : impl_(std::make_unique<impl>()) {
  impl_->connect(endpoint(host, port), timeout);
}
raw_client::raw_client(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
raw_client::raw_client(raw_client&&) noexcept = default;
raw_client::~raw_client() = default;

raw_client raw_client::narrow(std::uint16_t port) {
  using segment_size = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_MAXSEG>;
  auto made = std::make_unique<impl>();
  auto& socket = made->stream.socket();
  socket.open(asio::ip::tcp::v4());
  socket.set_option(asio::socket_base::receive_buffer_size(2048));
  socket.set_option(segment_size(536));
  made->connect(endpoint("127.0.0.1", port), std::chrono::seconds(20));
  return raw_client(std::move(made));
}

bool raw_client::send(std::string_view bytes) {
  impl_->stream.expires_after(impl_->timeout);
  const auto failed = run(impl_->context, [&](auto done) {
    asio::async_write(impl_->stream, asio::buffer(bytes), [done](error_code why, std::size_t) { done(why); });
  });
  return !failed;
}

std::string raw_client::read_until(std::string_view mark) {
  for (;;) {
    const auto at = impl_->buffer.find(mark);
    if (at != std::string::npos) {
      auto found = impl_->buffer.substr(0, at + mark.size());
      impl_->buffer.erase(0, at + mark.size());
      return found;
    }
    auto more = read_some();
    if (more.empty()) throw client_error("the stream ended after: " + impl_->buffer);
    impl_->buffer += more;
  }
}

std::string raw_client::read_exactly(std::size_t bytes) {
  while (impl_->buffer.size() < bytes) {
    auto more = read_some();
    if (more.empty()) throw client_error("the stream ended after: " + impl_->buffer);
    impl_->buffer += more;
  }
  auto found = impl_->buffer.substr(0, bytes);
  impl_->buffer.erase(0, bytes);
  return found;
}

std::string raw_client::read_some() {
  std::string piece(64 * 1024, '\0');
  std::size_t bytes = 0;
  impl_->stream.expires_after(impl_->timeout);
  const auto failed = run(impl_->context, [&](auto done) {
    impl_->stream.async_read_some(asio::buffer(piece), [done, &bytes](error_code why, std::size_t got) {
      bytes = got;
      done(why);
    });
  });
  impl_->reset = failed == asio::error::connection_reset;
  if (failed == asio::error::eof || impl_->reset) return {};
  check(failed, "read");
  piece.resize(bytes);
  return piece;
}

bool raw_client::was_reset() const noexcept { return impl_->reset; }

std::string raw_client::read_to_end() {
  auto all = std::exchange(impl_->buffer, {});
  for (auto more = read_some(); !more.empty(); more = read_some()) all += more;
  return all;
}

void raw_client::finish_sending() {
  error_code ignored;
  impl_->stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void raw_client::close() {
  error_code ignored;
  impl_->stream.socket().close(ignored);
}

struct ws_client::impl {
  asio::io_context context;
  ws::stream<beast::tcp_stream> stream{context};
  beast::flat_buffer buffer;
  milliseconds timeout{};
  std::size_t pings = 0;
  bool reading = false;
  bool over = false;
  std::optional<error_code> read_done;
  std::uint16_t code = lost;

  /// Keeps one read under way, so that a deadline that passes does not end the connection.
  bool read_within(milliseconds within) {
    if (over) return false;
    if (!std::exchange(reading, true)) {
      read_done.reset();
      stream.async_read(buffer, [this](error_code failed, std::size_t) { read_done = failed; });
    }
    const auto until = std::chrono::steady_clock::now() + within;
    context.restart();
    while (!read_done && context.run_one_until(until) > 0) {}
    if (!read_done) return false;
    reading = false;
    if (*read_done) {
      over = true;
      if (*read_done == ws::error::closed)
        code = stream.reason().code == ws::close_code::none ? no_code : stream.reason().code;
      return false;
    }
    return true;
  }

  void finish_writing(const std::string& what, const std::optional<error_code>& done) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    context.restart();
    while (!done && context.run_one_until(until) > 0) {}
    if (!done) throw client_error(what + ": the deadline passed");
    check(*done, what);
  }
};

ws_client::ws_client(std::uint16_t port, const std::string& target, header_list headers, std::string host,
                     milliseconds timeout)
    : impl_(std::make_unique<impl>()) {
  auto& self = *impl_;
  self.timeout = timeout;
  auto& lowest = beast::get_lowest_layer(self.stream);
  lowest.expires_after(timeout);
  check(run(self.context, [&](auto done) { lowest.async_connect(endpoint(host, port), done); }), "connect");
  self.stream.set_option(ws::stream_base::decorator([&headers](ws::request_type& request) {
    for (const auto& [name, value] : headers) request.set(name, value);
  }));
  self.stream.control_callback([&self](ws::frame_type kind, beast::string_view) {
    if (kind == ws::frame_type::ping) ++self.pings;
  });
  ws::response_type answer;
  const auto failed = run(self.context, [&](auto done) {
    self.stream.async_handshake(answer, host + ":" + std::to_string(port), target, done);
  });
  if (failed == ws::error::upgrade_declined) throw upgrade_refused(to_answer(std::move(answer)));
  check(failed, "upgrade");
  lowest.expires_never();
  self.stream.read_message_max(256 * 1024 * 1024);
}
ws_client::~ws_client() = default;
ws_client::ws_client(ws_client&&) noexcept = default;
ws_client& ws_client::operator=(ws_client&&) noexcept = default;

void ws_client::send(std::string_view text) {
  impl_->stream.text(true);
  std::optional<error_code> done;
  impl_->stream.async_write(asio::buffer(text), [&done](error_code failed, std::size_t) { done = failed; });
  impl_->finish_writing("send", done);
}

void ws_client::send_binary(std::string_view bytes) {
  impl_->stream.binary(true);
  std::optional<error_code> done;
  impl_->stream.async_write(asio::buffer(bytes), [&done](error_code failed, std::size_t) { done = failed; });
  impl_->finish_writing("send", done);
}

std::optional<std::string> ws_client::receive(milliseconds within) {
  if (!impl_->read_within(within)) return std::nullopt;
  auto text = beast::buffers_to_string(impl_->buffer.data());
  impl_->buffer.clear();
  return text;
}

std::optional<std::uint16_t> ws_client::wait_closed(milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (!impl_->over) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= milliseconds::zero()) return std::nullopt;
    if (impl_->read_within(left)) impl_->buffer.clear();
  }
  return impl_->code;
}

void ws_client::close(std::uint16_t code) {
  std::optional<error_code> done;
  impl_->stream.async_close(static_cast<ws::close_code>(code), [&done](error_code failed) { done = failed; });
  const auto until = std::chrono::steady_clock::now() + impl_->timeout;
  impl_->context.restart();
  while (!done && impl_->context.run_one_until(until) > 0) {}
  if (!done) throw client_error("close: the deadline passed");
  impl_->over = true;
  impl_->code = code;
}

std::size_t ws_client::pings() const noexcept { return impl_->pings; }
bool ws_client::closed() const noexcept { return impl_->over; }
std::uint16_t ws_client::close_code() const noexcept { return impl_->code; }

} // namespace dr::test
