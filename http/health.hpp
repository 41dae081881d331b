// What the parts of the server say about themselves, asked with short timeouts so that there is always an answer.
#pragma once

#include "http/codecs/entities.hpp"
#include "http/context.hpp"

#include <optional>
#include <string>

namespace dr::http {

enum class health_status : unsigned char { up, degraded, down };
/// "up", "degraded", "down".
const char* to_string(health_status status) noexcept;

/// The parts' own words; a part that does not answer is described as such.
struct health_report {
  health_status status = health_status::up;
  actors::tree_node tree;
  actors::kepco_state kepco;
  actors::storage_state storage;
};
awaitable<health_report> ask_health(front_context& app);
/// Judges the parts: down without storage or a part of the core, degraded when only metering or a restart shows.
health_status judge(const health_report& report) noexcept;
/// `parked`: checks that wait for a person. `with_errors`: the last errors in words, for the operator.
std::string to_json(const health_report& report, const front_context& app, std::int64_t parked, bool with_errors);
/// `{at, campaigns, users, checks, health, events}`, with `type` in front unless it is empty. Without an origin it has
/// no links. Fails: store errors.
awaitable<result<std::string>> overview_json(front_context& app, std::string type, std::optional<std::string> origin);

} // namespace dr::http
