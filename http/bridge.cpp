#include "http/bridge.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <caf/actor_config.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/message_id.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <mutex>

namespace dr::http {

namespace {

namespace asio = boost::asio;
using message_result = result<caf::message>;

/// Where the answer is laid down. The waiting coroutine sleeps on a timer; whoever brings the answer wakes it. The
/// timer lives in the coroutine's frame, which takes it out of here before it goes: so a late answer never touches a
/// frame or a context that is gone.
class letter_box {
public:
  void open(asio::steady_timer& timer) {
    const std::scoped_lock lock(mutex_);
    timer_ = &timer;
  }
  void close() noexcept {
    const std::scoped_lock lock(mutex_);
    timer_ = nullptr;
  }
  /// Lays the first answer down and wakes the coroutine. From any thread.
  static void deliver(const std::shared_ptr<letter_box>& box, message_result answer) {
    const std::scoped_lock lock(box->mutex_);
    if (!box->timer_ || box->answer_) return;
    box->answer_ = std::move(answer);
    asio::post(box->timer_->get_executor(), [box] { box->wake(); });
  }
  std::optional<message_result> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }

private:
  void wake() {
    const std::scoped_lock lock(mutex_);
    // An expiry in the past also ends a wait that has not begun yet.
    if (timer_) timer_->expires_at(std::chrono::steady_clock::time_point::min());
  }

  std::mutex mutex_;
  asio::steady_timer* timer_ = nullptr;
  std::optional<message_result> answer_;
};

/// A minimal actor that takes exactly one response. When every reference to it goes away without one (a dropped
/// response promise), it reports that. It leans on CAF's semi-internals; tests/http/bridge_test.cpp pins what we rely
/// on.
class reply_sink final : public caf::monitorable_actor {
public:
  reply_sink(caf::actor_config& config, std::shared_ptr<letter_box> box)
      : caf::monitorable_actor(config), box_(std::move(box)) {}

  using caf::abstract_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    if (!what->mid.is_response()) return;
    auto content = what->move_content_to_message();
    if (content.match_elements<caf::error>())
      letter_box::deliver(box_, actors::from_caf(content.get_as<caf::error>(0)));
    else
      letter_box::deliver(box_, std::move(content));
  }
  void on_destroy() override {
    letter_box::deliver(box_, actors::from_caf(caf::make_error(caf::sec::request_receiver_down)));
    if (!getf(is_cleaned_up_flag)) cleanup(caf::exit_reason::unreachable, nullptr);
  }
  const char* name() const override { return "reply_sink"; }

private:
  std::shared_ptr<letter_box> box_;
};

void send_request(caf::actor_system& system, const caf::strong_actor_ptr& to, caf::message what,
                  const std::shared_ptr<letter_box>& box) {
  caf::actor_config config;
  auto sink =
      caf::make_actor<reply_sink, caf::strong_actor_ptr>(system.next_actor_id(), system.node(), &system, config, box);
  if (!to) return; // the sink dies here and reports that
  to->enqueue(std::move(sink), caf::make_message_id(1), std::move(what), nullptr);
}

/// Takes the timer out of the box however the coroutine ends, also when its frame is destroyed in mid-wait.
struct box_closer {
  std::shared_ptr<letter_box> box;
  ~box_closer() { box->close(); }
};

} // namespace

awaitable<result<caf::message>> ask_message(caf::actor_system& system, caf::strong_actor_ptr to, caf::message what,
                                            std::chrono::milliseconds timeout) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(timeout);
  const box_closer open{std::make_shared<letter_box>()};
  open.box->open(timer);
  send_request(system, to, std::move(what), open.box);
  to.reset();
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (auto answer = open.box->take()) co_return std::move(*answer);
  co_return fail(errc::timed_out, "There was no answer within " + std::to_string(timeout.count()) + " ms; try again.");
}

void spawn_task(const asio::any_io_executor& on, const char* name, awaitable<void> task) {
  asio::co_spawn(on, std::move(task), [name](const std::exception_ptr& why) {
    if (!why) return;
    try {
      std::rethrow_exception(why);
    } catch (const std::exception& e) {
      spdlog::error("{} failed: {}", name, e.what());
    } catch (...) {
      spdlog::error("{} failed", name);
    }
  });
}

} // namespace dr::http
