#include "tests/support/ws_crowd.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>

#include <atomic>
#include <future>
#include <optional>
#include <thread>

namespace dr::test {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using error_code = boost::system::error_code;

namespace {
constexpr auto pause_before_retry = std::chrono::milliseconds(100);
} // namespace

struct ws_crowd::impl {
  /// One connection after the other; the handlers of one that is over find it replaced.
  struct member : std::enable_shared_from_this<member> {
    using stream = ws::stream<beast::tcp_stream>;
    member(impl& all, std::string where) : crowd(all), target(std::move(where)), timer(all.context) {}

    void connect() {
      said.clear();
      buffer.clear();
      open.emplace(crowd.context);
      const asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), crowd.port);
      beast::get_lowest_layer(*open).async_connect(server, [me = shared_from_this()](error_code failed) {
        if (failed) return me->again();
        me->upgrade();
      });
    }
    void upgrade() {
      open->async_handshake("127.0.0.1:" + std::to_string(crowd.port), target,
                            [me = shared_from_this()](error_code failed) {
                              if (failed == ws::error::upgrade_declined) ++me->crowd.refused;
                              if (failed) return me->again();
                              ++me->crowd.connections;
                              me->read();
                            });
    }
    void read() {
      open->async_read(buffer, [me = shared_from_this()](error_code failed, std::size_t) {
        if (failed) return me->again();
        me->said += beast::buffers_to_string(me->buffer.data());
        me->buffer.clear();
        me->read();
      });
    }
    void again() {
      open.reset();
      if (crowd.leaving) return;
      timer.expires_after(pause_before_retry);
      timer.async_wait([me = shared_from_this()](error_code failed) {
        if (!failed && !me->crowd.leaving) me->connect();
      });
    }
    void leave() {
      timer.cancel();
      if (open) beast::get_lowest_layer(*open).close();
    }

    impl& crowd;
    std::string target;
    asio::steady_timer timer;
    std::optional<stream> open;
    beast::flat_buffer buffer;
    std::string said;
  };

  explicit impl(std::uint16_t to) : port(to) {}

  /// Runs something on the crowd's thread and waits for it.
  template <class Fn> auto on_thread(Fn what) { return asio::post(context, asio::use_future(std::move(what))).get(); }

  std::uint16_t port;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::vector<std::shared_ptr<member>> members;
  bool leaving = false;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> refused{0};
  std::thread thread;
};

ws_crowd::ws_crowd(std::uint16_t port, std::vector<std::string> targets) : impl_(std::make_unique<impl>(port)) {
  auto& self = *impl_;
  for (auto& target : targets) self.members.push_back(std::make_shared<impl::member>(self, std::move(target)));
  self.thread = std::thread([&self] { self.context.run(); });
  asio::post(self.context, [&self] {
    for (auto& each : self.members) each->connect();
  });
}

ws_crowd::~ws_crowd() {
  auto& self = *impl_;
  self.on_thread([&self] {
    self.leaving = true;
    for (auto& each : self.members) each->leave();
  });
  self.work.reset();
  self.thread.join();
}

std::size_t ws_crowd::count(const std::function<bool(const std::string& said)>& holds) const {
  return impl_->on_thread([this, &holds] {
    std::size_t found = 0;
    for (const auto& each : impl_->members) found += each->open && holds(each->said) ? 1U : 0U;
    return found;
  });
}

std::size_t ws_crowd::connections() const noexcept { return impl_->connections; }
std::size_t ws_crowd::refused() const noexcept { return impl_->refused; }

} // namespace dr::test
