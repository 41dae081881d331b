#include "config/settings.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace dr {

std::string endpoint::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool endpoint::loopback() const {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::filesystem::path admin_token_file(const settings& s) { return s.data_dir / "admin.token"; }
std::filesystem::path pid_file_path(const settings& s) { return s.data_dir / "drplatform.pid"; }
std::filesystem::path clock_anchor_file(const settings& s) { return s.data_dir / "clock.anchor"; }

const char* to_string(auth_mode mode) noexcept { return mode == auth_mode::off ? "off" : "token"; }

const char* to_string(log_level level) noexcept {
  switch (level) {
  case log_level::trace:
    return "trace";
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warn:
    return "warn";
  case log_level::error:
    return "error";
  }
  return "info";
}

} // namespace dr
