#include "http/bridge.hpp"

#include "actors/turns.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <caf/actor_config.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_actor.hpp>
#include <caf/message_id.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <exception>

namespace dr::http {

namespace {

namespace asio = boost::asio;

/// A minimal actor that takes exactly one response. When every reference to it goes away without one (a dropped
/// response promise), it reports that. It leans on CAF's semi-internals; tests/http/bridge_test.cpp pins what we rely
/// on.
class reply_sink final : public caf::monitorable_actor {
public:
  reply_sink(caf::actor_config& config, std::shared_ptr<answer_desk> desk, std::shared_ptr<waiting_request> request)
      : caf::monitorable_actor(config), desk_(std::move(desk)), request_(std::move(request)) {}

  using caf::abstract_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    if (!what->mid.is_response()) return;
    auto content = what->move_content_to_message();
    if (content.match_elements<caf::error>())
      desk_->deliver(request_, actors::from_caf(content.get_as<caf::error>(0)));
    else
      desk_->deliver(request_, std::move(content));
  }
  void on_destroy() override {
    desk_->deliver(request_, actors::from_caf(caf::make_error(caf::sec::request_receiver_down)));
    if (!getf(is_cleaned_up_flag)) cleanup(caf::exit_reason::unreachable, nullptr);
  }
  const char* name() const override { return "reply_sink"; }

private:
  std::shared_ptr<answer_desk> desk_;
  std::shared_ptr<waiting_request> request_;
};

} // namespace

void detail::send_request(caf::actor_system& system, const asio::any_io_executor& on, const caf::strong_actor_ptr& to,
                          caf::message what, std::chrono::milliseconds timeout,
                          const std::shared_ptr<waiting_request>& request) {
  const auto desk = answer_desk::of(asio::query(on, asio::execution::context));
  caf::actor_config config;
  auto sink = caf::make_actor<reply_sink, caf::strong_actor_ptr>(system.next_actor_id(), system.node(), &system, config,
                                                                 desk, request);
  desk->expect(*request, timeout);
  if (!to) return; // the sink dies here and reports that
  actors::send_and_begin(system, to, std::move(sink), caf::make_message_id(1), std::move(what));
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
