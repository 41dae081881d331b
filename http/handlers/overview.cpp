#include "http/handlers/common.hpp"
#include "http/health.hpp"
#include "http/negotiation.hpp"
#include "http/openapi.hpp"

#include <algorithm>
#include <iterator>

namespace dr::http::handlers {

awaitable<reply> get_overview(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  auto pending = overview_json(c.app, {}, c.how.origin);
  auto made = co_await std::move(pending);
  co_return made ? json_reply(c.how, 200, std::move(made->json)) : refuse(c, made.error());
}

namespace {

std::string event_type_names() {
  std::string names;
  for (const auto* name : event_types::all) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

} // namespace

awaitable<reply> list_events(call& c) {
  query_reader query(c.http);
  storage::event_filter filter;
  filter.campaign.value = query.id("drId");
  filter.user.value = query.id("userId");
  const auto known = [](std::string_view text) -> std::optional<std::string> {
    const auto at = std::find(std::begin(event_types::all), std::end(event_types::all), text);
    return at == std::end(event_types::all) ? std::nullopt : std::optional<std::string>(*at);
  };
  filter.type = query.named<std::string>("type", known, event_type_names()).value_or("");
  auto at = query.page();
  if (at.at.number > 0) query.note("page", "is not taken here: walk the log with after");
  if (auto fine = query.finish(); !fine) co_return refuse(c, fine.error());
  filter.after = at.at.after;
  filter.limit = at.at.size + 1; // one more tells whether there is a next page
  auto pending = http::list_events(c.app, filter);
  auto found = co_await std::move(pending);
  if (!found) co_return refuse(c, found.error());
  storage::page<event> rows;
  rows.more = found->size() > static_cast<std::size_t>(at.at.size);
  rows.items = std::move(*found);
  if (rows.more) rows.items.resize(static_cast<std::size_t>(at.at.size));
  at.keyset = true; // the log is not counted
  co_return list_reply(c, "events", at, rows, write_event, [](const event& e) { return e.seq; });
}

awaitable<reply> get_index(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  std::string body;
  json_writer out(body);
  out.begin_object().field("name", "DR Platform").field("version", c.app.version).key("_links").begin_object();
  write_link(out, "self", c.how.origin, "/");
  for (const auto* name : {"users", "drs", "responses", "kepcos", "overview", "events", "health"})
    write_link(out, name, c.how.origin, std::string("/") + name);
  write_link(out, "openapi", c.how.origin, "/openapi.yaml");
  out.end_object().end_object();
  co_return json_reply(c.how, 200, std::move(body));
}

awaitable<reply> get_openapi(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  static const auto text = std::make_shared<const std::string>(openapi_yaml);
  auto made = make_reply(200, std::string(yaml_type));
  made.shared_body = text;
  co_return made;
}

} // namespace dr::http::handlers
