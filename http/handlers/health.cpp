#include "http/health.hpp"

#include "http/handlers/common.hpp"
#include "http/negotiation.hpp"

namespace dr::http::handlers {

namespace {

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
  // However many strangers ask, the parts are asked by the watch alone.
  auto report = operator_asks ? nullptr : c.app.last_look.load();
  if (!report) {
    auto asking = ask_health(c.app);
    report = std::make_shared<const health_report>(co_await std::move(asking));
  }
  co_return plain(report->status == health_status::down ? 503 : 200, to_json(*report, c.app, operator_asks));
}

} // namespace dr::http::handlers
