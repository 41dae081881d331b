// The course of a campaign: what happens by itself. Start, end, freeze; timers on business time; counts and summaries.
#include "actors/campaign.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace dr::actors {

namespace {

using storage::written;

constexpr std::chrono::milliseconds step_retry_min{1'000};
/// Short: storage that is back must not find campaigns asleep that should have begun.
constexpr std::chrono::milliseconds step_retry_max{5'000};
/// A timer is set at most so far ahead and looks again then: it does not notice when the wall clock is set, or stood
/// still while the machine slept.
constexpr std::chrono::minutes look_ahead_max{1};

/// When the first tries of the checks are due.
time_point first_try(const campaign& c, const metering_settings& metering, time_point now) {
  if (c.test || metering.ask_early) return now;
  return std::max(now, evaluated_window(c).to + metering.lag);
}

/// One line for the operator's log; names hold no control characters.
void log_course(const campaign& row) {
  spdlog::info("campaign {} \"{}\" ({}) is {}: {} dispatched, {} accept, {} deny", row.id.value, row.name, row.type,
               to_string(row.status), row.counts.dispatched, row.counts.accept, row.counts.deny);
}

} // namespace

// ---- the row -------------------------------------------------------------------------------------------------------

/// All but the counts, which come from take_over() and count().
void campaign_state::adopt(campaign now) {
  now.counts = row.counts;
  known = true;
  stale = false;
  row = std::move(now);
}

/// Takes over the first row, or a newer one. What others changed meanwhile (or an own write whose outcome was in doubt)
/// is told as if done now.
void campaign_state::learn(campaign now) {
  if (!known) {
    adopt(std::move(now));
    return come_to_life();
  }
  auto before = row;
  adopt(std::move(now));
  publish(before);
  if (row.frozen && !before.frozen) self->send(world->verification, checks_queued{});
}

void campaign_state::come_to_life() {
  log_course(row);
  // What a former incarnation may have died with.
  if (!row.open()) self->send(world->registry, answers_frozen{shared_row()});
  if (reborn || (row.status == campaign_status::end && !row.frozen)) tell_closed();
  if (row.frozen && row.settlement == settlement_status::verifying) self->send(world->verification, checks_queued{});
  dispatch_after_freeze = row.status == campaign_status::end && !row.frozen;
  if (row.open() || row.settlement == settlement_status::verifying) start_walk(true);
}

void campaign_state::go_on_after_crash() {
  reborn = true;
  if (known) tell_closed(); // a command has revived it before
  if (jobs.empty()) next();
}

/// To its customers: it is over.
void campaign_state::tell_closed() {
  if (row.open()) return;
  self->send(world->hub, campaign_noticed{closing_of(row), shared_row()});
}

void campaign_state::publish(const campaign& before) {
  if (row.version == before.version) return;
  if (row.status != before.status) log_course(row);
  auto now = shared_row();
  if (row.open()) {
    self->send(world->registry, terms_changed{now});
    if (before.status != row.status)
      start_walk(false); // it has begun: everybody connected is alerted, with the personal part
    else if (dispatching || alerting)
      change_untold = true; // nobody hears of a change before the alert
    else
      self->send(world->hub, campaign_noticed{campaign_notice_kind::changed, now});
  } else if (before.open()) {
    tell_closed();
    self->send(world->registry, answers_frozen{now});
  }
  summary_moved();
}

// ---- steps and timers ----------------------------------------------------------------------------------------------

/// Takes the step that is due, or sleeps until one is.
void campaign_state::step() {
  auto now = world->clock->now();
  if (row.status == campaign_status::scheduled && now >= row.starts_at) return enqueue({begun});
  if (row.status == campaign_status::running && row.ends_at && now >= *row.ends_at) return enqueue({ended});
  if (row.status == campaign_status::end && !row.frozen) return freeze();
  std::optional<time_point> due;
  if (row.status == campaign_status::scheduled) due = row.starts_at;
  if (row.status == campaign_status::running) due = row.ends_at;
  if (due) {
    auto delay = std::min<std::chrono::milliseconds>(world->clock->real_delay_until(*due), look_ahead_max);
    arm(std::max(delay, std::chrono::milliseconds{1}));
  }
  settle_down();
}

void campaign_state::arm(std::chrono::milliseconds delay) { self->delayed_send(self, delay, campaign_tick{++ticks}); }

void campaign_state::try_later() {
  retry_delay = std::clamp(retry_delay * 2, step_retry_min, step_retry_max);
  arm(retry_delay);
}

void campaign_state::freeze() {
  if (freezing) return;
  freezing = true;
  auto now = world->clock->now();
  storage::freeze_campaign what{id, first_try(row, world->config->metering, now), now};
  write(
      self, world->store, world->bulk_timeout(), {what, nullptr},
      [this](written done) {
        freezing = false;
        if (auto* c = std::get_if<campaign>(&done)) frozen(std::move(*c));
        if (jobs.empty()) next();
      },
      [this](const error& why) {
        freezing = false;
        stale = true; // whatever happened: look before the next try
        spdlog::error("the answers of campaign {} could not be frozen yet ({}); trying again", id.value, why.detail);
        if (jobs.empty()) try_later();
      });
}

void campaign_state::frozen(campaign now) {
  row.counts = now.counts;
  adopt(std::move(now));
  retry_delay = {};
  self->send(world->verification, checks_queued{});
  if (dispatch_after_freeze && row.settlement == settlement_status::verifying) start_walk(true);
  dispatch_after_freeze = false;
  summary_moved();
}

// ---- counts --------------------------------------------------------------------------------------------------------

/// The news of one lane come in order, those of the other may overtake them: the events tell which are newer.
void campaign_state::count(const counts_moved& fact) {
  if (fact.last_seq < counts_seq) return;
  counts_seq = fact.last_seq;
  ++news;
  row.counts = fact.now.counts;
  if (fact.now.version != row.version) counts_doubtful = true; // settled, most likely, or told late: read it
  summary_moved();
}

void campaign_state::doubt_counts() {
  ++news;
  counts_doubtful = true;
  summary_moved();
}

/// At most so many summaries a second go out; the timer runs only while something moves.
void campaign_state::summary_moved() {
  arm_summary(std::chrono::milliseconds{1000 / std::max(1, world->config->ws.summaries_per_s)});
}

void campaign_state::arm_summary(std::chrono::milliseconds delay) {
  if (!std::exchange(summary_armed, true)) self->delayed_send(self, delay, summary_due{});
}

/// What was read when so much news had been heard. If there was more meanwhile, that is newer.
void campaign_state::take_over(campaign found, std::uint64_t heard) {
  if (known && found.version < row.version) return; // read before our last write
  if (!known || heard == news) row.counts = found.counts;
  if (heard == news) counts_doubtful = false;
  if (!known || found.version > row.version) learn(std::move(found));
}

void campaign_state::send_summary() {
  summary_armed = false;
  summary_owed = true;
  if (counts_doubtful) return count_anew();
  tell_summary();
  if (jobs.empty()) settle_down();
}

void campaign_state::tell_summary() {
  if (!std::exchange(summary_owed, false) || !known) return;
  self->send(world->hub, summary_noticed{row});
}

// ---- the end of the actor ------------------------------------------------------------------------------------------

bool campaign_state::finished() const noexcept {
  if (!known) return true;
  if (dispatching || alerting || summary_armed || counting || stale) return false;
  if (row.status == campaign_status::canceled) return true;
  return row.status == campaign_status::end && row.frozen && row.settlement != settlement_status::verifying;
}

/// Ends it when there is nothing left to do. The registry forgets it first, so that no command runs into a dead actor.
void campaign_state::settle_down() {
  if (!jobs.empty() || freezing || loading || counting) return;
  if (retiring) return self->quit();
  if (told_idle || !finished()) return;
  told_idle = true;
  self->send(world->registry, entity_idle{entity_kind::campaign, id.value});
}

} // namespace dr::actors
