#include "simulator/simulator.hpp"

#include "http/server/server.hpp"
#include "kepco/codec.hpp"
#include "simulator/admin.hpp"
#include "simulator/stats.hpp"
#include "simulator/wire.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <stdexcept>

namespace dr::sim {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using http::make_reply;
using http::reply;
using http::request_context;

constexpr const char* json_type = "application/json";
constexpr std::size_t max_period_customers = 100;
constexpr std::size_t max_listed_customers = 10'000;
constexpr std::size_t max_admin_body = 32 * 1024 * 1024;

/// Waits in real time, or until the server gives the call up.
awaitable<void> pause(std::chrono::milliseconds time) {
  if (time.count() <= 0) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

reply problem(unsigned status, const std::string& detail, const std::vector<field_error>& fields = {}) {
  nlohmann::ordered_json body{{"title", http::reason_phrase(status)}, {"status", status}, {"detail", detail}};
  if (!fields.empty()) {
    auto& list = body["errors"] = nlohmann::ordered_json::array();
    for (const auto& f : fields) list.push_back({{"pointer", f.pointer}, {"detail", f.detail}});
  }
  using handling = nlohmann::ordered_json::error_handler_t; // a name in the input may be no UTF-8
  return make_reply(status, "application/problem+json", body.dump(-1, ' ', false, handling::replace));
}

reply problem(const error& why) { return problem(why.code == errc::overloaded ? 409 : 400, why.detail, why.fields); }

/// The parameters of a call, from the query of a GET and the form of a POST.
class call_parameters {
public:
  explicit call_parameters(const request_context& request) : request_(request) {
    if (request.verb != http::method::post || request.body.empty()) return;
    target_ = "/?" + request.body;
    form_good_ = form_.parse_target(target_).has_value();
  }
  bool readable() const { return form_good_; }
  std::string operator[](std::string_view name) const {
    if (auto value = form_.query_value(name)) return std::string(*value);
    if (auto value = request_.query_value(name)) return std::string(*value);
    return {};
  }

private:
  const request_context& request_;
  std::string target_;
  request_context form_;
  bool form_good_ = true;
};

std::optional<korean_day> parse_ymd(const std::string& text) {
  if (text.size() != 8) return std::nullopt;
  return parse_day(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 2));
}

/// What this call says of values that change between two reads.
void change(day_profile& profile, const call_fate& fate) {
  for (std::size_t i = 0; i < profile.wh.size(); ++i)
    if (profile.wh[i] != day_profile::missing) profile.wh[i] = fate.changed(i, profile.wh[i]);
}

/// The answer's first half. The body is whole as HTTP sees it, or the connection is cut in the middle.
reply truncated(reply whole, std::uint64_t variant) {
  whole.body.resize(whole.body.size() / 2);
  if (variant % 2 == 0) return whole;
  auto half = std::make_shared<std::string>(std::move(whole.body));
  auto sent = std::make_shared<bool>(false);
  whole.body.clear();
  whole.chunks = [half, sent]() -> awaitable<std::optional<std::string>> {
    if (*sent) throw std::runtime_error("cut off on purpose");
    *sent = true;
    co_return *half;
  };
  return whole;
}

http::server_options server_options_of(const simulator_options& options) {
  http::server_options out;
  out.address = options.address;
  out.port = options.port;
  out.io_threads = options.io_threads;
  out.server_name = "kepco-sim";
  out.handler_timeout = options.hang + std::chrono::minutes{11}; // latency is at most ten minutes
  return out;
}

} // namespace

struct simulator::impl {
  impl(simulator_options wanted, const clock& clock_used)
      : options(std::move(wanted)), time(clock_used), meters(options.generator, options.lag),
        dice(options.generator.seed), server(server_options_of(options), routes()) {}

  http::router routes();
  awaitable<reply> serve(request_context& request, operation op);
  reply answer(const call_parameters& call, operation op, const call_fate& fate, wire_format format) const;
  reply answer_customer(const call_parameters& call, operation op, const call_fate& fate, wire_format format) const;
  std::string answer_period(korean_day day, const call_fate& fate, wire_format format) const;
  std::optional<std::chrono::minutes> lag_of(const call_fate& fate) const {
    return fate.lag.count() > 0 ? std::optional(fate.lag) : std::nullopt;
  }

  reply post_reductions(request_context& request);
  reply delete_reductions(request_context& request);
  reply post_sites(request_context& request);
  reply put_faults(request_context& request);

  simulator_options options;
  const clock& time;
  model meters;
  fault_dice dice;
  call_stats stats;
  http::server server; // the last member: it stops before what its handlers use goes
};

http::router simulator::impl::routes() {
  http::router table;
  for (auto op : all_operations) {
    auto path = std::string("/OpenAPI/") + to_string(op) + ".do";
    for (auto verb : {http::method::get, http::method::post})
      table.add(verb, path, [this, op](request_context& request) { return serve(request, op); });
  }
  auto admin = [&](http::method verb, const char* path, reply (impl::*handle)(request_context&)) {
    http::route row;
    row.verb = verb;
    row.pattern = path;
    row.max_body_bytes = max_admin_body;
    row.handle = [this, handle](request_context& request) -> awaitable<reply> { co_return (this->*handle)(request); };
    table.add(std::move(row));
  };
  admin(http::method::post, "/_sim/reductions", &impl::post_reductions);
  admin(http::method::delete_, "/_sim/reductions", &impl::delete_reductions);
  admin(http::method::post, "/_sim/sites", &impl::post_sites);
  admin(http::method::put, "/_sim/faults", &impl::put_faults);
  table.add(http::method::get, "/_sim/faults", [this](request_context&) -> awaitable<reply> {
    co_return make_reply(200, json_type, format_faults(dice.get()));
  });
  table.add(http::method::get, "/_sim/stats", [this](request_context&) -> awaitable<reply> {
    co_return make_reply(200, json_type, stats.json(format_rfc3339(time.now())));
  });
  return table;
}

awaitable<reply> simulator::impl::serve(request_context& request, operation op) {
  call_stats::under_way counted(stats, op);
  auto fate = dice.throw_for_call();
  if (fate.kind != mishap::none) stats.injected(fate.kind);
  call_parameters call(request);
  auto format = call["returnType"] == "01" ? wire_format::xml : wire_format::json;
  co_await pause(fate.latency);
  auto refused = make_reply(fate.kind == mishap::down ? 503 : 500, "text/html;charset=UTF-8",
                            "<html><body><h1>HTTP Status - 오류</h1></body></html>");
  refused.close = true;
  switch (fate.kind) {
  case mishap::down:
    co_return refused;
  case mishap::error:
    if (fate.variant % 2 == 0) co_return refused;
    co_return make_reply(200, content_type(format),
                         error_answer(format, list_of(op), "openapi-4001", "서비스를 이용할 수 없습니다."));
  case mishap::hang:
    co_await pause(options.hang);
    throw std::runtime_error("a call was left hanging on purpose");
  case mishap::none:
  case mishap::garbage:
  case mishap::truncate:
    break;
  }
  auto out = answer(call, op, fate, format);
  if (auto poison = meters.poison_of(call["custNo"]); poison > 0)
    out.body = garbage_answer(out.body, call["custNo"], poison - 1, out.content_type);
  if (fate.kind == mishap::garbage) out.body = garbage_answer(out.body, call["custNo"], fate.variant, out.content_type);
  if (fate.kind == mishap::truncate) co_return truncated(std::move(out), fate.variant);
  co_return out;
}

reply simulator::impl::answer(const call_parameters& call, operation op, const call_fate& fate,
                              wire_format format) const {
  auto said = [&](std::string body) { return make_reply(200, content_type(format), std::move(body)); };
  auto wrong = [&](const char* code, const char* why) { return said(error_answer(format, list_of(op), code, why)); };
  if (!call.readable()) return wrong("openapi-2001", "요청 형식이 올바르지 않습니다.");
  auto key = call["serviceKey"];
  if (key.empty() || (!options.service_key.empty() && key != options.service_key))
    return wrong("openapi-3001", "등록되지 않은 서비스키입니다.");
  auto type = call["returnType"];
  if (type != "01" && type != "02") return wrong("openapi-2001", "returnType은 01 또는 02입니다.");
  switch (op) {
  case operation::customers:
    return said(customers_answer(format, meters.known_customers(max_listed_customers)));
  case operation::period: {
    auto day = parse_ymd(call["date"]);
    if (!day) return wrong("openapi-2001", "date는 yyyymmdd입니다.");
    return said(answer_period(*day, fate, format));
  }
  case operation::day:
  case operation::minute:
    break;
  }
  return answer_customer(call, op, fate, format);
}

reply simulator::impl::answer_customer(const call_parameters& call, operation op, const call_fate& fate,
                                       wire_format format) const {
  auto said = [&](std::string body) { return make_reply(200, content_type(format), std::move(body)); };
  auto wrong = [&](const char* code, const std::string& why) {
    return said(error_answer(format, list_of(op), code, why));
  };
  auto cust_no = call["custNo"];
  if (!is_cust_no(cust_no)) return wrong("openapi-2001", "custNo는 숫자 10자리입니다.");
  auto moment = op == operation::day ? call["date"] : call["dateTime"];
  auto day = parse_ymd(moment.substr(0, 8));
  auto quarter = 0;
  if (op == operation::minute) {
    auto label = moment.size() == 12 ? moment.substr(8) : std::string{};
    // Midnight is the end of the day before.
    if (label == "0000" && day) {
      day = *day - std::chrono::days{1};
      label = "2400";
    }
    quarter = kepco::quarter_of_label(label);
  } else if (moment.size() != 8) {
    day.reset();
  }
  if (!day || quarter < 0)
    return wrong("openapi-2001",
                 op == operation::day ? "date는 yyyymmdd입니다." : "dateTime은 15분 단위의 yyyymmddhhmi입니다.");
  if (auto from = meters.consent_from(cust_no); from && *day < *from)
    return wrong("openapi-9001", "고객이 정보 제공에 동의한 날(" + format_day(*from) + ")부터 조회할 수 있습니다.");
  auto profile = meters.day(cust_no, *day, time.now(), lag_of(fate), fate.spread);
  if (!profile) return wrong("openapi-9001", "조회된 데이터가 없습니다.");
  change(*profile, fate);
  return said(op == operation::day ? day_answer(format, cust_no, *day, *profile, fate)
                                   : minute_answer(format, cust_no, *day, quarter, *profile, fate));
}

std::string simulator::impl::answer_period(korean_day day, const call_fate& fate, wire_format format) const {
  std::vector<std::pair<std::string, day_profile>> customers;
  auto now = time.now();
  for (const auto& cust_no : meters.known_customers(max_period_customers)) {
    if (auto from = meters.consent_from(cust_no); from && day < *from) continue;
    if (auto profile = meters.day(cust_no, day, now, lag_of(fate), fate.spread)) {
      change(*profile, fate);
      customers.emplace_back(cust_no, *profile);
    }
  }
  if (customers.empty())
    return error_answer(format, list_of(operation::period), "openapi-9001", "조회된 데이터가 없습니다.");
  return period_answer(format, day, customers, fate);
}

reply simulator::impl::post_reductions(request_context& request) {
  auto wanted = parse_reductions(request.body);
  if (!wanted) return problem(wanted.error());
  auto total = meters.add(*wanted);
  if (!total) return problem(total.error());
  return make_reply(200, json_type,
                    nlohmann::ordered_json{{"accepted", wanted->size()}, {"registered", *total}}.dump());
}

reply simulator::impl::delete_reductions(request_context& request) {
  std::optional<std::string> cust_no;
  if (auto value = request.query_value("custNo")) {
    if (!is_cust_no(*value)) return problem(400, "custNo must be ten digits");
    cust_no = std::string(*value);
  }
  return make_reply(200, json_type, nlohmann::ordered_json{{"forgotten", meters.clear_reductions(cust_no)}}.dump());
}

reply simulator::impl::post_sites(request_context& request) {
  auto wanted = parse_sites(request.body);
  if (!wanted) return problem(wanted.error());
  if (auto done = meters.change_sites(*wanted); !done) return problem(done.error());
  return make_reply(200, json_type, nlohmann::ordered_json{{"accepted", wanted->size()}}.dump());
}

reply simulator::impl::put_faults(request_context& request) {
  auto wanted = parse_faults(request.body);
  if (!wanted) return problem(wanted.error());
  dice.set(*wanted);
  spdlog::info("faults: {}", format_faults(*wanted));
  return make_reply(200, json_type, format_faults(*wanted));
}

simulator::simulator(simulator_options options, const clock& time)
    : impl_(std::make_unique<impl>(std::move(options), time)) {}
simulator::~simulator() = default;

model& simulator::meters() noexcept { return impl_->meters; }
fault_dice& simulator::dice() noexcept { return impl_->dice; }
result<void> simulator::start() { return impl_->server.start(); }
void simulator::stop(std::chrono::milliseconds grace) { impl_->server.stop(grace); }
std::uint16_t simulator::port() const noexcept { return impl_->server.port(); }

std::string simulator::base_url() const {
  const auto& address = impl_->options.address;
  auto host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  return "http://" + host + ":" + std::to_string(port()) + "/OpenAPI";
}

} // namespace dr::sim
