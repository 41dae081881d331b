// Domain → JSON, one function per shape of the API. With an origin ("http://host") an item carries its HAL links,
// without one (WebSocket) it does not.
#pragma once

#include "domain/campaign.hpp"
#include "domain/check.hpp"
#include "domain/event.hpp"
#include "domain/response.hpp"
#include "domain/user.hpp"
#include "http/codecs/json_writer.hpp"

#include <string>

namespace dr::http {

/// Where links point to; nothing: no links.
using origin_ptr = const std::string*;

void write_user(json_writer& out, const user& u, origin_ptr origin = nullptr);
void write_campaign(json_writer& out, const campaign& c, origin_ptr origin = nullptr);
void write_response(json_writer& out, const response& r, origin_ptr origin = nullptr);
void write_check(json_writer& out, const reduction_check& c, origin_ptr origin = nullptr);
void write_entry(json_writer& out, const ledger_entry& e, origin_ptr origin = nullptr);
void write_event(json_writer& out, const event& e, origin_ptr origin = nullptr);
/// The summary of a campaign; `with_name` adds name, type and times as /overview shows them.
void write_summary(json_writer& out, const campaign& c, bool with_name, origin_ptr origin = nullptr);

/// `"href": origin + path` under a name.
void write_link(json_writer& out, std::string_view name, const std::string& origin, std::string_view path);

} // namespace dr::http
