#include "http/codecs/commands.hpp"
#include "http/handlers/common.hpp"

namespace dr::http::handlers {

namespace {

awaitable<reply> order_campaign(call& c, unsigned status) {
  auto order_given = decode_order(c.http.body, c.app.now());
  if (!order_given) co_return refuse(c, order_given.error());
  const auto render = render_campaign(c.how, status);
  actors::order_campaign what{std::move(*order_given), keyed(c, render)};
  auto pending = order(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

awaitable<reply> end_campaign(call& c, campaign_id id) {
  const auto version = demanded_version(c);
  if (!version) co_return refuse(c, version.error());
  const auto render = render_campaign(c.how, 200);
  actors::end_campaign what{id, *version, keyed(c, render)};
  auto pending = command(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

/// A PUT that ends a campaign may repeat its other fields, but what it would change would be lost.
awaitable<result<void>> changes_nothing_else(call& c, campaign_id id, const campaign_change& change) {
  if (!change.name && !change.respond_by && !change.ends_at && !change.order_w) co_return result<void>{};
  auto reading = find_campaign(c.app, id, c.by());
  const auto now = co_await std::move(reading);
  if (!now) co_return now.error();
  error why{errc::invalid, "A change that ends the campaign changes nothing else: send the others first.", {}};
  const auto compare = [&](const auto& wanted, const auto& present, const char* pointer) {
    if (wanted && *wanted != present) why.fields.push_back({pointer, "cannot be changed by what ends the campaign"});
  };
  compare(change.name, now->name, "/name");
  compare(change.respond_by, now->respond_by, "/respondBy");
  compare(change.ends_at, now->ends_at, "/endsAt");
  compare(change.order_w, now->order_w, "/orderKw");
  if (why.fields.empty()) co_return result<void>{};
  co_return why;
}

awaitable<reply> edit_campaign(call& c, leniency how) {
  const auto id = id_of<campaign_id>(c);
  if (!id) co_return refuse(c, id.error());
  auto edit = decode_campaign_edit(c.http.body, how);
  if (!edit) co_return refuse(c, edit.error());
  if (edit->canceled) {
    auto reading = find_campaign(c.app, *id, c.by());
    const auto now = co_await std::move(reading);
    if (!now) co_return refuse(c, now.error());
    if (now->status != campaign_status::canceled) co_return refuse(c, invalid_field("/status", canceled_elsewhere));
  }
  if (edit->end) {
    auto comparing = changes_nothing_else(c, *id, edit->change);
    if (auto fine = co_await std::move(comparing); !fine) co_return refuse(c, fine.error());
    co_return co_await end_campaign(c, *id);
  }
  const auto version = demanded_version(c);
  if (!version) co_return refuse(c, version.error());
  const auto render = render_campaign(c.how, 200);
  actors::alter_campaign what{*id, std::move(edit->change), *version, keyed(c, render)};
  auto pending = command(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

} // namespace

awaitable<reply> start_dr(call& c) { return order_campaign(c, 200); }
awaitable<reply> order_dr(call& c) { return order_campaign(c, 201); }
awaitable<reply> put_dr(call& c) { return edit_campaign(c, leniency::lenient); }
awaitable<reply> patch_dr(call& c) { return edit_campaign(c, leniency::strict); }

awaitable<reply> list_drs(call& c) {
  query_reader query(c.http);
  storage::campaign_filter filter;
  filter.status = query.named<campaign_status>("status", parse_campaign_status, "scheduled, running, end or canceled");
  filter.type = query.text("type", 50).value_or("");
  filter.user = c.by().user; // a customer's own; the admin has none
  const auto at = query.page();
  if (auto fine = query.finish(); !fine) co_return refuse(c, fine.error());
  auto pending = list_campaigns(c.app, filter, at.at);
  const auto rows = co_await std::move(pending);
  if (!rows) co_return refuse(c, rows.error());
  co_return list_reply(c, "drs", at, *rows, write_campaign, [](const campaign& row) { return row.id.value; });
}

awaitable<reply> get_dr(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  const auto id = id_of<campaign_id>(c);
  if (!id) co_return refuse(c, id.error());
  auto pending = find_campaign(c.app, *id, c.by());
  const auto found = co_await std::move(pending);
  co_return found ? campaign_reply(c.how, *found) : refuse(c, found.error());
}

awaitable<reply> end_dr(call& c) {
  const auto id = id_of<campaign_id>(c);
  if (!id) co_return refuse(c, id.error());
  if (auto fine = decode_nothing(c.http.body, resource::campaign); !fine) co_return refuse(c, fine.error());
  co_return co_await end_campaign(c, *id);
}

awaitable<reply> cancel_dr(call& c) {
  const auto id = id_of<campaign_id>(c);
  if (!id) co_return refuse(c, id.error());
  auto reason = decode_cancellation(c.http.body);
  if (!reason) co_return refuse(c, reason.error());
  const auto version = demanded_version(c);
  if (!version) co_return refuse(c, version.error());
  const auto render = render_campaign(c.how, 200);
  actors::cancel_campaign what{*id, std::move(*reason), *version, keyed(c, render)};
  auto pending = command(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

awaitable<reply> get_summary(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  const auto id = id_of<campaign_id>(c);
  if (!id) co_return refuse(c, id.error());
  auto pending = live_campaign(c.app, *id);
  const auto found = co_await std::move(pending);
  if (!found) co_return refuse(c, found.error());
  std::string body;
  json_writer out(body);
  write_summary(out, *found, false, &c.how.origin);
  co_return json_reply(c.how, 200, std::move(body));
}

awaitable<reply> retry_checks(call& c) {
  const auto id = id_of<campaign_id>(c);
  if (!id) co_return refuse(c, id.error());
  if (auto fine = decode_nothing(c.http.body, resource::campaign); !fine) co_return refuse(c, fine.error());
  if (c.http.header("If-Match")) {
    auto reading = find_campaign(c.app, *id, c.by());
    const auto present = co_await std::move(reading);
    if (!present) co_return refuse(c, present.error());
    if (auto fine = compare_version(c, present->version); !fine) co_return refuse(c, fine.error());
  }
  const auto render = render_accepted(c.how, "/drs/" + std::to_string(id->value) + "/summary");
  actors::retry_parked what{*id, keyed(c, render)};
  auto pending = verify(c.app, std::move(what));
  const auto done = co_await std::move(pending);
  co_return finish(c, done, render);
}

} // namespace dr::http::handlers
