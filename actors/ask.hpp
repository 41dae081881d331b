// Helpers for actors that ask the store: a typed read, and a write, each with a named timeout, a value path and an
// error path. The answer travels in the request itself, so that a reply that never comes leaks nothing.
#pragma once

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"

#include <caf/duration.hpp>
#include <caf/sec.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace dr::actors {

/// A promise that cannot be forgotten. CAF tells nobody when a promise dies with the continuation that holds it, and a
/// requester without a timeout would wait for ever; this one then answers that the request was interrupted.
template <class T> class kept_promise {
public:
  kept_promise() = default;
  kept_promise(caf::typed_response_promise<T> reply) : box_(std::make_shared<box>(std::move(reply))) {}
  /// The first answer counts. In the actor's own turn.
  template <class Answer> void deliver(Answer&& answer) {
    if (!box_ || std::exchange(box_->answered, true)) return;
    box_->reply.deliver(std::forward<Answer>(answer));
  }

private:
  struct box {
    explicit box(caf::typed_response_promise<T> to) : reply(std::move(to)) {}
    box(const box&) = delete;
    box& operator=(const box&) = delete;
    ~box() {
      if (!answered) reply.deliver(caf::make_error(caf::sec::request_receiver_down));
    }
    caf::typed_response_promise<T> reply;
    bool answered = false;
  };
  std::shared_ptr<box> box_;
};

/// Runs `query(storage::reader&) -> result<T>` on a reader. Later, in the actor's own turn, exactly one of
/// `on_value(T)` and `on_error(dr::error)` is called. `query` runs on another thread: it may capture values only.
template <class Self, class Query, class OnValue, class OnError>
void read(Self* self, const store_actor& store, std::chrono::milliseconds timeout, Query query, OnValue on_value,
          OnError on_error, urgency how = urgency::prompt) {
  using answer = std::invoke_result_t<Query, storage::reader&>;
  auto box = std::make_shared<std::optional<answer>>();
  read_task task{[box, query = std::move(query)](storage::reader& from) { box->emplace(query(from)); }, how};
  self->request(store, timeout, std::move(task))
      .then(
          [box, on_value = std::move(on_value), on_error](const read_done&) mutable {
            if (!*box) return on_error(fail(errc::internal, "a read ended without an answer"));
            auto& got = **box;
            if (!got) return on_error(got.error());
            if constexpr (std::is_void_v<typename answer::value_type>)
              on_value();
            else
              on_value(std::move(*got));
          },
          [on_error](const caf::error& why) mutable { on_error(from_caf(why)); });
}

/// Makes a change durable; exactly one of `on_written(storage::written)` and `on_error(dr::error)` is called. Where
/// many wait at once, `timeout` is infinite: each timer costs the clock's thread a wake-up, and the store answers
/// everybody in its own time, also when it or a worker of it dies.
template <class Self, class Timeout, class OnWritten, class OnError>
void write(Self* self, const store_actor& store, Timeout timeout, storage::write what, OnWritten on_written,
           OnError on_error) {
  self->request(store, timeout, persist{std::move(what)})
      .then([on_written = std::move(on_written)](storage::written& done) mutable { on_written(std::move(done)); },
            [on_error = std::move(on_error)](const caf::error& why) mutable { on_error(from_caf(why)); });
}

/// An error that passes by itself: try again later.
inline bool passing(const error& why) noexcept {
  return leaves_doubt(why) || why.code == errc::store_unavailable || why.code == errc::overloaded;
}

} // namespace dr::actors
