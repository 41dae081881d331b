#include "actors/metering/verification.hpp"

#include "actors/ask.hpp"
#include "actors/house.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <unordered_set>

namespace dr::actors {

namespace {

using std::chrono::milliseconds;

/// Materials read in one task, and such tasks at once: enough to keep two readers busy, small enough for memory (a
/// check's days are some tens of kB).
constexpr std::size_t read_chunk = 250;
constexpr std::size_t reads_max = 2;
/// With work under way the queue is looked at this often, for what has become due meanwhile.
constexpr milliseconds look_while_busy{1'000};
constexpr milliseconds look_soonest{20};
constexpr milliseconds store_pause_first{250};
constexpr milliseconds store_pause_longest{10'000};
/// Verdicts go to the store together, so many or those of this time: KEPCO's answers come one by one, and a transaction
/// costs about the same for ten verdicts as for one.
constexpr std::size_t verdicts_together = 100;
constexpr milliseconds verdict_time{50};
/// Parked checks whose deadline has passed, taken at one look.
constexpr std::size_t expired_max = 100;

/// An error of the change itself, as opposed to the store's condition.
bool is_our_fault(const error& why) {
  return why.code == errc::internal || (!passing(why) && why.code != errc::fenced && why.code != errc::shutting_down);
}

} // namespace

// ---- from the queue to pieces of work ------------------------------------------------------------------------------

void verification_state::look_after(milliseconds delay) {
  self->delayed_send(self, std::max(delay, look_soonest), look_tick{++plan});
}

void verification_state::look() {
  if (looking || paused) {
    look_again = true;
    return;
  }
  auto room = claims_max() - std::min(claimed.size(), claims_max());
  more = room == 0;
  if (more) return look_after(look_while_busy);
  looking = true;
  look_again = false;
  // What is claimed is still due, so it comes again; without it there must be room for new ones.
  auto limit = claimed.size() + room;
  auto now = parts.clock->now();
  auto ended_before = now - parts.rules->metering.verification_deadline - quarter_hour;
  auto expired_limit = static_cast<int>(expired_max + hopeless.size());
  auto query = [now, limit, ended_before, expired_limit](storage::reader& from) -> result<due_now> {
    auto due = from.due_checks(now, static_cast<int>(limit));
    if (!due) return due.error();
    due_now found{std::move(*due), {}, {}};
    if (found.checks.empty()) { // nothing to do before the next one is due
      auto next = from.next_check_due();
      if (!next) return next.error();
      found.next = *next;
    }
    auto given_up = from.expired_parked(ended_before, expired_limit);
    if (!given_up) return given_up.error();
    found.expired = std::move(*given_up);
    return found;
  };
  read(
      self, parts.store, store_timeout, std::move(query), [this, limit](due_now due) { looked(due, limit); },
      [this](const error& why) {
        looking = false;
        store_failed(why);
      });
}

void verification_state::looked(const due_now& due, std::size_t asked_for) {
  looking = false;
  more = due.checks.size() >= asked_for;
  for (const auto& check : due.checks)
    if (claimed.emplace(check.id, user_id{}).second) to_read.push_back(check.id);
  for (const auto& check : due.expired) {
    if (hopeless.contains(check.id) || !claimed.emplace(check.id, user_id{}).second) continue;
    expired.insert(check.id);
    to_read.push_back(check.id);
  }
  read_materials();
  if (look_again) return look();
  if (!claimed.empty()) return look_after(look_while_busy);
  store_pause = milliseconds{0};
  milliseconds sleep = look_at_least;
  if (due.next) sleep = std::min(sleep, parts.clock->real_delay_until(*due.next));
  look_after(sleep);
}

void verification_state::read_materials() {
  while (!to_read.empty() && !paused && reads.size() < reads_max && settling < 2 * batch() && jobs.size() < batch()) {
    auto count = std::min({to_read.size(), read_chunk, batch()});
    auto end = to_read.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<response_id> ids(to_read.begin(), end);
    to_read.erase(to_read.begin(), end);
    read_some(std::move(ids));
  }
}

void verification_state::read_some(std::vector<response_id> ids) {
  auto moved = std::make_shared<users_moved>();
  reads.push_back(moved);
  auto query = [ids](storage::reader& from) { return from.check_materials(ids); };
  read(
      self, parts.store, store_timeout, std::move(query),
      [this, ids, moved](std::vector<storage::check_material> materials) {
        std::erase(reads, moved);
        materials_read(ids, std::move(materials), *moved);
      },
      [this, ids, moved](const error& why) {
        std::erase(reads, moved);
        materials_failed(ids, why);
      },
      urgency::yielding);
}

void verification_state::materials_failed(const std::vector<response_id>& ids, const error& why) {
  if (why.code != errc::internal) { // the store's condition
    store_failed(why);
    for (auto id : ids) release(id);
    return;
  }
  // Something stored cannot be read. The guilty check is found by halving, so that it holds up nobody else.
  if (ids.size() == 1 && expired.contains(ids.front())) return settle_unread(ids.front());
  if (ids.size() == 1) return crashed(ids.front(), 0, "its stored data cannot be read", time_point::max());
  auto middle = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2);
  read_some({ids.begin(), middle});
  read_some({middle, ids.end()});
}

void verification_state::materials_read(const std::vector<response_id>& ids,
                                        std::vector<storage::check_material> materials, const users_moved& since) {
  std::unordered_set<response_id> found;
  for (const auto& material : materials) found.insert(material.response.id);
  for (auto id : ids)
    if (!found.contains(id)) release(id); // settled or parked meanwhile
  for (auto& material : materials) take(std::move(material), since);
  write_verdicts(); // those that needed no question come together anyhow
  read_materials();
}

bool verification_state::waits_for_user(user_id user, response_id id) {
  // One check of a user at a time: two could credit the same quarter hour from the same reading.
  auto [at, first] = users.try_emplace(user, turns{id, {}});
  if (first || at->second.now == id) return false;
  at->second.waiting.push_back(id);
  return true;
}

void verification_state::take(storage::check_material material, const users_moved& since) {
  auto id = material.response.id;
  auto user = material.response.user;
  auto claim = claimed.find(id);
  if (claim == claimed.end()) return;
  // Another check of the user may have been settled since: what it credited would be credited again.
  if (since.contains(user)) return to_read.push_front(id);
  if (waits_for_user(user, id)) return;
  claim->second = user;
  auto attempts = material.attempts;
  std::optional<check_work> made;
  try {
    made.emplace(std::move(material), parts.rules);
  } catch (const std::exception& e) {
    return park(id, attempts, std::string("the verification failed: ") + e.what());
  }
  auto& work = *made;
  // Where all days are kept already, the check ends here, without an actor of its own.
  auto step = work.next(parts.clock->now());
  auto* wanted = std::get_if<ask_days>(&step);
  if (!wanted) {
    check_decided done{id, attempts, std::move(step), {}};
    return carry_out(done);
  }
  auto job =
      self->spawn(check_job, std::move(work), std::move(*wanted), check_parent_actor{self}, parts.gate, parts.clock);
  jobs.emplace(job.id(), running_job{id, attempts});
  self->monitor(job);
}

// ---- from a decision to the store ----------------------------------------------------------------------------------

void verification_state::carry_out(check_decided& done) {
  auto id = done.id;
  auto attempts = done.attempts;
  if (const auto* now = std::get_if<settle_now>(&done.what))
    return settle(id, attempts, {now->check, std::move(done.days)});
  if (const auto* never = std::get_if<park_now>(&done.what))
    return park(id, attempts, never->reason, std::move(done.days));
  const auto* later = std::get_if<try_later>(&done.what);
  if (!later) return park(id, attempts, "a decision without a meaning");
  if (later->crashed) return crashed(id, attempts, later->reason, later->not_after, std::move(done.days));
  crashes.erase(id);
  if (later->neighbour) waits_for_neighbour(id);
  postpone(id, attempts, *later, std::move(done.days));
}

void verification_state::settle(response_id id, int attempts, storage::settle_check what) {
  ++settling;
  verdicts.push_back({id, attempts, std::move(what)});
  if (verdicts.size() >= std::min(verdicts_together, batch())) return write_verdicts();
  if (!std::exchange(judging, true)) self->delayed_send(self, verdict_time, judged{});
}

void verification_state::write_verdicts() {
  for (auto& one : std::exchange(verdicts, {})) {
    const auto id = one.id;
    const auto attempts = one.attempts;
    write(
        self, parts.store, caf::infinite, {std::move(one.what), nullptr},
        [this, id](const storage::written&) {
          --settling;
          settled(id);
        },
        [this, id, attempts](const error& why) {
          --settling;
          settling_failed(id, attempts, why);
        });
  }
}

/// Its deadline has passed, and what it would be judged by cannot be read: nobody will ever know.
void verification_state::settle_unread(response_id id) {
  reduction_check check;
  check.response = id;
  check.response_answer = answer::accept; // only accepts are checked
  check.checked_at = parts.clock->now();
  fill(check, unverifiable_in_time({}));
  settle(id, 0, {std::move(check), {}});
}

void verification_state::settled(response_id id) {
  store_pause = milliseconds{0};
  crashes.erase(id);
  wake_neighbours(id);
  release(id); // the store has told registry and hub
}

void verification_state::settling_failed(response_id id, int attempts, const error& why) {
  if (is_our_fault(why)) {
    if (why.code == errc::not_found) return release(id);
    return crashed(id, attempts, "the settlement failed: " + why.detail, time_point::max());
  }
  // Unknown outcomes included: if it happened, the queue no longer holds the check; if not, it is done again.
  store_failed(why);
  release(id);
}

void verification_state::job_ended(const caf::down_msg& down) {
  auto found = jobs.find(down.source.id());
  if (found == jobs.end()) return;
  auto job = found->second;
  jobs.erase(found);
  // A job that ended normally has sent its decision; this news may overtake it.
  if (down.reason)
    crashed(job.id, job.attempts, "the check's actor crashed: " + describe(down.reason), time_point::max());
  read_materials();
}

void verification_state::store_failed(const error& why) {
  if (paused) return;
  paused = true;
  store_pause = store_pause == milliseconds{0} ? store_pause_first : std::min(store_pause * 2, store_pause_longest);
  spdlog::warn("verification waits {} ms for the store: {} {}", store_pause.count(), to_string(why.code), why.detail);
  self->delayed_send(self, store_pause, pause_over{});
}

void verification_state::go_on_after_pause() {
  paused = false;
  read_materials();
  look();
}

/// Only the next one is read again: with many checks of a user all of them, each time, would be most of the work.
void verification_state::next_turn(turns& of, user_id user) {
  if (of.waiting.empty()) {
    users.erase(user);
    return;
  }
  of.now = of.waiting.front();
  of.waiting.pop_front();
  claimed[of.now] = user;
  to_read.push_front(of.now);
}

void verification_state::release(response_id id) {
  auto claim = claimed.find(id);
  if (claim == claimed.end()) return;
  auto user = claim->second;
  claimed.erase(claim);
  expired.erase(id);
  for (auto& reading : reads) reading->insert(user);
  if (auto of = user ? users.find(user) : users.end(); of != users.end() && of->second.now == id)
    next_turn(of->second, user);
  read_materials();
  if (claimed.empty() || (more && claimed.size() <= claims_max() / 2)) look();
}

caf::result<storage::written> verification_state::pass_on(storage::change what, keyed key) {
  auto promise = self->make_response_promise<storage::written>();
  kept_promise<storage::written> asker{promise};
  write(
      self, parts.store, store_timeout, {std::move(what), std::move(key)},
      [this, asker](storage::written done) mutable {
        asker.deliver(std::move(done));
        look();
      },
      [asker](const error& why) mutable { asker.deliver(to_caf(why)); });
  return promise;
}

verification_impl::behavior_type verification_behavior(verification_impl::stateful_pointer<verification_state> self,
                                                       verification_parts parts) {
  house_rules(self, verification_state::name);
  auto& s = self->state;
  const auto& metering = parts.rules->metering;
  s.retry.emplace(metering.retry_min, metering.retry_max, self->id());
  s.parts = std::move(parts);
  self->set_down_handler([self](const caf::down_msg& down) { self->state.job_ended(down); });
  s.look();
  return {
      [self](const checks_queued&) { self->state.look(); },
      [self](const order_recheck& cmd) {
        auto now = self->state.parts.clock->now();
        return self->state.pass_on(storage::order_recheck{cmd.id, now}, cmd.key);
      },
      [self](const retry_parked& cmd) {
        auto now = self->state.parts.clock->now();
        return self->state.pass_on(storage::retry_parked{cmd.id, now}, cmd.key);
      },
      [self](const retry_check& cmd) {
        auto now = self->state.parts.clock->now();
        return self->state.pass_on(storage::retry_check{cmd.id, now}, cmd.key);
      },
      [self](const look_tick& tick) {
        if (tick.plan == self->state.plan) self->state.look();
      },
      [self](const pause_over&) { self->state.go_on_after_pause(); },
      [self](const gathered&) {
        self->state.gathering = false;
        self->state.write_gathered();
      },
      [self](const judged&) {
        self->state.judging = false;
        self->state.write_verdicts();
      },
      [self](check_decided& done) { self->state.carry_out(done); },
  };
}

} // namespace dr::actors
