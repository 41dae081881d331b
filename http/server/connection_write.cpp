// How answers reach the socket: tried at once, and waited for only when the socket is full.
#include "http/server/connection.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

namespace dr::http {

namespace {

asio::const_buffer bytes_of(std::string_view text) noexcept { return {text.data(), text.size()}; }

void append_chunk_size(std::string& out, std::size_t size) {
  std::array<char, 16> digits; // NOLINT(cppcoreguidelines-pro-type-member-init): written by to_chars
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  out.append(digits.data(), end).append("\r\n");
}

} // namespace

void connection::outgoing::consume(std::size_t bytes) noexcept {
  for (auto& part : parts) {
    const auto step = std::min(bytes, part.size());
    part += step;
    bytes -= step;
  }
}

/// Writes what the socket takes without waiting. True when that was all.
bool connection::write_now(outgoing& data) {
  while (data.left() > 0) {
    error_code ec;
    data.consume(socket_.write_some(data.parts, ec));
    if (ec) return false; // full, or broken: the write that waits will tell
  }
  return true;
}

asio::awaitable<bool> connection::write_rest(outgoing& data) {
  while (data.left() > 0) {
    error_code ec;
    const auto bytes = co_await socket_.async_write_some(data.parts, asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return false;
    data.consume(bytes);
    deadline_ = steady::now() + state_.options.write_timeout; // a slow reader may take its time, a dead one not
  }
  co_return true;
}

asio::awaitable<bool> connection::send(outgoing data) {
  if (write_now(data)) co_return true;
  co_return co_await write_rest(data);
}

/// True when the whole answer was handed to the socket.
asio::awaitable<bool> connection::write(reply& answer, const reply_framing& framing) {
  compose_head(answer, framing, home_.common_fields(), head_);
  arm(phase::write, state_.options.write_timeout);
  const bool silent = request_.verb == method::head || has_no_body(answer.status);
  if (answer.chunks && !silent) {
    in_pieces_ = true;
    const bool whole = co_await write_chunks(answer, framing.chunked);
    if (!whole) reset_socket();
    in_pieces_ = false;
    co_return whole;
  }
  const std::string_view body = answer.shared_body ? *answer.shared_body : answer.body;
  outgoing data{{bytes_of(head_), bytes_of(silent ? std::string_view{} : body), {}}};
  if (write_now(data)) co_return true;
  co_return co_await write_rest(data);
}

asio::awaitable<bool> connection::write_chunks(reply& answer, bool chunked) {
  for (;;) {
    std::optional<std::string> piece;
    const bool made = co_await make_chunk(answer, piece);
    if (!made) co_return false;
    if (piece && piece->empty()) continue;
    arm(phase::write, state_.options.write_timeout);
    // head_ holds the head before the first piece and the framing before the others.
    if (chunked && piece)
      append_chunk_size(head_, piece->size());
    else if (chunked)
      head_.append("0\r\n\r\n");
    outgoing data{
        {bytes_of(head_), bytes_of(piece ? *piece : std::string_view{}), bytes_of(chunked && piece ? "\r\n" : "")}};
    if (!write_now(data)) {
      const bool written = co_await write_rest(data);
      if (!written) co_return false;
    }
    if (!piece) co_return true;
    head_.clear();
  }
}

/// False when the source failed: the answer cannot be completed.
asio::awaitable<bool> connection::make_chunk(reply& answer, std::optional<std::string>& piece) {
  arm(phase::application, state_.options.handler_timeout);
  try {
    piece = co_await answer.chunks();
    co_return !aborted_;
  } catch (const std::exception& why) {
    if (!aborted_)
      spdlog::error("{} {} failed while its answer was sent: {}", to_string(request_.verb), request_.path, why.what());
  } catch (...) {
    spdlog::error("{} {} failed while its answer was sent", to_string(request_.verb), request_.path);
  }
  co_return false;
}

/// Closes so that the client cannot take what it has for a whole answer.
void connection::reset_socket() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

} // namespace dr::http
