#include "http/reads.hpp"

#include "actors/user_cache.hpp"

namespace dr::http {

namespace {

using storage::page_request;
using storage::reader;

constexpr std::chrono::milliseconds probe_timeout{1000};
constexpr int overview_campaigns = 100;
constexpr int overview_events = 20;
constexpr int overview_parked = 20;

template <class Query> auto read_within(front_context& app, Query query) {
  return read(app.system, app.services.store, app.request_timeout(), std::move(query));
}

/// For what may take long: lists as the caller filters them.
template <class Query> auto read_list(front_context& app, Query query) {
  return read(app.system, app.services.store, app.request_timeout(), std::move(query), actors::urgency::lengthy);
}

} // namespace

awaitable<result<user_id>> find_token_owner(front_context& app, std::string token_hash) {
  return read_within(app, [hash = std::move(token_hash)](reader& from) { return from.user_of_token(hash); });
}

awaitable<result<std::optional<storage::keyed_answer>>>
find_keyed(front_context& app, std::string principal, std::string method, std::string path, std::string key) {
  return read_within(app,
                     [=, now = app.now()](reader& from) { return from.find_keyed(principal, method, path, key, now); });
}

awaitable<result<void>> ping_store(front_context& app) {
  return read(app.system, app.services.store, probe_timeout, [](reader& from) { return from.ping(); });
}

awaitable<result<storage::check_queue>> read_check_queue(front_context& app) {
  return read(app.system, app.services.store, probe_timeout, [](reader& from) { return from.queue_of_checks(); });
}

awaitable<result<user>> find_user(front_context& app, user_id id) {
  // Whoever hands over to a successor may have lost the lease already.
  const auto cache = app.draining ? nullptr : app.services.users;
  const auto known = cache ? cache->find(id) : actors::user_cache::found{};
  if (known.row) co_return *known.row;
  auto pending = read_within(app, [id](reader& from) { return from.find_user(id); });
  auto found = co_await std::move(pending);
  if (found && known.ticket != 0) cache->keep(*found, known.ticket);
  co_return found;
}

awaitable<result<storage::page<user>>> list_users(front_context& app, storage::user_filter filter, page_request at) {
  return read_list(app, [=](reader& from) { return from.users(filter, at); });
}

awaitable<result<storage::page<ledger_entry>>> list_ledger(front_context& app, user_id id, page_request at) {
  return read_list(app, [=](reader& from) -> result<storage::page<ledger_entry>> {
    if (auto owner = from.find_user(id); !owner) return owner.error();
    return from.ledger(id, at);
  });
}

awaitable<result<campaign>> find_campaign(front_context& app, campaign_id id, actors::caller by) {
  return read_within(app, [=](reader& from) -> result<campaign> {
    if (!by.is_admin()) {
      const auto own = from.part_of(id, {&by.user, 1});
      if (!own) return own.error();
      if (own->empty()) return fail(errc::not_found);
    }
    return from.find_campaign(id);
  });
}

awaitable<result<storage::page<campaign>>> list_campaigns(front_context& app, storage::campaign_filter filter,
                                                          page_request at) {
  return read_list(app, [=](reader& from) { return from.campaigns(filter, at); });
}

awaitable<result<storage::campaign_response>> find_response(front_context& app, response_id id, actors::caller by) {
  return read_within(app, [=](reader& from) -> result<storage::campaign_response> {
    auto found = from.find_response(id);
    if (found && !by.may_see(found->response.user)) return fail(errc::not_found);
    return found;
  });
}

awaitable<result<std::string>> list_responses(front_context& app, storage::response_filter filter,
                                              collection_place place, paging at) {
  return read_list(app, [=](reader& from) -> result<std::string> {
    collection_writer document(place, at, static_cast<std::size_t>(at.at.size));
    const auto add = [&](const response& row) { document.add(row, write_response, row.id.value); };
    const auto end = from.each_response(filter, at.at, add);
    if (!end) return end.error();
    return document.finish(*end);
  });
}

awaitable<result<reduction_check>> find_check(front_context& app, check_id id, actors::caller by) {
  return read_within(app, [=](reader& from) -> result<reduction_check> {
    auto found = from.find_check(id);
    if (found && !by.may_see(found->user)) return fail(errc::not_found);
    return found;
  });
}

awaitable<result<storage::page<reduction_check>>> list_checks(front_context& app, storage::check_filter filter,
                                                              page_request at) {
  return read_list(app, [=](reader& from) { return from.checks(filter, at); });
}

awaitable<result<std::vector<event>>> list_events(front_context& app, storage::event_filter filter) {
  return read_list(app, [=](reader& from) { return from.events(filter); });
}

awaitable<result<std::vector<storage::statement_row>>> read_statement(front_context& app, campaign_id id,
                                                                      response_id after, int limit) {
  return read_list(app, [=](reader& from) -> result<std::vector<storage::statement_row>> {
    if (!after)
      if (auto known = from.find_campaign(id); !known) return known.error();
    return from.statement(id, after, limit);
  });
}

awaitable<result<overview_rows>> read_overview(front_context& app) {
  return read_within(app, [](reader& from) -> result<overview_rows> {
    auto events = from.last_events(overview_events); // first: all that follows is as new, or newer
    if (!events) return events.error();
    auto counts = from.overview();
    if (!counts) return counts.error();
    auto running = from.campaigns({campaign_status::running, {}}, {0, 0, overview_campaigns});
    if (!running) return running.error();
    auto parked = from.parked_checks(overview_parked);
    if (!parked) return parked.error();
    return overview_rows{*counts, std::move(*parked), std::move(running->items), std::move(*events)};
  });
}

awaitable<result<snapshot_rows>> read_snapshot(front_context& app, user_id id, std::string token_hash) {
  return read_within(app, [id, hash = std::move(token_hash)](reader& from) -> result<snapshot_rows> {
    if (!hash.empty()) {
      auto owner = from.user_of_token(hash);
      if (!owner && owner.error().code != errc::not_found) return owner.error();
      if (!owner || *owner != id) return fail(errc::unauthorized, "The token was revoked.");
    }
    auto user = from.find_user(id);
    if (!user) return user.error();
    auto open = from.open_responses(id);
    if (!open) return open.error();
    return snapshot_rows{std::move(*user), std::move(*open)};
  });
}

} // namespace dr::http
