// The listening socket, the threads, and the order in which they stop.
#include "http/server/server.hpp"

#include "http/server/connection.hpp"
#include "http/server/runtime.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>
#include <optional>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace dr::http {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_connections = 1'000'000;
constexpr std::size_t fewest_connections = 16;
constexpr std::size_t most_refusals = 64; // polite ones at a time; more are just closed
constexpr auto accept_pause = 100ms;
constexpr auto abort_patience = 2s;
constexpr auto settle_look = 1ms; // between two looks whether writes are still under way
constexpr auto shortage_over_after = 30s;

time_point wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// Since when there are more connections than can be taken. Thread-safe.
class shortage {
public:
  /// One more was not taken. True when that is news.
  bool note() {
    const std::scoped_lock lock(mutex_);
    const auto now = wall_now();
    const bool news = now - last_ > shortage_over_after;
    if (news) first_ = now;
    last_ = now;
    return news;
  }
  std::optional<time_point> since() const {
    const std::scoped_lock lock(mutex_);
    return wall_now() - last_ > shortage_over_after ? std::nullopt : std::optional(first_);
  }

private:
  mutable std::mutex mutex_;
  time_point first_{};
  time_point last_{};
};

/// What was asked for, but never the descriptors that everything else needs: a database that comes back must be
/// reached.
std::size_t connection_limit(const server_options& options) {
  const auto wanted =
      std::min(options.max_connections > 0 ? options.max_connections : most_connections, most_connections);
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0 || descriptors.rlim_cur == RLIM_INFINITY) return wanted;
  const std::size_t have = descriptors.rlim_cur;
  const auto left = have > 2 * options.reserved_descriptors ? have - options.reserved_descriptors : have / 3;
  const auto possible = std::max(left, fewest_connections);
  if (options.max_connections > possible)
    spdlog::warn("{} connections are allowed, but the limit of open files ({}) leaves room for {}",
                 options.max_connections, have, possible);
  return std::min(wanted, possible);
}

/// Polite refusals take descriptors too.
std::size_t refusal_limit(std::size_t connections) {
  return std::clamp<std::size_t>(connections / 4, 1, most_refusals);
}

/// Often enough to notice the shortest timeout within a quarter of it.
std::chrono::milliseconds tick_interval(const server_options& options) {
  const auto& socket = options.websocket;
  const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout,
                                  options.write_timeout, options.handler_timeout, options.linger_timeout,
                                  socket.ping_interval, socket.silence_timeout, socket.close_timeout});
  return std::clamp<std::chrono::milliseconds>(shortest / 4, 5ms, 500ms);
}

asio::ip::tcp protocol_of(int descriptor) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  const bool known = getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) == 0;
  return known && bound.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
}

error bind_error(const server_options& options, const error_code& why) {
  return fail(errc::invalid,
              "cannot listen on " + options.address + ":" + std::to_string(options.port) + ": " + why.message());
}

} // namespace

struct server::impl {
  impl(server_options options, router routes, server_hooks hooks)
      : state(std::move(options), std::move(routes), std::move(hooks)) {}

  result<void> listen();
  result<void> adopt_listener(int descriptor);
  void accept();
  void on_accepted(error_code failed, tcp_socket socket, worker& home);
  void take(tcp_socket socket, worker& home, std::optional<std::string> inherited = {});
  void pause_accept(const error_code& why);
  void close_acceptor();
  std::size_t abort_all();
  bool wait_empty(std::chrono::milliseconds patience);
  std::size_t unsettled();

  server_state state;
  shortage full;
  std::vector<std::unique_ptr<worker>> workers;
  std::optional<tcp_acceptor> acceptor; // on the first worker's thread
  std::optional<asio::steady_timer> pause;
  std::size_t next = 0;
  std::atomic<std::size_t> next_adopted{0};
  std::uint16_t port = 0;
  std::optional<bool> stopped;
};

result<void> server::impl::adopt_listener(int descriptor) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  int listening = 0;
  socklen_t flag_size = sizeof listening;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0 ||
      getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &flag_size) != 0 || listening == 0)
    return fail(errc::invalid, "descriptor " + std::to_string(descriptor) + " is not a listening socket");
  if (bound.ss_family != AF_INET && bound.ss_family != AF_INET6)
    return fail(errc::invalid, "descriptor " + std::to_string(descriptor) + " is not a TCP socket");
  error_code failed;
  acceptor->assign(protocol_of(descriptor), descriptor, failed);
  if (failed) return fail(errc::invalid, "cannot adopt the listening socket: " + failed.message());
  return {};
}

result<void> server::impl::listen() {
  const auto& options = state.options;
  acceptor.emplace(workers.front()->context);
  error_code failed;
  if (options.listen_fd >= 0) {
    if (auto adopted = adopt_listener(options.listen_fd); !adopted) return adopted;
  } else {
    const auto address = asio::ip::make_address(options.address, failed);
    if (failed) return bind_error(options, failed);
    const asio::ip::tcp::endpoint where(address, options.port);
    acceptor->open(where.protocol(), failed);
    if (!failed) acceptor->set_option(asio::socket_base::reuse_address(true), failed);
    if (!failed) acceptor->bind(where, failed);
    if (!failed) acceptor->listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return bind_error(options, failed);
  }
  const auto where = acceptor->local_endpoint(failed);
  if (failed) return bind_error(options, failed);
  port = where.port();
  return {};
}

void server::impl::accept() {
  auto& home = *workers[next++ % workers.size()];
  acceptor->async_accept(home.context, [this, &home](error_code failed, tcp_socket socket) {
    on_accepted(failed, std::move(socket), home);
  });
}

void server::impl::on_accepted(error_code failed, tcp_socket socket, worker& home) {
  try {
    if (!failed) take(std::move(socket), home); // also when we have just stopped accepting: its client counts on us
  } catch (const std::bad_alloc&) {
    failed = asio::error::no_memory;
  }
  if (!acceptor->is_open() || failed == asio::error::operation_aborted) return;
  if (failed && failed != asio::error::connection_aborted) return pause_accept(failed);
  accept();
}

void server::impl::take(tcp_socket socket, worker& home, std::optional<std::string> inherited) {
  const bool fits = state.connections < state.max_connections;
  const auto why = fits ? connection::purpose::serve : connection::purpose::refuse;
  if (!fits) full.note();
  if (!fits && ++state.refused && state.refusals >= refusal_limit(state.max_connections)) return; // closes the socket
  ticket place(state, fits ? &server_state::connections : &server_state::refusals);
  auto made = std::make_shared<connection>(home, std::move(socket), std::move(place), why);
  if (inherited) made->inherit(*inherited);
  asio::dispatch(home.context, [made = std::move(made)] { made->start(); });
}

/// Out of descriptors or memory: trying again at once would only burn the processor.
void server::impl::pause_accept(const error_code& why) {
  if (full.note())
    spdlog::warn("accepting a connection failed, trying again every {} ms: {}", accept_pause.count(), why.message());
  if (!pause) pause.emplace(workers.front()->context);
  pause->expires_after(accept_pause);
  pause->async_wait([this](error_code failed) {
    if (!failed && acceptor->is_open()) accept();
  });
}

void server::impl::close_acceptor() {
  std::promise<void> closed;
  asio::post(workers.front()->context, [this, &closed] {
    error_code ignored;
    acceptor->close(ignored);
    if (pause) pause->cancel();
    // Behind what was accepted before the close and is still in the queue.
    asio::post(workers.front()->context, [&closed] { closed.set_value(); });
  });
  closed.get_future().wait();
}

bool server::impl::wait_empty(std::chrono::milliseconds patience) {
  std::unique_lock lock(state.empty_mutex);
  return state.empty.wait_for(lock, patience, [this] { return state.connections == 0 && state.refusals == 0; });
}

std::size_t server::impl::unsettled() {
  std::vector<std::future<std::size_t>> counts;
  for (auto& each : workers) counts.push_back(each->count_unsettled());
  std::size_t all = 0;
  for (auto& each : counts) all += each.get();
  return all;
}

std::size_t server::impl::abort_all() {
  std::atomic<std::size_t> cut{0};
  std::vector<std::future<void>> done;
  for (auto& each : workers) done.push_back(each->abort_all(cut));
  for (auto& each : done) each.wait();
  return cut;
}

server::server(server_options options, router routes, server_hooks hooks)
    : impl_(std::make_shared<impl>(std::move(options), std::move(routes), std::move(hooks))) {
  impl_->state.owner = impl_;
}

server::~server() { stop(0ms); }

result<void> server::start() {
  auto& self = *impl_;
  const auto& options = self.state.options;
  self.state.max_connections = connection_limit(options);
  const auto threads = options.io_threads > 0 ? options.io_threads : std::max(1U, std::thread::hardware_concurrency());
  for (unsigned at = 0; at < threads; ++at)
    self.workers.push_back(std::make_unique<worker>(self.state, tick_interval(options)));
  if (auto listening = self.listen(); !listening) {
    self.stopped = true; // nothing runs: there is nothing to stop
    return listening;
  }
  self.accept();
  for (auto& each : self.workers) each->start();
  return {};
}

void server::begin_drain() noexcept { impl_->state.draining = true; }

bool server::hand_over(connection_giver give, std::chrono::milliseconds patience) {
  auto& self = *impl_;
  if (self.stopped || self.workers.empty()) return true;
  self.state.give = std::move(give);
  self.state.handing_over = true;
  self.close_acceptor();
  for (auto& each : self.workers) each->drain_all();
  const auto until = steady::now() + patience;
  while (self.unsettled() > 0) {
    if (steady::now() >= until) return false;
    std::this_thread::sleep_for(settle_look);
  }
  return true;
}

void server::adopt(int descriptor, std::string unread) {
  auto& self = *impl_;
  if (self.stopped || self.workers.empty()) {
    ::close(descriptor);
    return;
  }
  auto& home = *self.workers[self.next_adopted++ % self.workers.size()];
  tcp_socket socket(home.context);
  error_code failed;
  socket.assign(protocol_of(descriptor), descriptor, failed);
  if (failed) {
    spdlog::warn("a connection that was handed over cannot be adopted: {}", failed.message());
    ::close(descriptor);
    return;
  }
  asio::post(home.context, [&self, &home, socket = std::move(socket), unread = std::move(unread)]() mutable {
    self.take(std::move(socket), home, std::move(unread));
  });
}

bool server::stop(std::chrono::milliseconds grace) {
  auto& self = *impl_;
  self.state.stopping = true;
  if (!self.state.handing_over) self.state.draining = true; // given away connections stay open
  if (self.stopped) return *self.stopped;
  if (self.workers.empty()) return *(self.stopped = true);
  self.close_acceptor();
  for (auto& each : self.workers) each->drain_all();
  std::size_t cut = 0;
  if (!self.wait_empty(grace)) {
    cut = self.abort_all();
    if (!self.wait_empty(abort_patience)) spdlog::warn("{} connections did not end in time", self.state.connections);
  }
  for (auto& each : self.workers) each->join();
  self.stopped = cut == 0;
  return *self.stopped;
}

bool server::draining() const noexcept { return impl_->state.draining || impl_->state.handing_over; }
std::uint16_t server::port() const noexcept { return impl_->port; }
std::size_t server::max_connections() const noexcept { return impl_->state.max_connections; }
const router& server::routes() const noexcept { return impl_->state.routes; }
asio::any_io_executor server::executor() const { return impl_->workers.front()->context.get_executor(); }

server_counters server::counters() const noexcept {
  const auto& state = impl_->state;
  return {state.connections, state.websockets, state.requests, state.refused, impl_->full.since()};
}

} // namespace dr::http
