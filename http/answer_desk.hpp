// Where the answers of actors wait for an io thread: one desk per io_context. Actors answer in bursts, as the store
// commits in batches; the desk wakes the thread once for a burst and watches the deadlines of all requests with one
// timer. So a request costs neither a timer nor a wake-up of its own.
#pragma once

#include "domain/error.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/set.hpp>
#include <caf/message.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace dr::http {

/// A request under way. Whoever may still answer it owns it.
class waiting_request : public std::enable_shared_from_this<waiting_request>, public boost::intrusive::set_base_hook<> {
public:
  waiting_request() = default;
  waiting_request(const waiting_request&) = delete;
  waiting_request& operator=(const waiting_request&) = delete;
  virtual ~waiting_request() = default;
  /// The first answer, or timed_out. Once, on the io thread.
  virtual void complete(result<caf::message> answer) = 0;
  /// The io_context goes away and nobody waits any longer.
  virtual void abandon() noexcept = 0;

private:
  friend class answer_desk;
  struct by_deadline {
    bool operator()(const waiting_request& a, const waiting_request& b) const noexcept {
      return a.deadline_ < b.deadline_;
    }
  };
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::milliseconds timeout_{};
  std::optional<result<caf::message>> answer_;
};

/// Its context is run by one thread. A request that waits is alive: it is let go only with an answer, which the desk
/// then keeps with it.
class answer_desk : public std::enable_shared_from_this<answer_desk> {
public:
  explicit answer_desk(boost::asio::execution_context& of);
  /// The desk of a context, which must be an io_context.
  static std::shared_ptr<answer_desk> of(boost::asio::execution_context& context);

  /// From now on the request waits, for `timeout` at most. On the io thread.
  void expect(waiting_request& request, std::chrono::milliseconds timeout);
  /// Lays an answer down; the first one counts, and one that comes too late is dropped. From any thread.
  void deliver(const std::shared_ptr<waiting_request>& request, result<caf::message> answer);
  /// No handler runs in the context any more: abandons all that wait, and drops what is delivered from now on.
  /// Repeating it changes nothing.
  void close() noexcept;

private:
  using waiting_set =
      boost::intrusive::multiset<waiting_request, boost::intrusive::compare<waiting_request::by_deadline>>;
  using burst = std::vector<std::shared_ptr<waiting_request>>;

  void hand_out();
  void expire();
  void watch();
  static void finish(waiting_request& request);

  std::mutex mutex_;
  waiting_set waiting_;
  burst answered_; ///< whose answers lie here
  bool open_ = true;
  // Used on the io thread only.
  std::optional<boost::asio::steady_timer> timer_;
  std::chrono::steady_clock::time_point watched_ = std::chrono::steady_clock::time_point::max(); ///< when it rings
};

} // namespace dr::http
