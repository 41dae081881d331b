#include "http/codecs/commands.hpp"
#include "http/handlers/common.hpp"

namespace dr::http::handlers {

awaitable<reply> list_kepcos(call& c) {
  query_reader query(c.http);
  storage::check_filter filter;
  filter.campaign.value = query.id("drId");
  filter.user.value = query.id("userId");
  const auto at = query.page();
  if (auto fine = query.finish(); !fine) co_return refuse(c, fine.error());
  const auto id = [](const reduction_check& row) { return row.id.value; };
  if (!c.by().is_admin()) {
    storage::page<reduction_check> none;
    none.total = 0;
    if (filter.user && filter.user != c.by().user) co_return list_reply(c, "kepcos", at, none, write_check, id);
    filter.user = c.by().user;
  }
  auto pending = list_checks(c.app, filter, at.at);
  const auto rows = co_await std::move(pending);
  if (!rows) co_return refuse(c, rows.error());
  co_return list_reply(c, "kepcos", at, *rows, write_check, id);
}

awaitable<reply> get_kepco(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  const auto id = id_of<check_id>(c);
  if (!id) co_return refuse(c, id.error());
  auto pending = find_check(c.app, *id, c.by());
  const auto found = co_await std::move(pending);
  co_return found ? check_reply(c.how, *found) : refuse(c, found.error());
}

awaitable<reply> recheck_kepco(call& c) {
  const auto id = id_of<check_id>(c);
  if (!id) co_return refuse(c, id.error());
  if (auto fine = decode_nothing(c.http.body, resource::check); !fine) co_return refuse(c, fine.error());
  if (c.http.header("If-Match")) {
    auto reading = find_check(c.app, *id, c.by());
    const auto present = co_await std::move(reading);
    if (!present) co_return refuse(c, present.error());
    if (auto fine = compare_version(c, present->version); !fine) co_return refuse(c, fine.error());
  }
  const auto render = render_accepted(c.how, "/kepcos/" + std::to_string(id->value));
  actors::order_recheck what{*id, keyed(c, render)};
  auto pending = verify(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

} // namespace dr::http::handlers
