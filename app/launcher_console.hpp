// What the launcher says, and how it looks whether its children answer.
#pragma once

#include "app/launcher.hpp"

#include <string>

namespace dr {

/// Where it is reached from this machine: a wildcard address through the loopback one.
std::string url_of(endpoint at);
/// The status of a GET; 0 when nobody answers within half a second.
long probe(const std::string& url);
/// A wait status in words: "was ended by signal 9", "ended with status 1".
std::string how_it_ended(int status);
/// The welcome on stdout, with what to try next.
void print_banner(const launcher_options& options, const endpoint& address);

} // namespace dr
