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

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
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

/// Sends `what` to an actor and waits for its answer, which comes exactly once: the answer, the actor's error,
/// timed_out after `timeout`, or outcome_unknown when the actor is dead or lets the promise go. An answer that comes
/// later is dropped. `timeout` is real time and > 0. The actor may be invalid (then it is dead).
awaitable<result<caf::message>> ask_message(caf::actor_system& system, caf::strong_actor_ptr to, caf::message what,
                                            std::chrono::milliseconds timeout);

/// Runs a coroutine on its own. What it throws is logged under the name.
void spawn_task(const boost::asio::any_io_executor& on, const char* name, awaitable<void> task);

namespace detail {

template <class Reply> awaitable<result<Reply>> unpack(awaitable<result<caf::message>> pending) {
  auto got = co_await std::move(pending);
  if (!got) co_return got.error();
  if (!got->template match_elements<Reply>()) co_return fail(errc::internal, "an actor gave an unexpected answer");
  co_return std::move(got->template get_mutable_as<Reply>(0));
}

template <class Answer>
awaitable<Answer> unbox(awaitable<result<caf::message>> pending, std::shared_ptr<std::optional<Answer>> box) {
  auto got = co_await std::move(pending);
  if (!got) co_return got.error();
  if (!*box) co_return fail(errc::internal, "a read ended without an answer");
  co_return std::move(**box);
}

} // namespace detail

/// The same, typed: `Handle` is a typed actor, `Reply` what it answers to `Message`.
template <class Reply, class Handle, class Message>
awaitable<result<Reply>> ask(caf::actor_system& system, const Handle& to, Message what,
                             std::chrono::milliseconds timeout) {
  auto target = to ? caf::actor_cast<caf::strong_actor_ptr>(to) : nullptr;
  return detail::unpack<Reply>(ask_message(system, std::move(target), caf::make_message(std::move(what)), timeout));
}

/// Runs `query(storage::reader&) -> result<T>` on one of the store's readers and waits for what it read. It runs on
/// another thread, perhaps after the timeout: it may capture values only.
template <class Query, class Answer = std::invoke_result_t<Query&, storage::reader&>>
awaitable<Answer> read(caf::actor_system& system, const actors::store_actor& store, std::chrono::milliseconds timeout,
                       Query query) {
  auto box = std::make_shared<std::optional<Answer>>();
  actors::read_task task{[box, query = std::move(query)](storage::reader& from) mutable { box->emplace(query(from)); }};
  auto target = store ? caf::actor_cast<caf::strong_actor_ptr>(store) : nullptr;
  return detail::unbox<Answer>(ask_message(system, std::move(target), caf::make_message(std::move(task)), timeout),
                               std::move(box));
}

} // namespace dr::http
