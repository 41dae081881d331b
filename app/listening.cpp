#include "app/listening.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace dr {

namespace {

constexpr int backlog = 4096; // connection attempts kept while a server restarts
constexpr int listen_descriptor = 3;

struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  const sockaddr_in& v4() const { return reinterpret_cast<const sockaddr_in&>(storage); }
  const sockaddr_in6& v6() const { return reinterpret_cast<const sockaddr_in6&>(storage); }
};

socket_address address_of(const endpoint& at) {
  socket_address out;
  if (auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage); inet_pton(AF_INET, at.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(at.port);
    out.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    inet_pton(AF_INET6, at.host.c_str(), &v6.sin6_addr);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(at.port);
    out.size = sizeof v6;
  }
  return out;
}

std::uint16_t port_in(const socket_address& of) {
  return ntohs(of.storage.ss_family == AF_INET ? of.v4().sin_port : of.v6().sin6_port);
}

/// As bytes, so that two ways to write an IPv6 address are the same.
std::string host_in(const socket_address& of) {
  if (of.storage.ss_family == AF_INET)
    return {reinterpret_cast<const char*>(&of.v4().sin_addr), sizeof of.v4().sin_addr};
  return {reinterpret_cast<const char*>(&of.v6().sin6_addr), sizeof of.v6().sin6_addr};
}

} // namespace

int listen_on(const endpoint& at) {
  const auto address = address_of(at);
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0 && ::listen(fd, backlog) == 0)
    return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

bool is_bound_to(int fd, const endpoint& at) {
  socket_address bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) return false;
  auto wanted = address_of(at);
  return (at.port == 0 || port_in(bound) == at.port) && host_in(bound) == host_in(wanted);
}

std::uint16_t port_of(int fd) {
  socket_address bound;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) == 0 ? port_in(bound) : 0;
}

std::optional<int> inherited_listener() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  const bool ours = pid && count && std::strtol(pid, nullptr, 10) == ::getpid() && std::strtol(count, nullptr, 10) >= 1;
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  if (!ours) return {};
  const int flags = ::fcntl(listen_descriptor, F_GETFL);
  if (flags < 0) return {};
  ::fcntl(listen_descriptor, F_SETFL, flags | O_NONBLOCK);
  ::fcntl(listen_descriptor, F_SETFD, FD_CLOEXEC);
  return listen_descriptor;
}

} // namespace dr
