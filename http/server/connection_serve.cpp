// How one request is served: checks, body, handler, answer.
#include "http/server/connection.hpp"
#include "http/server/websocket_connection.hpp"

#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace dr::http {

namespace {
constexpr std::size_t body_read_bytes = 64 * 1024;
constexpr std::size_t small_read_bytes = 4 * 1024;
constexpr std::size_t most_for_nobody = 16 * 1024; // of a body that no route takes
constexpr std::size_t longest_chunk_header = 16 * 1024;
constexpr unsigned switching_protocols = 101;

asio::const_buffer view(std::string_view text) noexcept { return {text.data(), text.size()}; }
} // namespace

/// True when the connection stays open for the next request.
asio::awaitable<bool> connection::serve() {
  started_ = steady::now();
  std::optional<reply> answer;
  if (!fault_) fault_ = prepare();
  const bool readable = !fault_;
  if (!fault_ && state_.hooks.admit) answer = co_await run_application(part::admission);
  const bool refused = answer.has_value();
  if (!fault_) fault_ = prepare_body(refused);
  if (!fault_ && !request_.stream && !unread_ && !reader_->is_done()) co_await read_body();
  if (aborted_) co_return false;
  if (!fault_ && !refused) answer = co_await run_application(part::endpoint);
  if (fault_ && !refused) answer = render(fault_);
  if (upgrade_) co_return true;
  if (readable && state_.hooks.complete) state_.hooks.complete(request_, *answer);
  const auto framing = frame(*answer);
  const bool written = co_await write(*answer, framing);
  ++state_.requests;
  if (state_.hooks.observe) state_.hooks.observe(request_, answer->status, steady::now() - started_);
  co_return written&& framing.keep;
}

fault connection::prepare() {
  if (const auto wrong = reader_->describe(request_)) return wrong;
  if (request_.target == "*" && request_.verb != method::options) return {400, "the request target is not a path"};
  if (const auto parsed = request_.parse_target(request_.target); !parsed) {
    spdlog::debug("a request target was refused: {}", parsed.error().detail);
    return {400, "the request target is malformed: percent-encode it as UTF-8"};
  }
  match_ = state_.routes.find(request_);
  request_.matched = match_.found;
  return {};
}

/// Only who was admitted to a route that takes bodies may send a large one.
fault connection::prepare_body(bool refused) {
  const auto* row = refused ? nullptr : match_.found;
  if (!row) {
    reader_->limit_body(most_for_nobody);
    unread_ = !reader_->is_done() && (!reader_->announces_little() || reader_->expects_continue());
    return {};
  }
  unread_ = false;
  if (row->max_body_bytes)
    reader_->limit_body(*row->max_body_bytes);
  else if (!row->streaming)
    reader_->limit_body(state_.options.max_body_bytes);
  if (reader_->announces_too_much()) return {413, "the body is larger than this resource takes"};
  if (row->streaming) request_.stream = this;
  return {};
}

/// Parses what has been read.
connection::progress connection::parse_body() {
  reader_->eager(true);
  if (reader_->is_done()) return progress::done;
  if (input_.size() == 0) return progress::need_input;
  error_code ec;
  input_.consume(reader_->put(input_.cdata(), ec));
  if (ec == boost::beast::http::error::need_more) {
    if (input_.size() <= longest_chunk_header) return progress::need_input;
    fault_ = {400, "a chunk header is too long"};
    return progress::failed;
  }
  if (ec) {
    fault_ = reader_->explain(ec);
    return progress::failed;
  }
  return reader_->is_done() ? progress::done : progress::need_input;
}

/// Reads a whole body into the request; sets fault_ when that fails.
asio::awaitable<void> connection::read_body() {
  arm(phase::body, state_.options.body_timeout);
  for (;;) {
    const auto at = parse_body();
    if (at == progress::failed) co_return;
    if (at == progress::done) break;
    if (reader_->expects_continue() && !continued_) co_await invite_body();
    error_code ec;
    const auto announced = reader_->content_length_remaining().value_or(small_read_bytes);
    const auto most = std::clamp<std::uint64_t>(announced, small_read_bytes, body_read_bytes);
    const auto bytes = co_await read_some(static_cast<std::size_t>(most), ec);
    input_.commit(bytes);
    if (!ec) continue;
    if (timed_out_)
      fault_ = {408, "the body did not arrive in time"};
    else
      aborted_ = true; // the client has gone: there is nobody to answer
    co_return;
  }
  request_.body = std::move(reader_->body());
}

/// Sends "100 Continue" unless the body is on its way already. A failure shows in the read that follows.
asio::awaitable<bool> connection::invite_body() {
  continued_ = true;
  if (input_.size() > 0 || request_.minor_version == 0) co_return true;
  co_return co_await send({{view("HTTP/1.1 100 Continue\r\n\r\n"), {}, {}}});
}

error connection::body_error() const {
  if (fault_.status == 408) return fail(errc::timed_out, std::string(fault_.detail));
  if (fault_.status == 413) return fail(errc::invalid, std::string(fault_.detail));
  if (fault_) return fail(errc::malformed, std::string(fault_.detail));
  return fail(errc::malformed, "the client has gone");
}

/// Streaming: as many bytes as one read brings.
asio::awaitable<result<std::optional<std::string>>> connection::next_chunk() {
  using piece = std::optional<std::string>;
  arm(phase::body, state_.options.body_timeout);
  for (;;) {
    if (aborted_ || fault_) {
      arm_application();
      co_return body_error();
    }
    const auto at = parse_body();
    if (!reader_->body().empty()) {
      arm_application();
      co_return piece(std::exchange(reader_->body(), {}));
    }
    if (at == progress::failed) continue;
    if (at == progress::done) break;
    if (reader_->expects_continue() && !continued_) co_await invite_body();
    error_code ec;
    const auto bytes = co_await read_some(body_read_bytes, ec);
    input_.commit(bytes);
    if (ec && timed_out_)
      fault_ = {408, "the body did not arrive in time"};
    else if (ec)
      aborted_ = true;
  }
  arm_application();
  co_return piece();
}

/// Runs a part of the application; whatever it throws becomes a 500, and a deadline that passed a 503. The endpoint
/// always answers.
asio::awaitable<std::optional<reply>> connection::run_application(part what) {
  arm_application();
  std::optional<reply> answer;
  bool failed = false;
  bool cancelled = false;
  try {
    if (what == part::admission)
      answer = co_await state_.hooks.admit(request_);
    else
      answer = co_await endpoint();
  } catch (const boost::system::system_error& why) {
    cancelled = timed_out_ && why.code() == asio::error::operation_aborted;
    failed = !cancelled;
    if (failed && !aborted_) spdlog::error("{} {} failed: {}", to_string(request_.verb), request_.path, why.what());
  } catch (const std::exception& why) {
    failed = true;
    spdlog::error("{} {} failed: {}", to_string(request_.verb), request_.path, why.what());
  } catch (...) {
    failed = true;
    spdlog::error("{} {} failed by an unknown exception", to_string(request_.verb), request_.path);
  }
  if (timed_out_ && !aborted_) co_await asio::this_coro::reset_cancellation_state();
  if (failed || cancelled) upgrade_.reset();
  if (failed) co_return render({500, "something went wrong on our side; it has been logged"});
  if (cancelled) co_return render({503, "the request took too long, try again later"});
  if (answer && answer->status != switching_protocols) upgrade_.reset();
  co_return answer;
}

asio::awaitable<reply> connection::endpoint() {
  if (!match_.found) co_return no_route();
  if (match_.found->upgrade) co_return co_await upgrade_endpoint();
  co_return co_await match_.found->handle(request_);
}

reply connection::no_route() {
  const bool everything = request_.target == "*";
  if (request_.verb == method::options && (match_.allowed != 0 || everything)) {
    const auto methods = everything ? static_cast<method_set>(0xff) : match_.allowed;
    return std::move(make_reply(204).with("Allow", allow_header(methods)));
  }
  if (match_.allowed == 0) return state_.render(404, "there is nothing at this path", &request_);
  auto answer = state_.render(405, "this resource does not have this method", &request_);
  return std::move(answer.with("Allow", allow_header(match_.allowed)));
}

asio::awaitable<reply> connection::upgrade_endpoint() {
  const bool sound = request_.verb == method::get && request_.minor_version == 1 && request_.wants_websocket() &&
                     request_.header("Sec-WebSocket-Version") == "13" && request_.header("Sec-WebSocket-Key") &&
                     input_.size() == 0;
  if (!sound) {
    auto answer = state_.render(426, "this resource is a WebSocket of version 13", &request_);
    answer.with("Upgrade", "websocket").with("Sec-WebSocket-Version", "13");
    co_return answer;
  }
  if (state_.draining) co_return render({503, "the server is about to stop, connect again soon"});
  auto verdict = co_await match_.found->upgrade(request_);
  if (auto* refusal = std::get_if<reply>(&verdict)) co_return std::move(*refusal);
  upgrade_ = std::move(std::get<websocket_callbacks>(verdict));
  co_return make_reply(switching_protocols);
}

void connection::hand_over() {
  ++state_.requests;
  if (state_.hooks.observe) state_.hooks.observe(request_, switching_protocols, steady::now() - started_);
  unlink(); // the session watches over the socket from here on
  start_websocket(home_, std::move(socket_), std::move(place_), request_, std::move(*upgrade_));
}

reply connection::render(fault why) {
  auto answer = state_.render(why.status, why.detail, &request_);
  if (why.status == 503) answer.with("Retry-After", std::to_string(state_.options.retry_after.count()));
  answer.chunks = nullptr;
  return answer;
}

reply_framing connection::frame(const reply& answer) const {
  reply_framing framing;
  framing.minor_version = request_.minor_version;
  // With a part of the request unread, nobody can tell where the next one begins.
  framing.keep = reader_->end_is_known() && reader_->keep_alive() && !answer.close && !state_.draining;
  const bool streamed = answer.chunks && !has_no_body(answer.status);
  framing.chunked = streamed && framing.minor_version == 1;
  framing.until_close = streamed && framing.minor_version == 0;
  if (framing.until_close) framing.keep = false;
  return framing;
}

} // namespace dr::http
