// Whole messages between processes of ours, each with at most one descriptor: how launcher, servers and
// `drplatform restart` talk, and how connections change hands.
#pragma once

#include "domain/error.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dr {

/// Owns an open descriptor, or none (-1).
class unique_descriptor {
public:
  unique_descriptor() = default;
  explicit unique_descriptor(int fd) noexcept : fd_(fd) {}
  unique_descriptor(unique_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_descriptor& operator=(unique_descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~unique_descriptor();
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }
  /// Gives the ownership away.
  int release() noexcept { return std::exchange(fd_, -1); }

private:
  int fd_ = -1;
};

/// One end of a connected pair of sockets (AF_UNIX, SOCK_SEQPACKET). A channel without a descriptor is closed: it takes
/// nothing and has ended.
class channel {
public:
  struct message {
    std::string text;
    unique_descriptor passed; ///< none with most
  };
  enum class outcome : std::uint8_t { message, nothing, ended };

  channel() = default;
  explicit channel(unique_descriptor end) noexcept : end_(std::move(end)) {}
  /// Both ends, close-on-exec. Fails: internal.
  static result<std::pair<channel, channel>> make_pair();

  int descriptor() const noexcept { return end_.get(); }
  /// Sends one message of at most `most_bytes`, waiting at most two seconds for room. The descriptor stays the
  /// caller's. False when the other end is gone or does not read. Thread-safe.
  bool send(std::string_view text, int descriptor = -1) const;
  /// The next message: `nothing` when none comes in time, `ended` when the other end is gone.
  outcome receive(message& into, std::chrono::milliseconds within) const;
  /// Ends both directions: a receive that waits in another thread returns.
  void shut() const noexcept;

  static constexpr std::size_t most_bytes = 192 * 1024;

private:
  unique_descriptor end_;
};

inline constexpr const char* launcher_socket = "launcher.sock";
/// Where a launcher takes requests: a socket in the data folder that only its owner may use.
/// Fails: internal. The caller holds the launcher's pid file: a socket that is there already is a dead one's.
result<unique_descriptor> listen_in(const std::filesystem::path& data_dir);
/// The next one who asks at such a socket; nothing when nobody waits.
std::optional<channel> accept_from(const unique_descriptor& listener);
/// A channel to the launcher of that data folder. Fails: not_found when none runs there.
result<channel> connect_to_launcher(const std::filesystem::path& data_dir);

} // namespace dr
