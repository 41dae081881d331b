#include "app/inheritance.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace dr {

namespace {

constexpr char connection_mark = 'c'; ///< what was read of it follows
constexpr char release_mark = 'r';
constexpr std::chrono::minutes next_look{10}; ///< nothing depends on it

} // namespace

void estate::give(int descriptor, std::string unread) const {
  const unique_descriptor own{descriptor};
  if (!to_->send(connection_mark + unread, own.get()))
    spdlog::warn("a connection was closed: the successor does not take it");
}

void estate::release() const { to_->send({&release_mark, 1}); }

inheritance::inheritance(channel from, taker take)
    : from_(std::move(from)), take_(std::move(take)), thread_([this] { run(); }) {}

inheritance::~inheritance() {
  from_.shut();
  thread_.join();
}

void inheritance::run() {
  bool released = false;
  std::size_t taken = 0;
  channel::message one;
  for (auto how = channel::outcome::nothing; how != channel::outcome::ended;) {
    how = from_.receive(one, next_look);
    if (how != channel::outcome::message) continue;
    if (one.text.front() == connection_mark && one.passed) {
      take_(one.passed.release(), one.text.substr(1));
      ++taken;
    } else if (one.text.front() == release_mark && !std::exchange(released, true)) {
      release_.set_value();
    }
  }
  if (!released) release_.set_value();
  if (taken > 0) spdlog::info("took {} open connections over from the server before", taken);
}

bool inheritance::wait_released(std::chrono::milliseconds at_most) const {
  return released_.wait_for(at_most) == std::future_status::ready;
}

} // namespace dr
