#include "http/auth.hpp"

#include "http/codecs/text.hpp"
#include "http/context.hpp"
#include "http/reads.hpp"
#include "http/tokens.hpp"

#include <utility>

namespace dr::http {

namespace {

/// The token of the request; empty when there is none.
std::string_view token_of(const request_context& request, bool in_query) {
  if (const auto field = request.header("Authorization")) {
    const auto blank = field->find(' ');
    if (blank != std::string_view::npos && equal_ignoring_case(field->substr(0, blank), "Bearer"))
      return trimmed(field->substr(blank + 1));
    return {};
  }
  return in_query ? request.query_value("access_token").value_or("") : std::string_view{};
}

} // namespace

std::string identity::principal() const { return by.is_admin() ? "admin" : "user:" + std::to_string(by.user.value); }

access_control::access_control(auth_mode mode, std::string admin_token)
    : mode_(mode), admin_token_(std::move(admin_token)),
      admin_hash_(admin_token_.empty() ? std::string{} : hash_hex(admin_token_)) {}

bool access_control::is_admin(std::string_view token_hash) const {
  return !admin_hash_.empty() && equal_in_constant_time(token_hash, admin_hash_);
}

std::optional<user_id> access_control::cached(const std::string& token_hash) {
  const std::scoped_lock lock(mutex_);
  for (const auto* known : {&cache_, &older_}) {
    const auto at = known->find(token_hash);
    if (at != known->end() && at->second.until >= std::chrono::steady_clock::now()) return at->second.user;
  }
  return std::nullopt;
}

std::uint64_t access_control::generation() {
  const std::scoped_lock lock(mutex_);
  return generation_;
}

void access_control::remember(const std::string& token_hash, user_id user, std::uint64_t generation) {
  const std::scoped_lock lock(mutex_);
  if (generation != generation_) return; // the lookup may have seen what was revoked since
  if (cache_.size() >= max_cached) older_ = std::exchange(cache_, {});
  cache_[token_hash] = {user, std::chrono::steady_clock::now() + cache_time};
}

void access_control::forget(user_id user) {
  const std::scoped_lock lock(mutex_);
  ++generation_;
  for (auto* known : {&cache_, &older_})
    std::erase_if(*known, [&](const auto& one) { return one.second.user == user; });
}

std::optional<result<identity>> recognise(front_context& app, const request_context& request, bool in_query) {
  identity made;
  if (app.access.off()) return made;
  const auto token = token_of(request, in_query);
  if (token.empty()) return fail(errc::unauthorized, "Send a token as Authorization: Bearer.");
  if (token.size() > max_token_characters) return fail(errc::unauthorized, "The token is not valid.");
  auto hash = hash_hex(token);
  if (app.access.is_admin(hash)) return made;
  if (!may_be_customer_token(token)) return fail(errc::unauthorized, "The token is not valid.");
  const auto known = app.access.cached(hash);
  if (!known) return std::nullopt;
  made.token_hash = std::move(hash);
  made.by.user = *known;
  return made;
}

awaitable<result<identity>> identify(front_context& app, const request_context& request, bool in_query) {
  const auto generation = app.access.generation();
  identity made;
  made.token_hash = hash_hex(token_of(request, in_query));
  auto pending = find_token_owner(app, made.token_hash);
  const auto owner = co_await std::move(pending);
  if (!owner && owner.error().code == errc::not_found) co_return fail(errc::unauthorized, "The token is not valid.");
  if (!owner) co_return owner.error();
  app.access.remember(made.token_hash, *owner, generation);
  made.by.user = *owner;
  co_return made;
}

} // namespace dr::http
