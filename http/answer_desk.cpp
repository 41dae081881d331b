#include "http/answer_desk.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <string>
#include <utility>

namespace dr::http {

namespace {

namespace asio = boost::asio;

/// Ties a desk to its context: closes it before the context's other services go.
class desk_service final : public asio::execution_context::service {
public:
  using key_type = desk_service;
  static inline asio::execution_context::id id;
  explicit desk_service(asio::execution_context& of)
      : asio::execution_context::service(of), desk(std::make_shared<answer_desk>(of)) {}
  const std::shared_ptr<answer_desk> desk;

private:
  void shutdown() noexcept override { desk->close(); }
};

} // namespace

answer_desk::answer_desk(asio::execution_context& of) { timer_.emplace(static_cast<asio::io_context&>(of)); }

std::shared_ptr<answer_desk> answer_desk::of(asio::execution_context& context) {
  return asio::use_service<desk_service>(context).desk;
}

void answer_desk::expect(waiting_request& request, std::chrono::milliseconds timeout) {
  request.timeout_ = timeout;
  request.deadline_ = std::chrono::steady_clock::now() + timeout;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.insert(request);
  }
  watch();
}

void answer_desk::deliver(const std::shared_ptr<waiting_request>& request, result<caf::message> answer) {
  const std::scoped_lock lock(mutex_);
  if (!open_ || !request->is_linked() || request->answer_) return;
  answered_.push_back(request);
  request->answer_ = std::move(answer);
  if (answered_.size() == 1) asio::post(timer_->get_executor(), [desk = shared_from_this()] { desk->hand_out(); });
}

/// What the continuation throws must not keep the others from their answers.
void answer_desk::finish(waiting_request& request) {
  try {
    if (request.answer_)
      request.complete(std::move(*request.answer_));
    else
      request.complete(fail(errc::timed_out, "There was no answer within " + std::to_string(request.timeout_.count()) +
                                                 " ms; try again."));
  } catch (const std::exception& why) {
    spdlog::error("what follows on an answer failed: {}", why.what());
  } catch (...) {
    spdlog::error("what follows on an answer failed");
  }
}

void answer_desk::hand_out() {
  burst all;
  {
    const std::scoped_lock lock(mutex_);
    all.swap(answered_);
    for (const auto& request : all) waiting_.erase(waiting_set::s_iterator_to(*request));
  }
  for (const auto& request : all) finish(*request);
  watch();
}

void answer_desk::expire() {
  burst late;
  {
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    for (auto it = waiting_.begin(); it != waiting_.end() && it->deadline_ <= now;) {
      auto& request = *it++;
      if (request.answer_) continue; // in time, and about to be handed out
      waiting_.erase(waiting_set::s_iterator_to(request));
      late.push_back(request.shared_from_this());
    }
  }
  for (const auto& request : late) finish(*request);
  watch();
}

/// Sets the timer to the next deadline. While nobody waits it is off, so that it does not keep the context running.
void answer_desk::watch() {
  auto next = std::chrono::steady_clock::time_point::max();
  {
    const std::scoped_lock lock(mutex_);
    if (!open_) return;
    if (!waiting_.empty()) next = waiting_.begin()->deadline_;
  }
  const auto never = std::chrono::steady_clock::time_point::max();
  if (next == never ? watched_ == never : watched_ <= next) return; // it rings early enough, and looks again
  watched_ = next;
  if (next == never) {
    timer_->cancel();
    return;
  }
  timer_->expires_at(next);
  timer_->async_wait([desk = shared_from_this()](const boost::system::error_code& failed) {
    if (failed) return;
    desk->watched_ = std::chrono::steady_clock::time_point::max();
    desk->expire();
  });
}

void answer_desk::close() noexcept {
  burst left;
  {
    const std::scoped_lock lock(mutex_);
    open_ = false;
    left.reserve(waiting_.size());
    while (!waiting_.empty()) {
      auto& request = *waiting_.begin();
      waiting_.erase(waiting_.begin());
      left.push_back(request.shared_from_this());
    }
    answered_.clear();
  }
  for (const auto& request : left) request->abandon();
  timer_.reset();
}

} // namespace dr::http
