// The io thread: runs its context and sweeps over its connections for deadlines that have passed.
#include "http/server/runtime.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <exception>
#include <pthread.h>

namespace dr::http {

namespace {

std::string http_date(std::time_t seconds) {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm at{};
  gmtime_r(&seconds, &at);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days.at(static_cast<std::size_t>(at.tm_wday)),
                     at.tm_mday, months.at(static_cast<std::size_t>(at.tm_mon)), at.tm_year + 1900, at.tm_hour,
                     at.tm_min, at.tm_sec);
}

reply plain_error(unsigned status, std::string_view detail) {
  return make_reply(status, "text/plain; charset=utf-8", std::string(detail) + "\n");
}

} // namespace

reply server_state::render(unsigned status, std::string_view detail, const request_context* request) const noexcept {
  try {
    if (hooks.render_error) return hooks.render_error(status, detail, request);
    return plain_error(status, detail);
  } catch (const std::exception& why) {
    spdlog::error("rendering an error answer of status {} failed: {}", status, why.what());
  } catch (...) {
    spdlog::error("rendering an error answer of status {} failed", status);
  }
  return make_reply(status);
}

/// Runs handlers until it returns; what one throws is logged.
template <class Run> void worker::go_on_with(Run&& run) {
  for (;;) {
    try {
      run();
      return;
    } catch (const std::exception& why) {
      spdlog::error("an io thread caught an exception and goes on: {}", why.what());
    } catch (...) {
      spdlog::error("an io thread caught an unknown exception and goes on");
    }
  }
}

worker::worker(server_state& shared, std::chrono::milliseconds tick_interval)
    : state(shared), tick_interval_(tick_interval) {}

void worker::start() {
  refresh_date();
  sweep();
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "http_io");
    go_on_with([this] { context.run(); });
  });
}

void worker::join() {
  work_.reset();
  context.stop();
  if (thread_.joinable()) thread_.join();
  // The last completions of what was cut off, and the coroutines that wait for the application. Each holds its session,
  // and a session keeps this context: left in it, they would keep each other for ever.
  run_what_is_left();
  if (state.hooks.io_ended) state.hooks.io_ended(context);
  run_what_is_left();
}

void worker::run_what_is_left() {
  context.restart();
  go_on_with([this] { context.poll(); });
}

/// One item that throws does not keep the others from their turn.
template <class Fn> void worker::for_each(Fn&& act) {
  for (auto at = items_.begin(); at != items_.end();) {
    watched& item = *at++; // the item may leave the list while it acts
    try {
      const auto held = item.hold();
      act(item);
    } catch (const std::exception& why) {
      spdlog::error("a connection could not be looked after: {}", why.what());
    }
  }
}

void worker::drain_all() {
  asio::post(context, [this] { for_each([](watched& item) { item.drain(); }); });
}

std::future<void> worker::abort_all(std::atomic<std::size_t>& cut) {
  return asio::post(
      context, asio::use_future([this, &cut] { for_each([&cut](watched& item) { cut += item.abort() ? 1U : 0U; }); }));
}

std::future<std::size_t> worker::count_unsettled() {
  return asio::post(context, asio::use_future([this] {
                      std::size_t found = 0;
                      const auto now = steady::now();
                      for_each([&](watched& item) { found += item.unsettled(now) ? 1U : 0U; });
                      return found;
                    }));
}

void worker::sweep() {
  timer_.expires_after(tick_interval_); // first: what fails in this sweep is not the end of all
  timer_.async_wait([this](error_code failed) {
    if (!failed) sweep();
  });
  refresh_date();
  const auto now = steady::now();
  for_each([now](watched& item) { item.tick(now); });
}

void worker::refresh_date() {
  const auto seconds = state.hooks.wall_seconds ? state.hooks.wall_seconds() : std::time(nullptr);
  common_fields_ = "Server: " + state.options.server_name + "\r\nDate: " + http_date(seconds) + "\r\n";
  for (const auto& [name, value] : state.options.answer_fields)
    common_fields_.append(name).append(": ").append(value).append("\r\n");
}

} // namespace dr::http
