#include "app/launcher_link.hpp"

#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace dr {

namespace {

std::optional<int> number_in(const char* text) {
  if (!text) return {};
  const std::string_view digits(text);
  int value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || value < 0) return {};
  return value;
}

} // namespace

launcher_link launcher_link::inherited() {
  launcher_link made;
  const auto descriptor = number_in(std::getenv(link_variable));
  made.standby_ = descriptor && std::getenv(standby_variable) != nullptr;
  ::unsetenv(link_variable);
  ::unsetenv(standby_variable);
  if (descriptor && ::fcntl(*descriptor, F_SETFD, FD_CLOEXEC) == 0)
    made.line_ = channel{unique_descriptor{*descriptor}};
  return made;
}

void launcher_link::say(std::string_view word, std::string_view text) const {
  line_.send(std::string(word).append(text));
}

std::optional<launcher_order> launcher_link::take_order() {
  channel::message said;
  const auto how = line_.receive(said, std::chrono::milliseconds{0});
  if (how == channel::outcome::ended) line_ = {};
  if (how != channel::outcome::message) return {};
  launcher_order order;
  std::string_view word = launcher_words::hand_over;
  if (said.text.starts_with(launcher_words::take_over)) {
    order.what = launcher_order::kind::take_over;
    word = launcher_words::take_over;
  } else if (!said.text.starts_with(word)) {
    return {};
  }
  order.patience = std::chrono::milliseconds{number_in(said.text.c_str() + word.size()).value_or(0)};
  order.peer = channel{std::move(said.passed)};
  return order;
}

} // namespace dr
