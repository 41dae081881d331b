// A server with test limits, and how tests wait.
#pragma once

#include "http/server/server.hpp"
#include "tests/support/http_client.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace dr::test {

using namespace std::chrono_literals;
using http::method;
using http::reply;
using http::request_context;
using reply_task = boost::asio::awaitable<reply>;
using admission_task = boost::asio::awaitable<std::optional<reply>>;

/// Options for a server on a free port of the loopback.
inline http::server_options quick_options() {
  http::server_options options;
  options.port = 0;
  options.io_threads = 2;
  options.linger_timeout = 200ms;
  options.stop_idle_grace = 50ms;
  return options;
}

/// A started server.
struct running_server {
  running_server(http::server_options options, http::router routes, http::server_hooks hooks = {})
      : server(std::move(options), std::move(routes), std::move(hooks)) {
    if (const auto started = server.start(); !started) throw std::runtime_error(started.error().detail);
  }
  std::uint16_t port() const { return server.port(); }
  http_client client() const { return http_client(server.port()); }
  http::server server;
};

/// Looks again and again until the condition holds; false when the deadline passes first.
inline bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds within = 10s) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  const auto until = std::chrono::steady_clock::now() + within;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    never.wait_for(lock, 2ms);
  }
  return true;
}

/// GET handler that answers a text.
inline http::handler say(std::string text) {
  return
      [text = std::move(text)](request_context&) -> reply_task { co_return http::make_reply(200, "text/plain", text); };
}

/// POST handler that answers the body.
inline http::handler echo() {
  return [](request_context& request) -> reply_task {
    co_return http::make_reply(200, "text/plain", std::move(request.body));
  };
}

/// The status line's number of a raw answer.
inline unsigned status_of(const std::string& answer) {
  return answer.size() > 12 && answer.starts_with("HTTP/1.1 ") ? static_cast<unsigned>(std::stoul(answer.substr(9, 3)))
                                                               : 0;
}

/// How often a text occurs.
inline std::size_t count_of(const std::string& all, const std::string& text) {
  std::size_t count = 0;
  for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + text.size())) ++count;
  return count;
}

} // namespace dr::test
