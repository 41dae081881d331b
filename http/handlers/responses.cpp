#include "http/codecs/commands.hpp"
#include "http/handlers/common.hpp"

namespace dr::http::handlers {

awaitable<reply> list_responses(call& c) {
  query_reader query(c.http);
  storage::response_filter filter;
  filter.campaign.value = query.id("drId");
  filter.user.value = query.id("userId");
  filter.answer = query.named<answer>("answer", parse_answer, "ignore, accept or deny");
  const auto at = query.page();
  if (auto fine = query.finish(); !fine) co_return refuse(c, fine.error());
  const auto place = place_of(c, "responses");
  if (!c.by().is_admin()) {
    const storage::page_end none{.total = 0};
    if (filter.user && filter.user != c.by().user)
      co_return json_reply(c.how, 200, collection_writer(place, at, 0).finish(none));
    filter.user = c.by().user;
  }
  auto pending = http::list_responses(c.app, filter, place, at);
  auto document = co_await std::move(pending);
  co_return document ? json_reply(c.how, 200, std::move(*document)) : refuse(c, document.error());
}

awaitable<reply> get_response(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  const auto id = id_of<response_id>(c);
  if (!id) co_return refuse(c, id.error());
  auto pending = find_response(c.app, *id, c.by());
  const auto found = co_await std::move(pending);
  co_return found ? response_reply(c.how, found->response) : refuse(c, found.error());
}

namespace {

awaitable<reply> choose(call& c, result<answer> value) {
  if (!value) co_return refuse(c, value.error());
  const auto id = id_of<response_id>(c);
  if (!id) co_return refuse(c, id.error());
  const auto version = demanded_version(c);
  if (!version) co_return refuse(c, version.error());
  const auto render = render_response(c.how);
  actors::choose what{*id, *value, *version, c.by(), keyed(c, render)};
  auto pending = command(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

/// The answer that the path names, if there is no body beside it.
result<answer> named(answer value, const call& c) {
  if (auto fine = decode_nothing(c.http.body, resource::response); !fine) return fine.error();
  return value;
}

} // namespace

awaitable<reply> accept_response(call& c) { return choose(c, named(answer::accept, c)); }
awaitable<reply> deny_response(call& c) { return choose(c, named(answer::deny, c)); }
awaitable<reply> put_response(call& c) { return choose(c, decode_answer(c.http.body)); }

awaitable<reply> retry_check(call& c) {
  const auto id = id_of<response_id>(c);
  if (!id) co_return refuse(c, id.error());
  if (auto fine = decode_nothing(c.http.body, resource::response); !fine) co_return refuse(c, fine.error());
  if (c.http.header("If-Match")) {
    auto reading = find_response(c.app, *id, c.by());
    const auto present = co_await std::move(reading);
    if (!present) co_return refuse(c, present.error());
    if (auto fine = compare_version(c, present->response.version); !fine) co_return refuse(c, fine.error());
  }
  const auto render = render_accepted(c.how, "/responses/" + std::to_string(id->value));
  actors::retry_check what{*id, keyed(c, render)};
  auto pending = verify(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

} // namespace dr::http::handlers
