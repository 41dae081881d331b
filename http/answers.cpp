#include "http/answers.hpp"

#include "http/codecs/etag.hpp"
#include "http/negotiation.hpp"

#include <spdlog/spdlog.h>

namespace dr::http {

namespace {

/// Of a single resource, in bytes.
constexpr std::size_t usual_body = 768;

template <class Write> std::string written_json(Write write) {
  std::string text;
  text.reserve(usual_body);
  json_writer out(text);
  write(out);
  return text;
}

reply&& with_location(reply&& made, const view& how, const std::string& path) {
  made.with("Location", how.origin + path);
  return std::move(made);
}

/// The renderer of one alternative of `written`.
template <class T, class Render> renderer rendering(view how, Render render) {
  return [how = std::move(how), render = std::move(render)](const result<storage::written>& outcome) -> reply {
    if (!outcome) return problem_reply(outcome.error(), how.instance);
    if (const auto* what = std::get_if<T>(&*outcome)) return render(how, *what);
    spdlog::error("the store answered a change with alternative {}", outcome->index());
    return problem_reply(fail(errc::internal), how.instance);
  };
}

} // namespace

reply problem_reply(const problem& p, std::string_view instance) {
  auto made = make_reply(p.status, problem_type, to_json(p, instance));
  if (p.status == 401) made.with("WWW-Authenticate", "Bearer realm=\"drplatform\"");
  if (p.status == 503 || p.status == 429) made.with("Retry-After", std::to_string(retry_after_s));
  return made;
}

reply problem_reply(const error& why, std::string_view instance) {
  if (why.code == errc::internal) spdlog::error("a request to {} failed: {}", instance, why.detail);
  return problem_reply(problem_of(why), instance);
}

reply refuse(const call& c, const error& why) { return problem_reply(why, c.how.instance); }

reply json_reply(const view& how, unsigned status, std::string body, std::string etag) {
  auto made = make_reply(status, std::string(how.plain_json ? json_type : hal_type), std::move(body));
  if (!etag.empty()) made.with("ETag", std::move(etag));
  return made;
}

reply user_reply(const view& how, const user& u, unsigned status) {
  auto body = written_json([&](json_writer& out) { write_user(out, u, &how.origin); });
  // points move without the row's version where a store keeps balances apart, so they count for the tag
  const auto derived = std::to_string(u.points) + "/" + std::to_string(u.owed_points);
  auto made = json_reply(how, status, std::move(body), make_etag(u.version, derived));
  return status == 201 ? with_location(std::move(made), how, "/users/" + std::to_string(u.id.value)) : std::move(made);
}

reply campaign_reply(const view& how, const campaign& c, unsigned status) {
  auto body = written_json([&](json_writer& out) { write_campaign(out, c, &how.origin); });
  auto made = json_reply(how, status, std::move(body), make_etag(c.version, to_string(c.settlement)));
  return status == 201 ? with_location(std::move(made), how, "/drs/" + std::to_string(c.id.value)) : std::move(made);
}

reply response_reply(const view& how, const response& r, unsigned status) {
  auto body = written_json([&](json_writer& out) { write_response(out, r, &how.origin); });
  const auto derived = r.user_name + "/" + std::to_string(r.expected_points) + "/" + to_string(r.verification);
  return json_reply(how, status, std::move(body), make_etag(r.version, derived));
}

reply check_reply(const view& how, const reduction_check& c, unsigned status) {
  auto body = written_json([&](json_writer& out) { write_check(out, c, &how.origin); });
  return json_reply(how, status, std::move(body), make_etag(c.version, c.user_name));
}

reply entry_reply(const view& how, const ledger_entry& e, unsigned status) {
  auto made = json_reply(how, status, written_json([&](json_writer& out) { write_entry(out, e, &how.origin); }));
  return with_location(std::move(made), how, "/users/" + std::to_string(e.user.value) + "/ledger");
}

renderer render_user(view how, unsigned status) {
  return rendering<user>(std::move(how), [status](const view& v, const user& u) { return user_reply(v, u, status); });
}

renderer render_nothing(view how) {
  return [how = std::move(how)](const result<storage::written>& outcome) {
    return outcome ? make_reply(204) : problem_reply(outcome.error(), how.instance);
  };
}

renderer render_campaign(view how, unsigned status) {
  return rendering<campaign>(std::move(how),
                             [status](const view& v, const campaign& c) { return campaign_reply(v, c, status); });
}

renderer render_response(view how) {
  return rendering<storage::response_changed>(std::move(how), [](const view& v, const storage::response_changed& done) {
    return response_reply(v, done.response);
  });
}

renderer render_entry(view how) {
  return rendering<ledger_entry>(std::move(how),
                                 [](const view& v, const ledger_entry& e) { return entry_reply(v, e, 201); });
}

renderer render_accepted(view how, std::string location) {
  return rendering<storage::done>(
      std::move(how), [location = std::move(location)](const view& v, const storage::done& done) {
        auto body = written_json([&](json_writer& out) {
          out.begin_object().field("status", "queued").field("count", done.count).key("_links").begin_object();
          write_link(out, "self", v.origin, location);
          out.end_object().end_object();
        });
        return with_location(json_reply(v, 202, std::move(body)), v, location);
      });
}

renderer render_token(view how, std::string token) {
  return rendering<user>(std::move(how), [token = std::move(token)](const view& v, const user& u) {
    auto body = written_json([&](json_writer& out) {
      out.begin_object().field("token", token).field("userId", u.id.value);
      out.field("createdAt", u.token_created_at).end_object();
    });
    auto made = json_reply(v, 201, std::move(body));
    made.with("Cache-Control", "no-store");
    return with_location(std::move(made), v, "/users/" + std::to_string(u.id.value));
  });
}

} // namespace dr::http
