// What verification does with checks that are not settled now: their next try, written down for many at once; the line
// of those that wait for KEPCO; and the waking of those that wait for another check of the same user.
#include "actors/ask.hpp"
#include "actors/metering/verification.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

using std::chrono::milliseconds;

/// What is postponed within this time becomes one change, so that a KEPCO that fails costs the answers nothing.
constexpr milliseconds gather_time{200};
/// Crash counts kept at most; more would mean that everything crashes, and then a fresh count does no harm.
constexpr std::size_t crash_counts_max = 10'000;
/// Users kept at most of whom a check waits for another; the checks of others wait for their next try.
constexpr std::size_t hints_max = 10'000;
/// Who waits for a neighbour is woken by it. This is for a neighbour that is closed otherwise, as by a cancellation.
constexpr milliseconds neighbour_wait{10'000};

} // namespace

void verification_state::crashed(response_id id, int attempts, const std::string& why, time_point not_after,
                                 std::vector<storage::save_profile> days) {
  if (expired.contains(id)) {
    spdlog::error("the check of response {} can neither be done nor given up, and stays parked: {}", id.value, why);
    hopeless.insert(id);
    return release(id);
  }
  if (crashes.size() >= crash_counts_max) crashes.clear();
  if (++crashes[id] >= crashes_max) return park(id, attempts, why, std::move(days));
  postpone(id, attempts, {std::nullopt, not_after, why, true}, std::move(days));
}

/// Checks that wait for KEPCO come back in a line, one for each question that it takes, and a second's worth of them
/// together: sooner they could not be helped anyway.
milliseconds verification_state::place_in_line() {
  auto now = self->clock().now();
  line_end = std::max(line_end, now) + parts.question_every;
  auto together = std::chrono::ceil<std::chrono::seconds>(line_end);
  return std::chrono::ceil<milliseconds>(together - now);
}

void verification_state::postpone(response_id id, int attempts, const try_later& how,
                                  std::vector<storage::save_profile> days) {
  auto now = parts.clock->now();
  storage::postponement what{id, {}, attempts, false, how.reason, std::move(days)};
  if (how.at) {
    what.next_try_at = *how.at; // nothing was tried
  } else {
    what.attempts = attempts + 1;
    auto delay = retry->next(what.attempts);
    if (how.away) delay = std::max(delay, place_in_line());
    if (how.neighbour) delay = std::max(delay, neighbour_wait);
    what.next_try_at = parts.clock->after_real(delay);
    if (now < how.not_after) what.next_try_at = std::min(what.next_try_at, how.not_after);
  }
  gather(std::move(what));
}

void verification_state::park(response_id id, int attempts, const std::string& reason,
                              std::vector<storage::save_profile> days) {
  spdlog::warn("the check of response {} is parked: {}", id.value, reason);
  crashes.erase(id);
  gather({id, parts.clock->now(), attempts, true, reason, std::move(days)});
}

void verification_state::gather(storage::postponement what) {
  postponed.push_back(std::move(what));
  if (postponed.size() >= batch()) return write_gathered();
  if (std::exchange(gathering, true)) return;
  self->delayed_send(self, gather_time, gathered{});
}

/// One such change at a time; what comes meanwhile is in the next one.
void verification_state::write_gathered() {
  if (postponing > 0 || postponed.empty()) return;
  write_postponed(std::exchange(postponed, {}));
}

void verification_state::write_postponed(std::vector<storage::postponement> all) {
  ++postponing;
  auto copy = all;
  write(
      self, parts.store, store_timeout, {storage::postpone_checks{std::move(copy), parts.clock->now()}, nullptr},
      [this, all](const storage::written&) {
        --postponing;
        for (const auto& one : all) {
          if (one.parked) wake_neighbours(one.id); // nobody waits for a parked one
          release(one.id);
        }
        if (!gathering) write_gathered();
      },
      [this, all](const error& why) {
        --postponing;
        postponing_failed(all, why);
      });
}

void verification_state::postponing_failed(std::vector<storage::postponement> all, const error& why) {
  // One that cannot be stored is found by halving, so that it holds up nobody else.
  if (why.code == errc::internal && all.size() > 1) {
    auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    write_postponed({all.begin(), middle});
    write_postponed({middle, all.end()});
    return;
  }
  store_failed(why);
  for (const auto& one : all) release(one.id);
  if (!gathering) write_gathered();
}

void verification_state::waits_for_neighbour(response_id id) {
  auto claim = claimed.find(id);
  if (claim == claimed.end() || !claim->second) return;
  if (after_others.size() >= hints_max) after_others.clear();
  auto& waiting = after_others[claim->second];
  if (std::ranges::find(waiting, id) == waiting.end()) waiting.push_back(id);
}

/// A check of the user is closed: those that waited for it are looked at now. What is only in this memory is lost in a
/// crash; they have their next try all the same.
void verification_state::wake_neighbours(response_id closed) {
  auto claim = claimed.find(closed);
  if (claim == claimed.end()) return;
  auto found = after_others.find(claim->second);
  if (found == after_others.end()) return;
  auto waiting = std::move(found->second);
  after_others.erase(found);
  for (auto id : waiting)
    if (id != closed && claimed.emplace(id, user_id{}).second) to_read.push_back(id);
}

} // namespace dr::actors
