// Admission: what is decided about a request before its handler, and what is added to every answer after it.
#include "http/answer_desk.hpp"
#include "http/answers.hpp"
#include "http/endpoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::http {

namespace {

bool is_safe(method verb) noexcept { return verb == method::get || verb == method::head || verb == method::options; }

/// The Origin of a browser's request when the settings allow it; else empty.
std::string_view allowed_origin(const front_context& app, const request_context& request) {
  const auto origin = request.header("Origin");
  const auto& list = app.config->http.cors_origins;
  return origin && std::find(list.begin(), list.end(), *origin) != list.end() ? *origin : std::string_view{};
}

bool is_preflight(const request_context& request) {
  return request.verb == method::options && request.header("Access-Control-Request-Method").has_value();
}

reply preflight() {
  auto made = make_reply(204);
  made.with("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
  made.with("Access-Control-Allow-Headers",
            "Authorization, Content-Type, Accept, Idempotency-Key, If-Match, If-None-Match");
  made.with("Access-Control-Max-Age", "600");
  return made;
}

void add_cors(reply& answer, std::string_view origin) {
  answer.with("Access-Control-Allow-Origin", std::string(origin));
  answer.with("Access-Control-Expose-Headers", "ETag, Location, Retry-After, Idempotency-Replayed");
  answer.with("Vary", "Origin");
}

bool has_header(const reply& answer, std::string_view name) {
  return std::any_of(answer.headers.begin(), answer.headers.end(),
                     [&](const auto& field) { return equal_ignoring_case(field.first, name); });
}

/// Answers depend on who asks: nothing in between may keep them, and a browser asks again with its ETag.
void forbid_caches(reply& answer) {
  if (!has_header(answer, "Cache-Control"))
    answer.with("Cache-Control", has_header(answer, "ETag") ? "private, no-cache" : "no-store");
}

const route_row* row_of(const request_context& request) {
  if (!request.matched) return nullptr;
  const auto* row = std::any_cast<const route_row*>(&request.matched->tag);
  return row ? *row : nullptr;
}

/// Lets those in that the row is for.
result<identity> admit(result<identity> who, const route_row& row) {
  if (row.who == role::open && !who) {
    identity nobody;
    nobody.anonymous = true;
    return nobody;
  }
  if (who && row.who == role::admin && !who->by.is_admin()) return fail(errc::forbidden);
  return who;
}

/// Why a request is not even looked at.
std::optional<reply> refuse_origin(const front_context& app, const request_context& request,
                                   const request_origin& origin) {
  if (!origin.valid)
    return problem_reply(problem_of_status(400, "The Host header is missing or malformed."), request.path);
  // A page elsewhere may have its name lead to this machine, and then nothing but the Host tells.
  if (app.access.off() && !origin.local)
    return problem_reply(problem_of_status(403, "Without access control only requests to localhost or a loopback "
                                                "address are served, and the Host is another name."),
                         request.path);
  const bool allowed = !allowed_origin(app, request).empty();
  if (is_preflight(request) && allowed) return preflight();
  // A page of another site must not act through a browser, also where no token is needed.
  if (!allowed && (!is_safe(request.verb) || request.wants_websocket()) && is_cross_site(request, origin.base))
    return problem_reply(problem_of_status(403, "Requests from this Origin are not allowed."), request.path);
  return std::nullopt;
}

awaitable<std::optional<reply>> decide(context_ptr app, request_context& request) {
  auto origin = origin_of(request, app->proxies);
  if (auto refusal = refuse_origin(*app, request, origin)) co_return refusal;
  const auto* row = row_of(request);
  if (!row) co_return std::nullopt;
  const bool in_query = row->upgrade != nullptr;
  auto known = recognise(*app, request, in_query);
  if (!known && row->who == role::open) known = fail(errc::unauthorized); // nobody there asks which customer it is
  if (!known) {
    auto pending = identify(*app, request, in_query);
    known = co_await std::move(pending);
  }
  auto who = admit(std::move(*known), *row);
  if (!who) co_return problem_reply(who.error(), request.path);
  if (const auto& by = who->by;
      !who->anonymous && !by.is_admin() && !app->customers_pace.lets(by.user, std::chrono::steady_clock::now()))
    co_return problem_reply(fail(errc::too_many_requests), request.path);
  request.attached = admission{std::move(*who), std::move(origin.base)};
  co_return std::nullopt;
}

void complete(const front_context& app, const request_context& request, reply& answer) {
  if (const auto allowed = allowed_origin(app, request); !allowed.empty()) add_cors(answer, allowed);
  forbid_caches(answer);
}

/// The words for the server kit's own errors.
reply render_error(unsigned status, std::string_view detail, const request_context* request) {
  auto text = std::string(detail);
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 32);
  if (!text.empty() && text.back() != '.') text += '.';
  if (request && !request->done_before_fault.empty()) text += " " + request->done_before_fault;
  auto made = problem_reply(problem_of_status(status, text), request ? request->path : std::string_view{});
  std::erase_if(made.headers, [](const auto& field) { return field.first == "Retry-After"; }); // the kit adds its own
  return made;
}

void log_access(const front_context& app, const request_context& request, unsigned status,
                std::chrono::nanoseconds took) {
  if (!spdlog::should_log(spdlog::level::debug)) return;
  // The path only: a query may carry a WebSocket's token.
  spdlog::debug("{} {} {} {} {:.1f} ms", origin_of(request, app.proxies).client, to_string(request.verb), request.path,
                status, std::chrono::duration<double, std::milli>(took).count());
}

} // namespace

server_hooks make_hooks(const context_ptr& app) {
  server_hooks hooks;
  hooks.render_error = render_error;
  hooks.admit = [app](request_context& request) { return decide(app, request); };
  hooks.complete = [app](const request_context& request, reply& answer) { complete(*app, request, answer); };
  hooks.observe = [app](const request_context& request, unsigned status, std::chrono::nanoseconds took) {
    log_access(*app, request, status, took);
  };
  hooks.io_ended = [](boost::asio::execution_context& ended) { answer_desk::of(ended)->close(); };
  return hooks;
}

} // namespace dr::http
