#include "tests/chaos/control_room.hpp"

#include "tests/chaos/final_state.hpp"
#include "tests/support/process.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace dr::chaos {

namespace {

using namespace std::chrono_literals;
using test::eventually;

constexpr int workers = 4;
constexpr auto call_timeout = 8s;
constexpr auto insist_for = 60s;
constexpr auto alerting_time = 1s; ///< from an order on, until all who are connected have heard of it

constexpr std::array programmes = {"reliable", "small", "jeju", "citizen", "voluntary"};
constexpr std::array methods = {"", "max-4-5", "mid-6-10", "mid-4-6", "mid-8-10"};

json body_of(const test::http_answer& answer) { return json::parse(answer.body, nullptr, false); }

json enrolment(const site& at, dice& with) {
  json body{{"name", "고객 " + at.cust_no + " ⚡"},
            {"capacity", at.capacity_w / 1'000},
            {"custNo", at.cust_no},
            {"point", throw_dice(with, 0, 1'000)}};
  const std::string method = methods.at(static_cast<std::size_t>(throw_dice(with, 0, 4)));
  if (!method.empty()) body["baselineMethod"] = method;
  if (happens(with, 25)) body["saa"] = true;
  return body;
}

} // namespace

control_room::control_room(std::uint16_t port, std::uint64_t seed, double clock_rate, const meters& sites, phase& run,
                           history& into)
    : port_(port), seed_(seed), clock_rate_(clock_rate), sites_(sites), run_(run), history_(into),
      own_(port, "127.0.0.1", call_timeout) {
  for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

control_room::~control_room() {
  {
    std::scoped_lock lock{mutex_};
    done_ = true;
  }
  for (auto& worker : workers_) worker.join();
}

// ---- the machinery -------------------------------------------------------------------------------------------------

void control_room::take(planned_step what) {
  std::scoped_lock lock{mutex_};
  steps_.push_back(what);
}

void control_room::work() {
  test::http_client over(port_, "127.0.0.1", call_timeout);
  for (;;) {
    std::optional<planned_step> next;
    {
      std::scoped_lock lock{mutex_};
      if (done_) return;
      if (run_.now() != phase::at::resting && !steps_.empty()) {
        next = steps_.front();
        steps_.pop_front();
      }
    }
    if (!next) {
      test::pause_between_looks();
      continue;
    }
    const phase::ticket under_way(run_);
    carry_out(*next, over);
  }
}

void control_room::carry_out(const planned_step& what, test::http_client& over) {
  if (waits_for_order(what)) return;
  if (is_too_soon(what)) {
    test::pause_between_looks();
    return take(what);
  }
  switch (what.what) {
  case step::order:
    return order(what, over);
  case step::change:
    return change(what, over);
  case step::end:
  case step::cancel:
    return finish(what, what.what == step::cancel, over);
  case step::enrol:
    return enrol(what.dice, over);
  case step::import:
    return import(what.dice, over);
  case step::withdraw:
    return withdraw(what.dice, over);
  case step::payout:
    return pay_out(what.dice, over);
  case step::recheck:
    return recheck(what, over);
  case step::rest:
    return; // the run's own business
  }
}

operation& control_room::ask(operation what, test::http_client& over) {
  if (what.key.empty()) what.key = next_key(to_string(what.kind));
  auto& op = history_.begin(std::move(what));
  insist(op, over, insist_for);
  return op;
}

/// Until it is acknowledged or refused for good; a 503 that promises that nothing was done is tried again as well.
void control_room::insist(operation& what, test::http_client& over, std::chrono::milliseconds at_most) {
  const auto give_up = steady::now() + at_most;
  do {
    what.attempts.push_back(try_once(over, what));
    const auto& last = what.attempts.back();
    if (last.result == outcome::acknowledged || (last.result == outcome::refused && last.status < 500)) return;
    test::pause_between_looks();
  } while (steady::now() < give_up && run_.now() != phase::at::resting && run_.now() != phase::at::over);
}

std::string control_room::next_key(const char* what) {
  std::scoped_lock lock{mutex_};
  return std::string(what) + "-" + std::to_string(seed_) + "-" + std::to_string(++keys_);
}

void control_room::conclude_order(int campaign, const operation& order) {
  std::scoped_lock lock{mutex_};
  if (order.result() == outcome::unknown) {
    open_orders_[campaign] = &order;
    return;
  }
  open_orders_.erase(campaign);
  const auto& body = order.acknowledged_body();
  known_since_[campaign] = steady::now();
  campaigns_[campaign] = body.is_null() ? 0 : body.at("id").get<std::int64_t>();
  const auto [first, last] = held_.equal_range(campaign);
  for (auto at = first; at != last; ++at) steps_.push_back(at->second);
  held_.erase(first, last);
}

/// Keeps the step back while its campaign's order has no known outcome: a campaign that nobody ends would hold up the
/// settlement of all that overlap it.
bool control_room::waits_for_order(const planned_step& what) {
  if (what.campaign == 0 || what.what == step::order) return false;
  std::scoped_lock lock{mutex_};
  if (campaigns_.contains(what.campaign)) return false;
  held_.emplace(what.campaign, what);
  return true;
}

/// An order that is over before anybody could be alerted is right to alert nobody; that is not what is judged here.
bool control_room::is_too_soon(const planned_step& what) {
  if (what.what != step::end && what.what != step::cancel) return false;
  std::scoped_lock lock{mutex_};
  return steady::now() - known_since_.at(what.campaign) < alerting_time;
}

std::int64_t control_room::id_of(int campaign) {
  std::scoped_lock lock{mutex_};
  return campaigns_.at(campaign);
}

const site* control_room::next_site() {
  std::scoped_lock lock{mutex_};
  return sites_used_ < sites_.sites().size() ? &sites_.sites()[sites_used_++] : nullptr;
}

std::int64_t control_room::some_user(dice& with) {
  std::scoped_lock lock{mutex_};
  return users_.at(static_cast<std::size_t>(throw_dice(with, 0, static_cast<std::int64_t>(users_.size()) - 1)));
}

json control_room::read(const std::string& path, test::http_client& over) {
  try {
    auto body = body_of(over.get(path));
    return body.is_discarded() ? json() : body;
  } catch (const test::client_error&) {
    return {};
  }
}

json control_room::get(const std::string& path) {
  json body;
  eventually(
      "GET " + path + " answers",
      [&] {
        try {
          const auto answer = own_.get(path);
          body = body_of(answer);
          return answer.status == 200;
        } catch (const test::client_error&) {
          return false;
        }
      },
      60s);
  return body;
}

// ---- the steps -----------------------------------------------------------------------------------------------------

std::vector<std::int64_t> control_room::enrol_first(int count) {
  for (int i = 0; i < count; ++i) enrol(static_cast<std::uint64_t>(i), own_);
  std::scoped_lock lock{mutex_};
  return users_;
}

void control_room::enrol(std::uint64_t luck, test::http_client& over) {
  const auto* site = next_site();
  if (!site) return;
  auto with = dice_of(luck, "enrol");
  const auto& op = ask(posted(operation_kind::enrol, "/users", enrolment(*site, with)), over);
  if (op.result() != outcome::acknowledged) return;
  std::scoped_lock lock{mutex_};
  users_.push_back(op.acknowledged_body().at("id").get<std::int64_t>());
}

void control_room::import(std::uint64_t luck, test::http_client& over) {
  auto with = dice_of(luck, "import");
  std::string list = "name,capacity,custNo\n";
  for (auto rows = throw_dice(with, 2, 5); rows > 0; --rows)
    if (const auto* site = next_site())
      list += "명단 " + site->cust_no + "," + std::to_string(site->capacity_w / 1'000) + "," + site->cust_no + "\n";
  ask(posted(operation_kind::import_list, "/users/import", list), over);
}

/// The business instant that lies so much real time ahead, from what the server says it is now.
std::string control_room::business_time(test::http_client& over, std::chrono::milliseconds real_ahead) {
  const auto overview = read("/overview", over);
  if (!overview.is_object() || !overview.contains("at")) return {};
  const auto at = instant_ms(overview.at("at")) + std::llround(static_cast<double>(real_ahead.count()) * clock_rate_);
  const auto seconds = static_cast<std::time_t>(at / 1'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

void control_room::order(const planned_step& what, test::http_client& over) {
  auto with = dice_of(what.dice, "order");
  json body{{"name", "발령 " + std::to_string(what.campaign)},
            {"type", programmes.at(static_cast<std::size_t>(throw_dice(with, 0, 4)))}};
  const auto variant = throw_dice(with, 0, 9);
  const auto ahead = milliseconds{throw_dice(with, 1'000, 4'000)};
  if (variant == 0) body["test"] = true;
  if (variant == 1 || variant == 2)
    if (auto at = business_time(over, ahead); !at.empty()) body["startsAt"] = at;
  if (variant == 3)
    if (auto at = business_time(over, ahead); !at.empty()) body["respondBy"] = at;
  if (variant == 4 || variant == 5)
    if (auto at = business_time(over, 2 * ahead); !at.empty()) body["endsAt"] = at;
  conclude_order(what.campaign, ask(posted(operation_kind::order_campaign, "/drs", body), over));
}

void control_room::change(const planned_step& what, test::http_client& over) {
  operation wanted;
  wanted.kind = operation_kind::change_campaign;
  wanted.campaign = id_of(what.campaign);
  if (wanted.campaign == 0) return;
  wanted.method = "PATCH";
  wanted.path = "/drs/" + std::to_string(wanted.campaign);
  wanted.wanted = {{"orderKw", static_cast<std::int64_t>(what.dice % 90'000 + 1)}};
  ask(std::move(wanted), over);
}

void control_room::finish(const planned_step& what, bool cancel, test::http_client& over) {
  const auto id = id_of(what.campaign);
  if (id == 0) return;
  auto wanted = posted(cancel ? operation_kind::cancel_campaign : operation_kind::end_campaign,
                       "/drs/" + std::to_string(id) + (cancel ? "/cancel" : "/end"),
                       cancel ? json{{"reason", "연습 취소"}} : json(nullptr));
  wanted.campaign = id;
  const auto& op = ask(std::move(wanted), over);
  if (op.result() != outcome::refused) return;
  // It must not stay open, or all that overlap it wait for its settlement: what was given up for a rest is done after
  // it, and one that has not begun is canceled.
  if (op.attempts.back().status >= 500) return take(what);
  if (!cancel && op.attempts.back().body.value("type", "") == "/problems/campaign-scheduled") finish(what, true, over);
}

void control_room::withdraw(std::uint64_t luck, test::http_client& over) {
  auto with = dice_of(luck, "withdraw");
  operation wanted;
  wanted.kind = operation_kind::withdraw_user;
  wanted.method = "DELETE";
  wanted.user = some_user(with);
  wanted.path = "/users/" + std::to_string(wanted.user);
  ask(std::move(wanted), over);
}

void control_room::pay_out(std::uint64_t luck, test::http_client& over) {
  auto with = dice_of(luck, "payout");
  const auto user = some_user(with);
  auto wanted = posted(operation_kind::withdraw_points, "/users/" + std::to_string(user) + "/withdraw",
                       {{"amount", throw_dice(with, 1, 120)}});
  wanted.user = user;
  ask(std::move(wanted), over);
}

void control_room::recheck(const planned_step& what, test::http_client& over) {
  const auto id = id_of(what.campaign);
  const auto checks = id == 0 ? json() : read("/kepcos?drId=" + std::to_string(id), over);
  if (!checks.is_object() || !checks.contains("_embedded") || checks["_embedded"]["kepcos"].empty()) return;
  const auto& all = checks["_embedded"]["kepcos"];
  const auto& chosen = all[what.dice % all.size()];
  auto wanted = posted(operation_kind::recheck, "/kepcos/" + chosen.at("id").dump() + "/recheck", nullptr);
  wanted.campaign = 0;
  wanted.response = chosen.at("responseId").get<std::int64_t>();
  ask(std::move(wanted), over);
}

} // namespace dr::chaos
