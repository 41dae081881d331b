// Where a request came from and what it calls us: Host, X-Forwarded-* from trusted proxies only, Origin.
#pragma once

#include "http/server/request.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dr::http {

/// True for a host as it may stand in a Host header: a name, an IPv4 or a bracketed IPv6 address, and perhaps a port.
bool valid_host(std::string_view host) noexcept;

/// The networks whose X-Forwarded-* are believed. Read-only after it was made.
class trusted_proxies {
public:
  /// Addresses ("10.0.0.7") and networks ("10.0.0.0/8", "fd00::/8"); what is neither is left out.
  explicit trusted_proxies(const std::vector<std::string>& networks);
  ~trusted_proxies();
  trusted_proxies(const trusted_proxies&) = delete;
  trusted_proxies& operator=(const trusted_proxies&) = delete;
  bool contains(std::string_view address) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// How the client sees us.
struct request_origin {
  std::string base;   ///< "http://host:8080", for links; empty when the Host is not valid
  std::string client; ///< the client's address, for logs
  bool valid = true;  ///< false: the Host header is missing or malformed
  bool local = true;  ///< the Host is a name of this machine only, or a trusted proxy's word
};
request_origin origin_of(const request_context& request, const trusted_proxies& proxies);

/// True when a browser says that the request was made by a page of another origin than `base`.
bool is_cross_site(const request_context& request, std::string_view base);

} // namespace dr::http
