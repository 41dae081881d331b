#include "http/codecs/commands.hpp"
#include "http/handlers/common.hpp"

namespace dr::http::handlers {

awaitable<reply> list_ledger(call& c) {
  const auto id = id_of<user_id>(c);
  if (!id || !c.by().may_see(*id)) co_return refuse(c, fail(errc::not_found));
  query_reader query(c.http);
  const auto at = query.page();
  if (auto fine = query.finish(); !fine) co_return refuse(c, fine.error());
  auto pending = http::list_ledger(c.app, *id, at.at);
  const auto rows = co_await std::move(pending);
  if (!rows) co_return refuse(c, rows.error());
  co_return list_reply(c, "ledger", at, *rows, write_entry, [](const ledger_entry& e) { return e.id.value; });
}

awaitable<reply> withdraw_points(call& c) {
  const auto id = id_of<user_id>(c);
  if (!id || !c.by().may_see(*id)) co_return refuse(c, fail(errc::not_found));
  const auto amount = decode_withdrawal(c.http.body);
  if (!amount) co_return refuse(c, amount.error());
  if (!c.key)
    co_return refuse(c, error{errc::invalid,
                              "A withdrawal needs an Idempotency-Key, so that it can be repeated safely.",
                              {{"Idempotency-Key", "is required"}}});
  const auto demanded = demanded_version(c);
  if (!demanded) co_return refuse(c, demanded.error());
  const auto render = render_entry(c.how);
  actors::user_command what{*id, {storage::withdraw_points{*id, *amount, c.app.now(), *demanded}, keyed(c, render)}};
  auto pending = command(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

} // namespace dr::http::handlers
