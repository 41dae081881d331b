#include "actors/metering/history.hpp"

#include "actors/ask.hpp"
#include "actors/house.hpp"
#include "actors/metering/day_keeping.hpp"
#include "actors/metering/kepco_gate.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace dr::actors {

namespace {

using std::chrono::milliseconds;

constexpr int outstanding_max = 16;
/// After trouble (KEPCO or the store away, checks due): real time.
constexpr milliseconds pause_time{30'000};
/// Between two looks for newly enrolled users.
constexpr milliseconds new_users_every{60'000};
/// Between two whole walks of one day: while KEPCO still owes days, and otherwise.
constexpr std::chrono::minutes walk_again_with_gaps{15};
constexpr std::chrono::hours walk_again{6};

/// The working days before `today`, most recent first: the ones most baselines need come first.
std::vector<korean_day> days_to_have(korean_day today, const check_rules& rules) {
  std::vector<korean_day> days;
  for (auto day = today - std::chrono::days{1}; static_cast<int>(days.size()) < days_collected(rules);
       day -= std::chrono::days{1})
    if (is_working_day(day, rules.holidays)) days.push_back(day);
  return days;
}

} // namespace

void history_state::after(milliseconds delay) { self->delayed_send(self, delay, history_tick{++plan}); }

void history_state::pause() {
  if (paused) return;
  paused = true;
  after(pause_time);
}

void history_state::step() {
  paused = false;
  if (outstanding > 0 || !to_ask.empty()) return ask_more();
  auto today = korean_day_of(parts.clock->now());
  if (walk_done && (today != walked_on || self->clock().now() >= again_at)) {
    at = {};
    walk_done = false;
    gaps_left = false;
  }
  read_page();
}

void history_state::read_page() {
  auto now = parts.clock->now();
  auto today = korean_day_of(now);
  auto days = days_to_have(today, *parts.rules);
  auto limit = std::max<std::size_t>(parts.rules->metering.history_batch_size, 1);
  auto query = [behind = at, limit, from_day = days.back(), to_day = days.front(),
                now](storage::reader& from) -> result<page_read> {
    auto due = from.next_check_due();
    if (!due) return due.error();
    page_read page;
    page.checks_due = *due && **due <= now;
    if (page.checks_due) return page;
    auto users = from.history(behind, static_cast<int>(limit), from_day, to_day);
    if (!users) return users.error();
    page.users = std::move(*users);
    return page;
  };
  read(
      self, parts.store, store_timeout, std::move(query),
      [this, limit, today](page_read page) { page_came(std::move(page), limit, today); },
      [this](const error&) { pause(); }, urgency::yielding);
}

void history_state::page_came(page_read page, std::size_t asked_for, korean_day today) {
  if (page.checks_due) return pause();
  const auto now = parts.clock->now();
  auto days = days_to_have(today, *parts.rules);
  for (const auto& user : page.users) {
    at = user.user;
    if (user.cust_no.empty()) continue;
    const auto deadline = parts.rules->metering.verification_deadline;
    const bool served = !user.closed.empty();
    bool probed = false;
    for (auto day : days) {
      if (user.closed.contains(day)) continue;
      const auto found = user.noted.find(day);
      const auto noted = found == user.noted.end() ? std::nullopt : std::optional(found->second);
      if (noted && gaps_are_final(day, now, deadline)) {
        // Of a customer that KEPCO does not know yet one old day is enough to find out.
        if (!served && std::exchange(probed, true)) continue;
        if (asked_lately(day, *noted, now, deadline)) continue;
      }
      to_ask.push_back({user.cust_no, day, noted, served});
    }
  }
  if (!to_ask.empty()) return ask_more();
  if (page.users.size() < asked_for) return end_of_walk(today);
  read_page();
}

void history_state::end_of_walk(korean_day today) {
  if (!walk_done) {
    walk_done = true;
    walked_on = today;
    again_at = self->clock().now() + (gaps_left ? milliseconds{walk_again_with_gaps} : milliseconds{walk_again});
  }
  after(std::min(new_users_every,
                 std::max(parts.clock->real_delay_until(start_of(today + std::chrono::days{1})), milliseconds{1'000})));
}

void history_state::ask_more() {
  if (paused) return;
  while (outstanding < outstanding_max && !to_ask.empty()) {
    auto next = std::move(to_ask.front());
    to_ask.pop_front();
    ++outstanding;
    self->request(parts.gate, caf::infinite, fetch_day{next.cust_no, next.day, fetch_priority::history})
        .then([this, next](const fetched_day& answer) { answered(answer, next); },
              [this, next](const caf::error&) {
                answered({next.cust_no, next.day, {}, meter_error{meter_errc::unavailable, "not asked"}}, next);
              });
  }
  if (outstanding == 0) after(milliseconds{1}); // the page is done
}

void history_state::skip_customer(const std::string& cust_no) {
  std::erase_if(to_ask, [&](const wanted& one) { return one.cust_no == cust_no; });
}

void history_state::keep(storage::save_profile day) {
  write(
      self, parts.store, store_timeout, {std::move(day), nullptr}, [](const storage::written&) {},
      [this](const error&) {
        gaps_left = true;
        pause();
      });
}

void history_state::answered(const fetched_day& answer, const wanted& asked) {
  --outstanding;
  const auto now = parts.clock->now();
  const auto deadline = parts.rules->metering.verification_deadline;
  const storage::stored_day known{{}, false, asked.noted.value_or(time_point{})};
  auto day = what_to_keep(answer, asked.noted ? &known : nullptr, asked.served, now, deadline);
  // An old day without values is asked for again, but there is no hurry.
  const bool owed = !answers_the_day(answer) || !gaps_are_final(answer.day, now, deadline);
  if (owed && (!day || !day->closed)) gaps_left = true;
  if (!asked.served && day && day->closed) gaps_left = true; // now that KEPCO knows the customer, there may be more
  if (day) keep(std::move(*day));
  if (answer.failure && !answers_the_day(answer)) {
    // This day waits for the next walk, so that nobody's trouble holds up the others. A crash or a refusal is about the
    // customer; anything else is about KEPCO, which gets a rest.
    auto code = answer.failure->code;
    if (code == meter_errc::garbage || code == meter_errc::refused) skip_customer(answer.cust_no);
    if (code != meter_errc::garbage) pause();
  }
  ask_more();
}

history_actor::behavior_type history(history_actor::stateful_pointer<history_state> self, history_parts parts) {
  house_rules(self, history_state::name);
  self->state.parts = std::move(parts);
  self->state.after(milliseconds{1});
  return {
      [self](const history_tick& tick) {
        if (tick.plan == self->state.plan) self->state.step();
      },
  };
}

} // namespace dr::actors
