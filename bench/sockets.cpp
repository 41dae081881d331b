#include "bench/sockets.hpp"

#include "tests/support/process.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace dr::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;
using steady = std::chrono::steady_clock;

constexpr int connecting_at_once = 64; ///< a storm is a case of its own

class customer;

/// One run of answers; lives in the thread of the sockets.
struct conversation {
  std::function<std::string(std::int64_t, std::int64_t)> next;
  steady::time_point counted_from, end;
  load_result result;
  int talking = 0;
  std::promise<void> over;
};

} // namespace

struct customers::impl {
  explicit impl(std::uint16_t to) : port(to) {}

  std::uint16_t port;
  bool greets = true; ///< the server speaks first
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep{context.get_executor()};
  std::vector<std::unique_ptr<customer>> all;
  std::size_t next_to_connect = 0;
  std::atomic<int> greeted{0};
  std::atomic<bool> broken{false};
  std::thread thread;

  // What is listened for.
  std::mutex mutex;
  std::string mark;
  receipts seen;
  std::atomic<int> received{0};

  std::shared_ptr<conversation> talk; ///< in the thread only

  void connect_next();
  void note(std::string_view message);
};

namespace {

class customer {
public:
  customer(customers::impl& of, std::int64_t user) : of_(of), user_(user), socket_(of.context) {}

  void connect(bool greeted) {
    beast::get_lowest_layer(socket_).async_connect(
        {asio::ip::address_v4::loopback(), of_.port}, [this, greeted](error_code failed) {
          if (failed) return give_up();
          beast::get_lowest_layer(socket_).set_option(tcp::no_delay(true), failed);
          socket_.async_handshake("127.0.0.1:" + std::to_string(of_.port), "/ws?userId=" + std::to_string(user_),
                                  [this, greeted](error_code refused) {
                                    if (refused) return give_up();
                                    if (!greeted) greet();
                                    read();
                                  });
        });
  }

  void begin() {
    since_ = steady::now();
    out_ = of_.talk->next(user_, said_++);
    socket_.async_write(asio::buffer(out_), [this](error_code failed, std::size_t) {
      if (failed) give_up();
    });
  }

private:
  void greet() {
    greeted_ = true;
    ++of_.greeted;
    of_.connect_next();
  }
  void read() {
    socket_.async_read(buffer_, [this](error_code failed, std::size_t) {
      if (failed) return give_up();
      const auto data = buffer_.cdata();
      take({static_cast<const char*>(data.data()), data.size()});
      buffer_.clear();
      read();
    });
  }
  void take(std::string_view message) {
    if (!greeted_) return greet();
    of_.note(message);
    if (!of_.talk) return;
    const bool answered = message.starts_with(R"({"type":"answered")");
    if (!answered && !message.starts_with(R"({"type":"error")")) return;
    auto& talk = *of_.talk;
    const auto now = steady::now();
    ++talk.result.sent;
    ++talk.result.statuses[answered ? 200 : 500];
    if (answered && now >= talk.counted_from && now < talk.end) talk.result.latency.add(now - since_);
    if (now < talk.end) return begin();
    if (--talk.talking == 0) talk.over.set_value();
  }
  void give_up() { of_.broken = true; }

  customers::impl& of_;
  std::int64_t user_;
  beast::websocket::stream<tcp::socket> socket_;
  beast::flat_buffer buffer_;
  std::string out_;
  std::int64_t said_ = 0;
  steady::time_point since_{};
  bool greeted_ = false;
  friend struct customers::impl;
};

} // namespace

void customers::impl::note(std::string_view message) {
  const std::scoped_lock lock(mutex);
  if (!message.starts_with(mark)) return;
  seen.last = steady::now();
  seen.bytes = static_cast<std::int64_t>(message.size());
  if (received++ == 0) seen.first = seen.last;
}

namespace {

template <class Condition>
void wait(const std::string& what, const std::atomic<bool>& broken, Condition met, std::chrono::milliseconds at_most) {
  test::eventually(
      what,
      [&] {
        if (broken) throw std::runtime_error("a customer's connection broke while waiting until " + what);
        return met();
      },
      at_most);
}

} // namespace

void customers::impl::connect_next() {
  if (next_to_connect < all.size()) all[next_to_connect++]->connect(greets);
}

customers::customers(std::uint16_t port, std::int64_t first, int count, bool greeted)
    : impl_(std::make_unique<impl>(port)), count_(count) {
  impl_->greets = greeted;
  for (int i = 0; i < count; ++i) impl_->all.push_back(std::make_unique<customer>(*impl_, first + i));
  for (int i = 0; i < connecting_at_once; ++i) impl_->connect_next();
  impl_->thread = std::thread([this] { impl_->context.run(); });
  try {
    wait(
        "all customers are connected", impl_->broken, [&] { return impl_->greeted >= count; },
        std::chrono::minutes(1 + count / 1000));
  } catch (...) {
    impl_->context.stop();
    impl_->thread.join();
    throw;
  }
}

customers::~customers() {
  impl_->context.stop();
  impl_->thread.join();
}

void customers::listen_for(const std::string& mark) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->mark = mark;
  impl_->seen = {};
  impl_->received = 0;
}

int customers::received() const noexcept { return impl_->received; }

customers::receipts customers::wait_for(int expected, std::chrono::milliseconds at_most) {
  wait(
      "all customers have their message", impl_->broken, [&] { return impl_->received >= expected; }, at_most);
  const std::scoped_lock lock(impl_->mutex);
  return impl_->seen;
}

load_result customers::answer(int using_count, std::chrono::milliseconds warm_up, std::chrono::milliseconds time,
                              std::function<std::string(std::int64_t, std::int64_t)> next) {
  auto talk = std::make_shared<conversation>();
  talk->next = std::move(next);
  talk->counted_from = steady::now() + warm_up;
  talk->end = talk->counted_from + time;
  talk->talking = using_count;
  auto over = talk->over.get_future();
  asio::post(impl_->context, [this, talk, using_count] {
    impl_->talk = talk;
    for (int i = 0; i < using_count; ++i) impl_->all[static_cast<std::size_t>(i)]->begin();
  });
  if (over.wait_until(talk->end + std::chrono::seconds(10)) != std::future_status::ready)
    throw std::runtime_error("answers by WebSocket stopped coming");
  std::promise<void> forgotten;
  asio::post(impl_->context, [&] {
    impl_->talk.reset();
    forgotten.set_value();
  });
  forgotten.get_future().wait();
  talk->result.seconds = std::chrono::duration<double>(time).count();
  return std::move(talk->result);
}

} // namespace dr::bench
