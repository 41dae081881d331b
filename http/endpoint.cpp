#include "http/endpoint.hpp"

#include "http/answers.hpp"
#include "http/codecs/etag.hpp"
#include "http/idempotency.hpp"
#include "http/negotiation.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace dr::http {

namespace {

/// Paths are part of a kept answer's key in the store, and an index takes no long ones.
constexpr std::size_t longest_kept_path = 256;
constexpr std::array json_bodies{json_type, hal_type};
constexpr std::array<std::string_view, 1> csv_bodies{"text/csv"};

bool is_write(method verb) noexcept {
  return verb == method::post || verb == method::put || verb == method::patch || verb == method::delete_;
}

/// Chooses the representation. Fails with 406.
bool negotiate(const request_context& request, offer gives, view& how) {
  switch (gives) {
  case offer::hal: {
    const auto hal = acceptance(request, hal_type);
    how.plain_json = hal == 0;
    return hal > 0 || acceptance(request, json_type) > 0;
  }
  case offer::json:
    return acceptance(request, json_type) > 0;
  case offer::csv:
    return acceptance(request, csv_type) > 0;
  case offer::yaml:
    return acceptance(request, yaml_type) > 0 || acceptance(request, "text/yaml") > 0;
  case offer::any:
    break;
  }
  return true;
}

const char* offered(offer gives) noexcept {
  switch (gives) {
  case offer::hal:
    return "This resource is application/hal+json or application/json.";
  case offer::json:
    return "This resource is application/json.";
  case offer::csv:
    return "This resource is text/csv.";
  case offer::yaml:
    return "This resource is application/yaml.";
  case offer::any:
    break;
  }
  return "";
}

/// Why the body is not taken as it is; empty when it is.
std::string_view why_not(const request_context& request, body_kind kind) {
  if (request.body.empty() && !request.stream) return {};
  if (is_compressed(request)) return "Send it without Content-Encoding.";
  if (!has_utf8_charset(request)) return "Send it in UTF-8.";
  if (kind == body_kind::csv) return has_content_type(request, csv_bodies) ? "" : "Send it as Content-Type: text/csv.";
  return has_content_type(request, json_bodies) ? "" : "Send it as Content-Type: application/json.";
}

/// 304 for a client that has this representation already.
void apply_none_match(const request_context& request, reply& answer) {
  if (is_write(request.verb) || answer.status != 200) return;
  const auto header = request.header("If-None-Match");
  if (!header) return;
  for (const auto& [name, value] : answer.headers) {
    if (name != "ETag" || !none_match_hits(*header, value)) continue;
    answer.status = 304;
    answer.body.clear();
    answer.content_type.clear();
    return;
  }
}

/// Whether the key was used before is found out with the change, in its own transaction; only a handler that made no
/// change leaves that to be asked afterwards. Whatever a handler does besides its one keyed change must bear repeating.
awaitable<reply> serve_keyed(call& c) {
  auto key = idempotency_key(c.http);
  if (!key) co_return refuse(c, key.error());
  // Nothing of ours has so long a path: it is not found, and that needs no keeping.
  if (*key && c.http.path.size() <= longest_kept_path) c.key = make_key_record(c, std::move(**key), c.row.sealed);
  auto answer = co_await c.row.handle(c);
  if (!c.key || c.key->recorded) co_return answer;
  auto keeping = keep_answer(c.app, c.key, c.how.instance, std::move(answer));
  co_return co_await std::move(keeping);
}

} // namespace

awaitable<reply> serve(context_ptr app, const route_row& row, request_context& request) {
  call c{*app, request, row, {}, {}, nullptr};
  if (auto* admitted = std::any_cast<admission>(&request.attached)) {
    c.who = std::move(admitted->who);
    c.how.origin = std::move(admitted->origin);
  }
  c.how.instance = request.path;
  if (!negotiate(request, row.gives, c.how))
    co_return problem_reply(problem_of_status(406, offered(row.gives)), c.how.instance);
  if (const auto why = why_not(request, row.body); !why.empty())
    co_return problem_reply(problem_of_status(415, why), c.how.instance);
  if (!is_write(request.verb)) {
    auto answer = co_await row.handle(c);
    apply_none_match(request, answer);
    co_return answer;
  }
  if (!row.streams) {
    query_reader none(request);
    if (auto fine = none.finish(); !fine) co_return refuse(c, fine.error());
    co_return co_await serve_keyed(c);
  }
  co_return co_await row.handle(c);
}

} // namespace dr::http
