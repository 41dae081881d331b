#include "app/orders.hpp"

#include <array>
#include <csignal>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace dr {

namespace {

constexpr int lease_lost_signal = SIGUSR2; ///< sent to ourselves when the store finds itself fenced
constexpr std::chrono::hours next_look{1}; ///< nothing depends on it

} // namespace

server_orders::server_orders() : link(launcher_link::inherited()) {
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int number : {SIGTERM, SIGINT, lease_lost_signal}) sigaddset(&awaited, number);
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  signals_ = unique_descriptor{::signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK)};
}

std::variant<server_event, launcher_order> server_orders::wait(std::chrono::milliseconds at_most) {
  std::array<pollfd, 2> watched{{{signals_.get(), POLLIN, 0}, {link.descriptor(), POLLIN, 0}}};
  ::poll(watched.data(), watched.size(), static_cast<int>(at_most.count()));
  signalfd_siginfo one{};
  if (::read(signals_.get(), &one, sizeof one) == static_cast<ssize_t>(sizeof one))
    return one.ssi_signo == lease_lost_signal ? server_event::lease_lost : server_event::stop;
  if (auto order = link.take_order()) return std::move(*order);
  return server_event::none;
}

std::variant<server_event, launcher_order> server_orders::wait() {
  for (;;) {
    auto what = wait(next_look);
    if (const auto* event = std::get_if<server_event>(&what); !event || *event != server_event::none) return what;
  }
}

void server_orders::tell_lease_lost() { ::kill(::getpid(), lease_lost_signal); }

} // namespace dr
