// What the parts of one server share: limits, counters, and the io threads with the watch over every connection.
#pragma once

#include "http/server/options.hpp"
#include "http/server/router.hpp"
#include "http/server/server.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace dr::http {

namespace asio = boost::asio;
using error_code = boost::system::error_code;
using steady = std::chrono::steady_clock;
using io_executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, io_executor>;
using tcp_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, io_executor>;

/// Shared by all threads of one server; outlives its connections.
struct server_state {
  server_state(server_options opts, router table, server_hooks hks)
      : options(std::move(opts)), routes(std::move(table)), hooks(std::move(hks)) {}

  /// The application's rendering of an error, or plain text. Never throws.
  reply render(unsigned status, std::string_view detail, const request_context* request) const noexcept;

  const server_options options;
  const router routes;
  const server_hooks hooks;
  std::weak_ptr<void> owner; ///< of this state and the workers; what may outlive the server holds it
  std::size_t max_connections = 0;
  std::atomic<bool> draining{false};     ///< answers close their connections
  std::atomic<bool> stopping{false};     ///< nothing new is begun
  connection_giver give;                 ///< set before `handing_over`
  std::atomic<bool> handing_over{false}; ///< a connection is given away as soon as it is between two requests
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> websockets{0};
  std::atomic<std::size_t> refusals{0}; ///< being refused now
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> refused{0};
  std::mutex empty_mutex;
  std::condition_variable empty; ///< signalled when the last connection goes
};

/// Holds one place of a bounded count for as long as it lives.
class ticket {
public:
  using counter = std::atomic<std::size_t> server_state::*;
  ticket(server_state& state, counter which) noexcept : state_(&state), which_(which) { ++(state.*which); }
  ticket(ticket&& other) noexcept : state_(std::exchange(other.state_, nullptr)), which_(other.which_) {}
  ticket& operator=(ticket&&) = delete;
  ~ticket() {
    if (!state_ || --(state_->*which_) > 0) return;
    const std::scoped_lock lock(state_->empty_mutex);
    state_->empty.notify_all();
  }

private:
  server_state* state_;
  counter which_;
};

/// Something with deadlines on an io thread. A sweep over all of them replaces one timer each: setting a deadline is
/// one store, and an idle connection holds no timer.
class watched : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  virtual ~watched() = default;
  /// Keeps it alive during a call.
  virtual std::shared_ptr<void> hold() = 0;
  /// Acts on deadlines that have passed.
  virtual void tick(steady::time_point now) = 0;
  /// Ends it politely as soon as what is under way is done.
  virtual void drain() = 0;
  /// Ends it now. True when something was cut short.
  virtual bool abort() = 0;
  /// A request that may change something is under way: with the application, or its body is arriving without a pause.
  virtual bool unsettled(steady::time_point now) const noexcept = 0;
};

/// One io thread with its own context. All members but `context` are touched on that thread only.
class worker {
public:
  worker(server_state& state, std::chrono::milliseconds tick_interval);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// Starts the thread.
  void start();
  /// Ends the thread and waits for it.
  void join();
  /// Adds to the watch. An item leaves it by unlink(), or on destruction; either on this thread.
  void watch(watched& item) { items_.push_back(item); }
  /// Thread-safe: drains everything.
  void drain_all();
  /// Thread-safe: aborts everything and adds to `cut` the number of things cut short; ready when that is done.
  std::future<void> abort_all(std::atomic<std::size_t>& cut);
  /// Thread-safe: how many requests that may change something are under way.
  std::future<std::size_t> count_unsettled();
  /// "Server: …\r\nDate: …\r\n" and the fields that every answer has, at most a tick old.
  const std::string& common_fields() const noexcept { return common_fields_; }

  server_state& state;

private:
  using item_list = boost::intrusive::list<watched, boost::intrusive::constant_time_size<false>>;
  template <class Fn> void for_each(Fn&& act);
  template <class Run> static void go_on_with(Run&& run);
  void run_what_is_left();
  void sweep();
  void refresh_date();

  item_list items_; // before the context: connections that die with it unlink themselves
  std::string common_fields_;
  std::chrono::milliseconds tick_interval_;

public:
  asio::io_context context{1};

private:
  asio::executor_work_guard<io_executor> work_{context.get_executor()};
  asio::basic_waitable_timer<steady, asio::wait_traits<steady>, io_executor> timer_{context.get_executor()};
  std::thread thread_;
};

} // namespace dr::http
