#include "tests/support/tcp_gate.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace dr::test {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool send_all(int to, const char* data, std::size_t size) {
  while (size > 0) {
    auto sent = ::send(to, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

} // namespace

tcp_gate::tcp_gate(std::string host, int port) : host_(std::move(host)), upstream_port_(port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 || ::pipe(wake_) != 0)
    throw std::runtime_error("the gate cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

tcp_gate::~tcp_gate() {
  stop_ = true;
  wake();
  thread_.join();
  for (auto& both : pairs_) close(both);
  for (int fd : {listener_, wake_[0], wake_[1]}) ::close(fd);
}

void tcp_gate::close(pair& both) {
  ::close(both.client);
  ::close(both.server);
}

void tcp_gate::wake() { [[maybe_unused]] auto woken = ::write(wake_[1], "x", 1); }

void tcp_gate::shut() {
  std::scoped_lock lock{mutex_};
  shut_all();
}

void tcp_gate::shut_all() {
  shut_ = true;
  for (auto& both : pairs_) {
    ::shutdown(both.client, SHUT_RDWR);
    ::shutdown(both.server, SHUT_RDWR);
  }
}

void tcp_gate::open() {
  std::scoped_lock lock{mutex_};
  shut_ = false;
}

void tcp_gate::freeze() {
  std::scoped_lock lock{mutex_};
  frozen_ = true;
  wake();
}

void tcp_gate::thaw() {
  std::scoped_lock lock{mutex_};
  frozen_ = false;
  for (auto& both : pairs_) {
    const auto kept = std::exchange(both.kept, {});
    if (!send_all(both.server, kept.data(), kept.size())) ::shutdown(both.client, SHUT_RDWR);
  }
  wake();
}

void tcp_gate::set(trap what, std::string text) {
  std::scoped_lock lock{mutex_};
  trap_ = what;
  trap_text_ = std::move(text);
  sprung_ = false;
}

bool tcp_gate::sprung(std::chrono::milliseconds limit) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  while (!sprung_ && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  return sprung_;
}

int tcp_gate::connect_upstream() const {
  int result = -1;
  int fd = -1;
  if (host_.starts_with("/")) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto path = host_ + "/.s.PGSQL." + std::to_string(upstream_port_);
    if (path.size() >= sizeof address.sun_path) return -1;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    result = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    auto address = loopback(upstream_port_);
    if (host_ != "localhost") ::inet_pton(AF_INET, host_.c_str(), &address.sin_addr);
    fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    result = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  if (result == 0) return fd;
  ::close(fd);
  return -1;
}

void tcp_gate::accept_one() {
  int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  std::scoped_lock lock{mutex_};
  int server = shut_ ? -1 : connect_upstream();
  if (server < 0) {
    ::close(client);
    return;
  }
  ++accepted_;
  pairs_.push_back({client, server});
}

/// What becomes of the client's piece that the trap waited for. False: the connection is over.
bool tcp_gate::spring(trap what, pair& through, std::string_view piece) {
  switch (what) {
  case trap::shut_before:
    shut_all();
    [[fallthrough]];
  case trap::cut_before:
    sprung_ = true;
    return false;
  case trap::lose:
    through.lost = true;
    sprung_ = true;
    return true;
  case trap::freeze_before:
    through.kept = piece;
    frozen_ = true;
    sprung_ = true;
    return true;
  default:
    through.answer = what;
    return send_all(through.server, piece.data(), piece.size());
  }
}

/// What becomes of the server's answer to it.
bool tcp_gate::answer(pair& through, std::string_view piece) {
  if (through.answer == trap::truncate_answer) send_all(through.client, piece.data(), piece.size() / 2);
  if (through.answer == trap::shut_after) shut_all();
  sprung_ = true;
  return through.answer == trap::swallow_answer;
}

/// Passes one piece on. False: the connection is over.
bool tcp_gate::pass(pair& through, bool from_client) {
  std::array<char, 65536> bytes;
  auto size = ::recv(from_client ? through.client : through.server, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  if (delay_ms_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds{delay_ms_});
  const std::string_view piece(bytes.data(), static_cast<std::size_t>(size));
  if (!from_client) {
    if (through.answer != trap::none) return answer(through, piece);
    return send_all(through.client, piece.data(), piece.size());
  }
  if (trap_ != trap::none && piece.find(trap_text_) != std::string_view::npos)
    return spring(std::exchange(trap_, trap::none), through, piece);
  return send_all(through.server, piece.data(), piece.size());
}

void tcp_gate::run() {
  while (!stop_) {
    std::vector<pollfd> waiting{{wake_[0], POLLIN, 0}};
    std::vector<std::list<pair>::iterator> order;
    {
      std::scoped_lock lock{mutex_};
      if (!frozen_) waiting.push_back({listener_, POLLIN, 0});
      for (auto at = pairs_.begin(); !frozen_ && at != pairs_.end(); ++at) {
        if (at->lost) continue;
        waiting.push_back({at->client, POLLIN, 0});
        waiting.push_back({at->server, POLLIN, 0});
        order.push_back(at);
      }
    }
    if (::poll(waiting.data(), waiting.size(), 1000) < 0) continue;
    char woken = 0;
    if (waiting[0].revents && ::read(wake_[0], &woken, 1) < 0) return;
    if (waiting.size() > 1 && waiting[1].revents) accept_one();
    std::scoped_lock lock{mutex_};
    for (std::size_t i = 0; i < order.size() && !frozen_; ++i) {
      bool alive = true;
      if (waiting[2 + 2 * i].revents) alive = pass(*order[i], true);
      if (alive && waiting[3 + 2 * i].revents && !frozen_) alive = pass(*order[i], false);
      if (alive) continue;
      close(*order[i]);
      pairs_.erase(order[i]);
    }
  }
}

} // namespace dr::test
