// Every read that handlers make, each an ordinary function that returns its awaitable (see bridge.hpp). They run on the
// store's readers and end after the request timeout at the latest. All fail with store errors, single items with
// not_found.
#pragma once

#include "http/bridge.hpp"
#include "http/codecs/hal.hpp"
#include "http/context.hpp"
#include "storage/store.hpp"

#include <string>
#include <vector>

namespace dr::http {

awaitable<result<user_id>> find_token_owner(front_context& app, std::string token_hash);
awaitable<result<std::optional<storage::keyed_answer>>>
find_keyed(front_context& app, std::string principal, std::string method, std::string path, std::string key);
/// Both answer within a second, or fail.
awaitable<result<void>> ping_store(front_context& app);
awaitable<result<storage::check_queue>> read_check_queue(front_context& app);

/// From memory when it is there, which tells the same (see user_cache).
awaitable<result<user>> find_user(front_context& app, user_id id);
awaitable<result<storage::page<user>>> list_users(front_context& app, storage::user_filter filter,
                                                  storage::page_request at);
awaitable<result<storage::page<ledger_entry>>> list_ledger(front_context& app, user_id id, storage::page_request at);

/// For a customer only a campaign it is part of.
awaitable<result<campaign>> find_campaign(front_context& app, campaign_id id, actors::caller by);
awaitable<result<storage::page<campaign>>> list_campaigns(front_context& app, storage::campaign_filter filter,
                                                          storage::page_request at);

awaitable<result<storage::campaign_response>> find_response(front_context& app, response_id id, actors::caller by);
/// The whole document: it is written while the rows come, so that a page of a thousand needs no page in memory.
awaitable<result<std::string>> list_responses(front_context& app, storage::response_filter filter,
                                              collection_place place, paging at);
awaitable<result<reduction_check>> find_check(front_context& app, check_id id, actors::caller by);
awaitable<result<storage::page<reduction_check>>> list_checks(front_context& app, storage::check_filter filter,
                                                              storage::page_request at);

awaitable<result<std::vector<event>>> list_events(front_context& app, storage::event_filter filter);
/// Rows of a campaign's statement behind a response; fails with not_found when there is no such campaign.
awaitable<result<std::vector<storage::statement_row>>> read_statement(front_context& app, campaign_id id,
                                                                      response_id after, int limit);

/// What /overview needs of the store.
struct overview_rows {
  storage::overview_counts counts;
  std::vector<storage::parked_check> parked; ///< the first ones
  std::vector<campaign> running;
  std::vector<event> events;
};
awaitable<result<overview_rows>> read_overview(front_context& app);

/// What a customer's snapshot needs. `token_hash`: empty, or fails with unauthorized when it is not the user's any
/// more.
struct snapshot_rows {
  dr::user user;
  std::vector<storage::campaign_response> open;
};
awaitable<result<snapshot_rows>> read_snapshot(front_context& app, user_id id, std::string token_hash);

} // namespace dr::http
