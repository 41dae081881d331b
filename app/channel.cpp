#include "app/channel.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace dr {

namespace {

constexpr timeval send_timeout{2, 0};
constexpr int askers_waiting = 8;

error channel_error(const std::string& what) { return fail(errc::internal, what + ": " + std::strerror(errno)); }

/// A socket's path must be short, a data folder's may be long: the folder is named by its descriptor.
struct socket_place {
  explicit socket_place(const std::filesystem::path& data_dir)
      : folder(::open(data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    name.sun_family = AF_UNIX;
    const auto path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + launcher_socket;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
  }
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&name); }
  unique_descriptor folder;
  sockaddr_un name{};
};

union control_space {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

void attach(msghdr& out, control_space& space, int descriptor) {
  out.msg_control = space.bytes;
  out.msg_controllen = sizeof space.bytes;
  cmsghdr* first = CMSG_FIRSTHDR(&out);
  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_RIGHTS;
  first->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(first), &descriptor, sizeof descriptor);
}

unique_descriptor detach(msghdr& in) {
  int descriptor = -1;
  cmsghdr* first = CMSG_FIRSTHDR(&in);
  if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS)
    std::memcpy(&descriptor, CMSG_DATA(first), sizeof descriptor);
  return unique_descriptor{descriptor};
}

/// True when there is something to read, the end included.
bool readable(int descriptor, std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  for (;;) {
    pollfd one{descriptor, POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const int found = ::poll(&one, 1, static_cast<int>(std::max(left, std::chrono::milliseconds{0}).count()));
    if (found >= 0 || errno != EINTR) return found > 0;
  }
}

} // namespace

unique_descriptor::~unique_descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

result<std::pair<channel, channel>> channel::make_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return channel_error("no pair of sockets");
  return std::pair{channel{unique_descriptor{ends[0]}}, channel{unique_descriptor{ends[1]}}};
}

bool channel::send(std::string_view text, int descriptor) const {
  if (!end_ || text.size() > most_bytes) return false;
  ::setsockopt(end_.get(), SOL_SOCKET, SO_SNDTIMEO, &send_timeout, sizeof send_timeout);
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr out{};
  out.msg_iov = &part;
  out.msg_iovlen = 1;
  control_space space{};
  if (descriptor >= 0) attach(out, space, descriptor);
  for (;;) {
    if (::sendmsg(end_.get(), &out, MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

channel::outcome channel::receive(message& into, std::chrono::milliseconds within) const {
  if (!end_) return outcome::ended;
  if (!readable(end_.get(), within)) return outcome::nothing;
  const auto size = ::recv(end_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  if (size <= 0) return size < 0 && errno == EAGAIN ? outcome::nothing : outcome::ended; // no message of ours is empty
  into.text.resize(static_cast<std::size_t>(size));
  iovec part{into.text.data(), into.text.size()};
  msghdr in{};
  in.msg_iov = &part;
  in.msg_iovlen = 1;
  control_space space{};
  in.msg_control = space.bytes;
  in.msg_controllen = sizeof space.bytes;
  ssize_t got = -1;
  while ((got = ::recvmsg(end_.get(), &in, MSG_CMSG_CLOEXEC | MSG_DONTWAIT)) < 0 && errno == EINTR) {}
  if (got != size) return outcome::ended;
  into.passed = detach(in);
  return outcome::message;
}

void channel::shut() const noexcept {
  if (end_) ::shutdown(end_.get(), SHUT_RDWR);
}

result<unique_descriptor> listen_in(const std::filesystem::path& data_dir) {
  const socket_place place(data_dir);
  unique_descriptor listener{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!place.folder || !listener) return channel_error("no socket for requests");
  ::unlinkat(place.folder.get(), launcher_socket, 0);
  const auto before = ::umask(0177);
  const int bound = ::bind(listener.get(), place.address(), sizeof place.name);
  ::umask(before);
  if (bound != 0 || ::listen(listener.get(), askers_waiting) != 0)
    return channel_error("cannot listen on " + (data_dir / launcher_socket).string());
  return listener;
}

std::optional<channel> accept_from(const unique_descriptor& listener) {
  unique_descriptor one{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  if (!one) return {};
  return channel{std::move(one)};
}

result<channel> connect_to_launcher(const std::filesystem::path& data_dir) {
  const socket_place place(data_dir);
  unique_descriptor end{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
  if (!place.folder || !end || ::connect(end.get(), place.address(), sizeof place.name) != 0)
    return fail(errc::not_found, "nothing that `drplatform up` or script/server started runs on " + data_dir.string());
  return channel{std::move(end)};
}

} // namespace dr
