// Customers' access tokens. A token is shown once and kept as a hash.
#include "actors/errors.hpp"
#include "http/codecs/commands.hpp"
#include "http/handlers/common.hpp"
#include "http/tokens.hpp"

namespace dr::http::handlers {

namespace {

/// Sets or revokes the token.
awaitable<reply> set_token(call& c, user_id id, std::optional<std::string> hash, renderer render) {
  const auto demanded = demanded_version(c);
  if (!demanded) co_return refuse(c, demanded.error());
  actors::user_command what{id, {storage::set_token{id, std::move(hash), c.app.now(), *demanded}, keyed(c, render)}};
  auto pending = command(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  c.app.access.forget(id); // whatever came of it: a lookup in the store decides
  // A repetition too: the first try may have ended in doubt, and then nobody closed them.
  if (done || actors::leaves_doubt(done.error())) c.app.sockets.close(id, "the token was rotated or revoked");
  co_return finish(c, done, render);
}

} // namespace

awaitable<reply> make_token(call& c) {
  const auto id = id_of<user_id>(c);
  if (!id) co_return refuse(c, id.error());
  if (auto fine = decode_nothing(c.http.body, resource::user); !fine) co_return refuse(c, fine.error());
  auto token = new_customer_token();
  std::optional<std::string> hash = hash_hex(token);
  auto pending = set_token(c, *id, std::move(hash), render_token(c.how, std::move(token)));
  co_return co_await std::move(pending);
}

awaitable<reply> revoke_token(call& c) {
  const auto id = id_of<user_id>(c);
  if (!id) co_return refuse(c, id.error());
  if (auto fine = decode_nothing(c.http.body, resource::user); !fine) co_return refuse(c, fine.error());
  auto pending = set_token(c, *id, std::nullopt, render_nothing(c.how));
  co_return co_await std::move(pending);
}

} // namespace dr::http::handlers
