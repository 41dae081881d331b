#include "actors/house.hpp"

#include <caf/message_view.hpp>
#include <caf/result.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <exception>
#include <pthread.h>

namespace dr::actors {

namespace {

std::atomic<std::int64_t> unexpected{0};

std::string what_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is not a std::exception";
  }
}

caf::result<caf::message> count_and_drop(caf::scheduled_actor* self, caf::message_view& view) {
  unexpected.fetch_add(1, std::memory_order_relaxed);
  spdlog::debug("{} got a message it does not know: {}", self->name(), caf::to_string(view.content()));
  return caf::sec::unexpected_message;
}

} // namespace

void house_rules(caf::scheduled_actor* self, const char* name) {
  if (self->getf(caf::abstract_actor::is_detached_flag)) ::pthread_setname_np(::pthread_self(), name);
  self->set_default_handler(count_and_drop);
  self->set_exception_handler([name](caf::scheduled_actor*, std::exception_ptr& thrown) {
    auto what = what_of(thrown);
    spdlog::error("{} crashed: {}", name, what);
    return caf::make_error(caf::sec::runtime_error, std::move(what));
  });
}

std::int64_t unexpected_messages() noexcept { return unexpected.load(std::memory_order_relaxed); }

time_point real_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

} // namespace dr::actors
