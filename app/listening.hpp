// The listening socket: made once by the launcher, inherited by every server.
#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <optional>

namespace dr {

/// A listening socket, non-blocking and close-on-exec; -1 and errno when that fails. Port 0 takes a free one.
int listen_on(const endpoint& at);
/// The port of a listening socket.
std::uint16_t port_of(int fd);
/// Is it this address? Port 0 is any.
bool is_bound_to(int fd, const endpoint& at);

/// The listening socket that a launcher or systemd handed to this process (LISTEN_PID, LISTEN_FDS), non-blocking and
/// close-on-exec; nothing when there is none. Takes it: a second call gives nothing.
std::optional<int> inherited_listener();

} // namespace dr
