#include "http/origin.hpp"

#include "http/codecs/text.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <memory>

namespace dr::http {

namespace {

namespace ip = boost::asio::ip;
constexpr std::size_t longest_host = 255;

bool is_alnum(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool valid_port(std::string_view text) noexcept {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The first of a comma-separated list: the client's own, as the outermost proxy saw it.
std::string_view first_of_list(std::string_view list) noexcept { return trimmed(list.substr(0, list.find(','))); }

} // namespace

bool valid_host(std::string_view host) noexcept {
  if (host.empty() || host.size() > longest_host) return false;
  if (host.front() == '[') {
    const auto end = host.find(']');
    if (end == std::string_view::npos) return false;
    boost::system::error_code ec;
    ip::make_address_v6(std::string(host.substr(1, end - 1)), ec);
    if (host.find('%') < end) return false; // a zone, which may be any text, means something on its own machine only
    const auto rest = host.substr(end + 1);
    return !ec && (rest.empty() || (rest.front() == ':' && valid_port(rest.substr(1))));
  }
  const auto colon = host.find(':');
  const auto name = host.substr(0, colon);
  const auto letter = [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), letter)) return false;
  return colon == std::string_view::npos || valid_port(host.substr(colon + 1));
}

struct trusted_proxies::impl {
  std::vector<ip::network_v4> v4;
  std::vector<ip::network_v6> v6;
};

trusted_proxies::trusted_proxies(const std::vector<std::string>& networks) : impl_(std::make_unique<impl>()) {
  for (const auto& text : networks) {
    boost::system::error_code ec;
    const bool one = text.find('/') == std::string::npos;
    const auto four = ip::make_network_v4(one ? text + "/32" : text, ec);
    if (!ec) {
      impl_->v4.push_back(four.canonical());
      continue;
    }
    const auto six = ip::make_network_v6(one ? text + "/128" : text, ec);
    if (!ec) impl_->v6.push_back(six.canonical());
  }
}
trusted_proxies::~trusted_proxies() = default;

bool trusted_proxies::contains(std::string_view address) const {
  if (impl_->v4.empty() && impl_->v6.empty()) return false;
  boost::system::error_code ec;
  auto peer = ip::make_address(std::string(address), ec);
  if (ec) return false;
  if (peer.is_v6() && peer.to_v6().is_v4_mapped()) peer = ip::make_address_v4(ip::v4_mapped, peer.to_v6());
  if (peer.is_v4())
    return std::any_of(impl_->v4.begin(), impl_->v4.end(), [&](const ip::network_v4& net) {
      return ip::network_v4(peer.to_v4(), net.prefix_length()).canonical() == net;
    });
  return std::any_of(impl_->v6.begin(), impl_->v6.end(), [&](const ip::network_v6& net) {
    return ip::network_v6(peer.to_v6(), net.prefix_length()).canonical() == net;
  });
}

/// "localhost", names below it and loopback addresses, with or without a port: what no other site's name leads to.
bool is_local_name(std::string_view host) {
  auto name = host.substr(0, host.front() == '[' ? host.find(']') : host.find(':'));
  if (name.front() == '[') name.remove_prefix(1);
  boost::system::error_code ec;
  const auto address = ip::make_address(std::string(name), ec);
  if (!ec) return address.is_loopback();
  constexpr std::string_view below = ".localhost";
  return equal_ignoring_case(name, "localhost") ||
         (name.size() > below.size() && equal_ignoring_case(name.substr(name.size() - below.size()), below));
}

request_origin origin_of(const request_context& request, const trusted_proxies& proxies) {
  request_origin made;
  made.client = request.peer_address;
  const bool proxied = proxies.contains(request.peer_address);
  auto host = request.header("Host").value_or("");
  std::string_view scheme = "http";
  if (proxied) {
    const auto proto = first_of_list(request.header("X-Forwarded-Proto").value_or(""));
    if (equal_ignoring_case(proto, "https")) scheme = "https";
    if (const auto named = first_of_list(request.header("X-Forwarded-Host").value_or("")); !named.empty()) host = named;
    const auto client = first_of_list(request.header("X-Forwarded-For").value_or(""));
    if (!client.empty() && client.size() <= 64 && !has_control_character(client)) made.client = client;
  }
  if (host.empty() && request.minor_version == 0) host = "localhost";
  made.valid = valid_host(host);
  made.local = proxied || (made.valid && is_local_name(host));
  if (made.valid) made.base = std::string(scheme) + "://" + std::string(host);
  return made;
}

bool is_cross_site(const request_context& request, std::string_view base) {
  const auto origin = request.header("Origin");
  return origin && !equal_ignoring_case(*origin, base);
}

} // namespace dr::http
