#include "actors/errors.hpp"
#include "http/codecs/commands.hpp"
#include "http/codecs/text.hpp"
#include "http/handlers/common.hpp"

namespace dr::http::handlers {

awaitable<reply> create_user(call& c) {
  auto made = decode_new_user(c.http.body);
  if (!made) co_return refuse(c, made.error());
  made->assign_cust_no = c.app.config->users.assign_cust_no;
  made->at = c.app.now();
  const auto render = render_user(c.how, 201);
  storage::write what{std::move(*made), keyed(c, render)};
  auto pending = persist(c.app, std::move(what), c.app.request_timeout());
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

namespace {

/// A customer's list of users is itself, if it fits the filter.
storage::page<user> only(const user& own, const storage::user_filter& filter, const paging& at) {
  const bool fits = (!filter.enrolled || *filter.enrolled == own.enrolled) &&
                    folded(own.name).starts_with(folded(filter.name_prefix));
  storage::page<user> page;
  page.total = fits ? 1 : 0;
  if (fits && at.at.number == 0 && own.id.value > at.at.after) page.items.push_back(own);
  return page;
}

} // namespace

awaitable<reply> list_users(call& c) {
  query_reader query(c.http);
  storage::user_filter filter;
  filter.name_prefix = query.text("q", 200).value_or("");
  filter.enrolled = query.flag("enrolled");
  const auto at = query.page();
  if (auto fine = query.finish(); !fine) co_return refuse(c, fine.error());
  const auto id = [](const user& u) { return u.id.value; };
  if (!c.by().is_admin()) {
    auto pending = find_user(c.app, c.by().user);
    const auto own = co_await std::move(pending);
    if (!own) co_return refuse(c, own.error());
    co_return list_reply(c, "users", at, only(*own, filter, at), write_user, id);
  }
  auto pending = http::list_users(c.app, filter, at.at);
  const auto rows = co_await std::move(pending);
  if (!rows) co_return refuse(c, rows.error());
  co_return list_reply(c, "users", at, *rows, write_user, id);
}

awaitable<reply> get_user(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  const auto id = id_of<user_id>(c);
  if (!id || !c.by().may_see(*id)) co_return refuse(c, fail(errc::not_found));
  auto pending = find_user(c.app, *id);
  const auto found = co_await std::move(pending);
  co_return found ? user_reply(c.how, *found) : refuse(c, found.error());
}

namespace {

awaitable<reply> change_user(call& c, leniency how) {
  const auto id = id_of<user_id>(c);
  if (!id) co_return refuse(c, id.error());
  auto change = decode_user_change(c.http.body, how);
  if (!change) co_return refuse(c, change.error());
  const auto version = demanded_version(c);
  if (!version) co_return refuse(c, version.error());
  change->id = *id;
  change->expected_version = *version;
  change->at = c.app.now();
  const auto render = render_user(c.how, 200);
  actors::user_command what{*id, {std::move(*change), keyed(c, render)}};
  auto pending = command(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

} // namespace

awaitable<reply> put_user(call& c) { return change_user(c, leniency::lenient); }
awaitable<reply> patch_user(call& c) { return change_user(c, leniency::strict); }

awaitable<reply> withdraw_user(call& c) {
  const auto id = id_of<user_id>(c);
  if (!id) co_return refuse(c, id.error());
  if (auto fine = decode_nothing(c.http.body, resource::user); !fine) co_return refuse(c, fine.error());
  const auto version = demanded_version(c);
  if (!version) co_return refuse(c, version.error());
  const auto render = render_nothing(c.how);
  actors::user_command what{*id, {storage::withdraw_user{*id, *version, c.app.now()}, keyed(c, render)}};
  auto pending = command(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  c.app.access.forget(*id); // whatever came of it: a lookup in the store decides
  if (done || actors::leaves_doubt(done.error())) c.app.sockets.close(*id, "the customer has left the programme");
  co_return finish(c, done, render);
}

} // namespace dr::http::handlers
