#include "config/settings.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>

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

std::size_t connection_limit(const http_settings& http) {
  constexpr std::size_t reserved = 256; // logs, database, KEPCO, scheduler, files being read
  constexpr std::size_t fewest = 64;
  if (http.max_connections != 0) return http.max_connections;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fewest;
  const auto descriptors = static_cast<std::size_t>(std::min<rlim_t>(limit.rlim_cur, 1'000'000));
  return descriptors > reserved + fewest ? descriptors - reserved : fewest;
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
