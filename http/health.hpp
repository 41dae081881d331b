// What the parts of the server say about themselves, asked with short timeouts so that there is always an answer.
#pragma once

#include "http/codecs/entities.hpp"
#include "http/context.hpp"
#include "http/diagnosis.hpp"

#include <optional>
#include <string>

namespace dr::http {

awaitable<health_report> ask_health(front_context& app);
/// Judges the parts: down without storage or a part of the core, degraded when only metering or a restart shows.
health_status judge(const health_report& report) noexcept;
/// `with_errors`: the last errors in the parts' own words and what to do about them, for the operator.
std::string to_json(const health_report& report, const front_context& app, bool with_errors);
/// Asks, and writes to the log what has begun and what is over.
awaitable<void> watch_health(context_ptr app);
struct overview_text {
  std::string json;
  std::int64_t last_event = 0; ///< there were no later ones when it was read
};
/// `{at, campaigns, users, checks, health, events}`, with `type` in front unless it is empty. Without an origin it has
/// no links. Fails: store errors.
awaitable<result<overview_text>> overview_json(front_context& app, std::string type, std::optional<std::string> origin);

} // namespace dr::http
