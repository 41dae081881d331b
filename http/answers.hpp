// Replies: an item, a collection, a problem. And renderers, which make the reply to a committed change (or to its
// failure) purely, so that the store can keep the same bytes with the change.
#pragma once

#include "http/codecs/hal.hpp"
#include "http/codecs/problem.hpp"
#include "http/context.hpp"
#include "http/server/reply.hpp"
#include "storage/writes.hpp"

#include <functional>
#include <string>

namespace dr::http {

reply problem_reply(const error& why, std::string_view instance);
reply problem_reply(const problem& p, std::string_view instance);
/// HAL, or plain JSON for a client that takes only that.
reply json_reply(const view& how, unsigned status, std::string body, std::string etag = {});

reply user_reply(const view& how, const user& u, unsigned status = 200);
reply campaign_reply(const view& how, const campaign& c, unsigned status = 200);
reply response_reply(const view& how, const response& r, unsigned status = 200);
reply check_reply(const view& how, const reduction_check& c, unsigned status = 200);
reply entry_reply(const view& how, const ledger_entry& e, unsigned status);

/// Pure; called with the outcome of a change, perhaps on another thread.
using renderer = std::function<reply(const result<storage::written>&)>;
/// A user; 201 brings Location.
renderer render_user(view how, unsigned status);
/// 204 without a body.
renderer render_nothing(view how);
renderer render_campaign(view how, unsigned status);
renderer render_response(view how);
renderer render_entry(view how);
/// 202 with the Location of what is being done and `{count}`.
renderer render_accepted(view how, std::string location);
/// The customer's new token, shown once.
renderer render_token(view how, std::string token);

/// A problem for this request.
reply refuse(const call& c, const error& why);

/// The list that this request asks for.
inline collection_place place_of(const call& c, const char* name) {
  return {c.how.origin, c.how.instance, name, std::string(c.http.target)};
}

/// The page of a list.
template <class T, class Write, class IdOf>
reply list_reply(const call& c, const char* name, const paging& at, const storage::page<T>& rows, Write write,
                 IdOf id_of) {
  return json_reply(c.how, 200, write_collection(place_of(c, name), at, rows, write, id_of));
}

} // namespace dr::http
