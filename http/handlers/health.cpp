#include "http/health.hpp"

#include "http/handlers/common.hpp"
#include "http/negotiation.hpp"

namespace dr::http::handlers {

namespace {

/// The watch looks every two seconds, and a look takes some while storage is away.
constexpr std::chrono::seconds still_true{8};

unsigned status_of(const health_report& report) { return report.status == health_status::down ? 503 : 200; }

reply plain(unsigned status, std::string body) {
  auto made = make_reply(status, std::string(json_type), std::move(body));
  made.with("Cache-Control", "no-store");
  if (status == 503) made.with("Retry-After", std::to_string(retry_after_s));
  return made;
}

} // namespace

awaitable<reply> get_livez(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  co_return plain(200, R"({"status":"up"})");
}

awaitable<reply> get_readyz(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  if (c.app.draining) co_return refuse(c, fail(errc::shutting_down, "The server is draining."));
  auto pending = ping_store(c.app);
  const auto answers = co_await std::move(pending);
  if (!answers)
    co_return refuse(c, fail(errc::store_unavailable, "Storage does not answer: " + answers.error().detail));
  co_return plain(200, R"({"status":"ready"})");
}

awaitable<reply> get_health(call& c) {
  if (auto fine = no_query(c.http); !fine) co_return refuse(c, fine.error());
  const bool operator_asks = !c.who.anonymous && c.by().is_admin();
  // However many strangers ask, the parts are asked by the watch alone, as long as it goes on.
  const auto last = operator_asks ? nullptr : c.app.last_look.load();
  if (last && std::chrono::steady_clock::now() - last->at < still_true)
    co_return plain(status_of(last->report), to_json(last->report, c.app, false));
  auto asking = ask_health(c.app);
  const auto report = co_await std::move(asking);
  co_return plain(status_of(report), to_json(report, c.app, operator_asks));
}

} // namespace dr::http::handlers
