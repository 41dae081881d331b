// The bridge from the server's coroutines to actors: an awaitable request with a one-shot reply sink and a finite
// timeout.
//
// g++ 12 destroys a temporary lambda (or aggregate) inside a co_await expression twice. So everything here is an
// ordinary function that returns the awaitable: make the operation in one statement and await it in the next,
//   auto pending = ask<storage::written>(system, registry, std::move(command), timeout);
//   auto done = co_await std::move(pending);
#pragma once

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"
#include "domain/error.hpp"
#include "http/answer_desk.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/message.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace dr::http {

template <class T> using awaitable = boost::asio::awaitable<T>;

/// Runs a coroutine on its own. What it throws is logged under the name.
void spawn_task(const boost::asio::any_io_executor& on, const char* name, awaitable<void> task);

namespace detail {

/// Sends `what` to an actor whose answer goes to the request, through the executor's desk.
void send_request(caf::actor_system& system, const boost::asio::any_io_executor& on, const caf::strong_actor_ptr& to,
                  caf::message what, std::chrono::milliseconds timeout,
                  const std::shared_ptr<waiting_request>& request);

/// A coroutine that sleeps over a request. `unpack` makes of the message, or of the error, what the coroutine gets.
template <class Handler, class Unpack> class sleeping_request final : public waiting_request {
public:
  sleeping_request(Handler handler, Unpack unpack) : handler_(std::move(handler)), unpack_(std::move(unpack)) {}
  void complete(result<caf::message> answer) override {
    auto wake = std::move(*handler_);
    handler_.reset();
    std::move(wake)(unpack_(std::move(answer)));
  }
  void abandon() noexcept override { handler_.reset(); }

private:
  std::optional<Handler> handler_;
  Unpack unpack_;
};

/// Begins a request when the coroutine that awaits it has gone to sleep.
template <class Unpack> class request_start {
public:
  request_start(caf::actor_system& system, caf::strong_actor_ptr to, caf::message what,
                std::chrono::milliseconds timeout, Unpack unpack)
      : system_(&system), to_(std::move(to)), what_(std::move(what)), timeout_(timeout), unpack_(std::move(unpack)) {}
  template <class Handler> void operator()(Handler&& handler) {
    using sleeping = sleeping_request<std::decay_t<Handler>, Unpack>;
    const boost::asio::any_io_executor on = boost::asio::get_associated_executor(handler);
    const auto request = std::make_shared<sleeping>(std::forward<Handler>(handler), std::move(unpack_));
    send_request(*system_, on, to_, std::move(what_), timeout_, request);
  }

private:
  caf::actor_system* system_;
  caf::strong_actor_ptr to_;
  caf::message what_;
  std::chrono::milliseconds timeout_;
  Unpack unpack_;
};

template <class Handle, class Unpack, class Answer = std::invoke_result_t<Unpack&, result<caf::message>>>
awaitable<Answer> request(caf::actor_system& system, const Handle& to, caf::message what,
                          std::chrono::milliseconds timeout, Unpack unpack) {
  auto target = to ? caf::actor_cast<caf::strong_actor_ptr>(to) : nullptr;
  request_start<Unpack> start(system, std::move(target), std::move(what), timeout, std::move(unpack));
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Answer)>(std::move(start),
                                                                                         boost::asio::use_awaitable);
}

template <class Reply> result<Reply> only_reply(result<caf::message> got) {
  if (!got) return got.error();
  if (!got->template match_elements<Reply>()) return fail(errc::internal, "an actor gave an unexpected answer");
  return std::move(got->template get_mutable_as<Reply>(0));
}

} // namespace detail

/// Sends a message to a typed actor and waits for its answer, a `Reply`, which comes exactly once: the answer, the
/// actor's error, timed_out after `timeout`, or outcome_unknown when the actor is dead or lets the promise go. An
/// answer that comes later is dropped. `timeout` is real time and > 0. The actor may be invalid (then it is dead).
/// Awaited on an io_context that one thread runs.
template <class Reply, class Handle, class Message>
awaitable<result<Reply>> ask(caf::actor_system& system, const Handle& to, Message what,
                             std::chrono::milliseconds timeout) {
  return detail::request(system, to, caf::make_message(std::move(what)), timeout, &detail::only_reply<Reply>);
}

/// Runs `query(storage::reader&) -> result<T>` on one of the store's readers and waits for what it read. It runs on
/// another thread, perhaps after the timeout: it may capture values only.
template <class Query, class Answer = std::invoke_result_t<Query&, storage::reader&>>
awaitable<Answer> read(caf::actor_system& system, const actors::store_actor& store, std::chrono::milliseconds timeout,
                       Query query, actors::urgency how = actors::urgency::prompt) {
  auto box = std::make_shared<std::optional<Answer>>();
  actors::read_task task{[box, query = std::move(query)](storage::reader& from) mutable { box->emplace(query(from)); },
                         how};
  const auto unbox = [box](result<caf::message> got) -> Answer {
    if (!got) return got.error();
    if (!*box) return fail(errc::internal, "a read ended without an answer");
    return std::move(**box);
  };
  return detail::request(system, store, caf::make_message(std::move(task)), timeout, unbox);
}

} // namespace dr::http
