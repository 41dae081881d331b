// Who asks: the admin, a customer, or somebody without a token.
#pragma once

#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "http/bridge.hpp"
#include "http/server/request.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace dr::http {

struct front_context;

/// Who a request comes from.
struct identity {
  actors::caller by;      ///< meaningful unless anonymous
  bool anonymous = false; ///< on an open route without a valid token
  std::string token_hash; ///< of a customer's token
  /// "admin" or "user:7".
  std::string principal() const;
};

/// Checks tokens. Customers' tokens are looked up by hash in the store; a small cache saves the lookup for a while.
/// Thread-safe.
class access_control {
public:
  static constexpr std::size_t max_cached = 50'000; ///< in each of two generations
  static constexpr std::chrono::minutes cache_time{10};

  access_control(auth_mode mode, std::string admin_token);
  bool off() const noexcept { return mode_ == auth_mode::off; }
  /// The secret that only this installation knows, for sealing; empty when access control is off.
  const std::string& secret() const noexcept { return admin_token_; }

  /// True when this is the hash of the admin's token.
  bool is_admin(std::string_view token_hash) const;
  /// A customer known lately.
  std::optional<user_id> cached(const std::string& token_hash);
  /// Remembers a lookup that began at `generation`, unless something was forgotten meanwhile.
  void remember(const std::string& token_hash, user_id user, std::uint64_t generation);
  std::uint64_t generation();
  /// The user's token was (or may have been) rotated or revoked.
  void forget(user_id user);

private:
  struct entry {
    user_id user;
    std::chrono::steady_clock::time_point until;
  };
  const auth_mode mode_;
  const std::string admin_token_;
  const std::string admin_hash_;
  std::mutex mutex_;
  using token_map = std::unordered_map<std::string, entry>; ///< by hash
  token_map cache_;
  token_map older_; ///< what was known when cache_ was last full
  std::uint64_t generation_ = 0;
};

/// Who asks, as far as that is known without the store; nothing when only the store can tell. `in_query`: the token may
/// come as ?access_token= (WebSocket routes only). Fails: unauthorized.
std::optional<result<identity>> recognise(front_context& app, const request_context& request, bool in_query);
/// Asks the store about a token that recognise() does not know. Fails: unauthorized, store errors.
awaitable<result<identity>> identify(front_context& app, const request_context& request, bool in_query);

/// What admission found out about a request; attached to it for its handler.
struct admission {
  identity who;
  std::string origin; ///< "http://host", for links
};

} // namespace dr::http
