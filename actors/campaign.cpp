// The commands of a campaign: decide, save, answer, publish.
#include "actors/campaign.hpp"

#include "actors/house.hpp"

#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

namespace dr::actors {

namespace {

using storage::written;

/// A change decided on an outdated row is decided again, so many times.
constexpr int decision_tries_max = 5;
/// Until counts that are still in doubt are read again without anybody asking.
constexpr std::chrono::seconds recount_delay{2};

/// The key with which a change is saved: what was decided on an outdated row is decided again, and so is no answer yet.
keyed unless_outdated(const keyed& key) {
  if (!key) return nullptr;
  auto made = std::make_shared<storage::keyed_request>(*key);
  made->render = [render = key->render](const result<written>& outcome) {
    return !outcome && outcome.error().code == errc::version_conflict ? std::string{} : render(outcome);
  };
  return made;
}

} // namespace

// A promise that dies with its actor answers nothing, so the waiting callers are told here.
campaign_state::~campaign_state() {
  for (auto& j : jobs)
    if (j.reply) j.reply->deliver(caf::make_error(caf::sec::request_receiver_down));
}

caf::result<written> campaign_state::take(job what) {
  if (jobs.size() >= campaign_backlog_max)
    return to_caf(fail(errc::overloaded, "too many commands for this campaign at once: try again"));
  auto reply = self->make_response_promise<written>();
  what.reply = reply;
  enqueue(std::move(what));
  return reply;
}

void campaign_state::enqueue(job what) {
  jobs.push_back(std::move(what));
  if (jobs.size() == 1) next();
}

void campaign_state::next() {
  if (!known || stale) return load();
  if (jobs.empty()) return step();
  decide();
}

void campaign_state::load() {
  if (loading) return;
  loading = true;
  read(
      self, world->store, world->read_timeout(), [wanted = id](storage::reader& r) { return r.find_campaign(wanted); },
      [this, heard = news](campaign found) {
        loading = false;
        retry_delay = {};
        read_older = read_older && found.version < row.version;
        if (known && found.version < row.version && !older_twice(found)) return load();
        take_over(std::move(found), heard);
        stale = false;
        next();
      },
      [this](const error& why) {
        loading = false;
        if (!jobs.empty()) return conclude(why);
        if (passing(why)) return try_later();
        if (!known) settle_down();
      },
      urgency::leading);
}

/// Once it may have been read before our last write. Twice, the database has lost what it confirmed: then what it has
/// now is the truth.
bool campaign_state::older_twice(const campaign& found) {
  if (!std::exchange(read_older, true)) return false;
  spdlog::error("campaign {} has gone back from version {} to {}: the database has lost changes that it had confirmed",
                id.value, row.version, found.version);
  known = false;
  read_older = false;
  counts_seq = 0;
  return true;
}

/// A refusal is decided on what is stored, not on what is remembered: true if the row is being read for it.
bool campaign_state::decide_again_on_fresh() {
  if (jobs.front().decided_on_fresh) return false;
  jobs.front().decided_on_fresh = true;
  load();
  return true;
}

void campaign_state::decide() {
  auto& j = jobs.front();
  if (j.expected_version && *j.expected_version != row.version) {
    if (decide_again_on_fresh()) return;
    return keep(fail(errc::version_conflict, "the campaign has changed: read it again"));
  }
  auto wanted = j.decide(row, world->clock->now());
  if (!wanted) {
    if (decide_again_on_fresh()) return;
    return keep(wanted.error());
  }
  if (*wanted == row) return keep(written{row});
  save(*wanted);
}

/// Answers without a change. A key records the answer (or finds an earlier one) all the same.
void campaign_state::keep(result<written> outcome) {
  auto& j = jobs.front();
  if (!j.key) return conclude(std::move(outcome));
  write(
      self, world->store, world->write_timeout(),
      {storage::remember_answer{world->clock->now()}, recording(j.key, outcome)},
      [this, outcome](written done) mutable {
        if (std::holds_alternative<storage::replayed>(done)) return conclude(std::move(done));
        conclude(std::move(outcome));
      },
      [this](const error& why) { conclude(why); });
}

void campaign_state::save(const campaign& wanted) {
  write(
      self, world->store, world->write_timeout(),
      {storage::save_campaign{wanted, row.version, world->clock->now()}, unless_outdated(jobs.front().key)},
      [this](written done) {
        if (auto* now = std::get_if<campaign>(&done)) return saved(std::move(*now));
        conclude(std::move(done)); // replayed: the first answer
      },
      [this](const error& why) {
        bool outdated = why.code == errc::version_conflict;
        stale = stale || outdated || leaves_doubt(why);
        if (outdated && ++jobs.front().tries < decision_tries_max) return next();
        // Nobody asked for a version: that it has changed so often is no answer that a key may keep.
        conclude(outdated ? fail(errc::overloaded, "the campaign changes too fast: try again") : why);
      });
}

void campaign_state::saved(campaign now) {
  auto before = row;
  adopt(std::move(now));
  auto done = std::move(jobs.front());
  jobs.pop_front();
  retry_delay = {};
  if (done.reply) done.reply->deliver(written{row});
  publish(before);
  next();
}

void campaign_state::conclude(result<written> outcome) {
  auto done = std::move(jobs.front());
  jobs.pop_front();
  if (!done.reply) { // a step of our own
    if (outcome) return next();
    spdlog::warn("campaign {} could not take its next step: {}", id.value, outcome.error().detail);
    return jobs.empty() ? try_later() : next(); // behind the commands that wait the step is due again
  }
  if (outcome)
    done.reply->deliver(std::move(*outcome));
  else
    done.reply->deliver(to_caf(outcome.error()));
  if (!outcome && jobs.empty() && passing(outcome.error())) return try_later();
  if (!outcome && !known && jobs.empty()) return settle_down();
  next();
}

caf::result<campaign> campaign_state::answer_counts() {
  if (known && !stale && !counts_doubtful) return row;
  auto promise = self->make_response_promise<campaign>();
  askers.emplace_back(promise);
  count_anew();
  return promise;
}

/// One read for all who ask meanwhile.
void campaign_state::count_anew() {
  if (counting) return;
  counting = true;
  read(
      self, world->store, world->read_timeout(), [wanted = id](storage::reader& r) { return r.find_campaign(wanted); },
      [this, heard = news](campaign found) {
        counting = false;
        stale = stale || (known && found.version < row.version);
        take_over(std::move(found), heard);
        for (auto& asker : std::exchange(askers, {})) asker.deliver(row);
        tell_summary();
        if (counts_doubtful) arm_summary(recount_delay); // there was news while it was read
        if (jobs.empty()) next();
      },
      [this](const error& why) {
        counting = false;
        // Without storage an open campaign says what it has heard of.
        bool heard = known && !stale && row.open();
        for (auto& asker : std::exchange(askers, {})) {
          if (heard)
            asker.deliver(row);
          else
            asker.deliver(to_caf(why));
        }
        tell_summary();
        if (counts_doubtful && known && passing(why)) arm_summary(recount_delay);
        if (jobs.empty()) settle_down();
      });
}

campaign_impl::behavior_type campaign_behavior(campaign_impl::stateful_pointer<campaign_state> self, context_ptr world,
                                               campaign_id id, std::shared_ptr<const campaign> row) {
  house_rules(self, campaign_state::name);
  auto& s = self->state;
  s.world = std::move(world);
  s.id = id;
  if (row) {
    s.row.counts = row->counts; // read before this actor could hear of anything: they stay doubtful
    s.learn(*row);
    s.next();
    s.summary_moved(); // which reads them, and finds out should the row be as old
  }
  return {
      [self](alter_campaign& cmd) {
        auto config = self->state.world->config;
        auto decide = [change = std::move(cmd.change), config](const campaign& c, time_point now) {
          return changed(c, change, config->programmes, config->holidays, now);
        };
        return self->state.take({std::move(decide), cmd.key, cmd.expected_version});
      },
      [self](const end_campaign& cmd) {
        return self->state.take({ended, cmd.key, cmd.expected_version});
      },
      [self](const cancel_campaign& cmd) {
        auto decide = [why = cmd.reason](const campaign& c, time_point now) { return canceled(c, why, now); };
        return self->state.take({std::move(decide), cmd.key, cmd.expected_version});
      },
      [self](const get_campaign&) { return self->state.answer_counts(); },
      [self](const counts_moved& fact) { self->state.count(fact); },
      [self](const counts_in_doubt&) { self->state.doubt_counts(); },
      [self](const retire&) {
        self->state.retiring = true;
        self->state.settle_down();
      },
      [self](const go_on&) { self->state.go_on_after_crash(); },
      [self](const page_taken&) {
        if (auto& w = self->state.dispatching) {
          --w->ahead;
          self->state.read_page(true);
        }
      },
      [self](const campaign_tick& tick) {
        if (tick.number == self->state.ticks && self->state.jobs.empty()) self->state.next();
      },
      [self](const summary_due&) { self->state.send_summary(); },
      [self](const walk_due& due) { self->state.read_page(due.dispatch); },
  };
}

} // namespace dr::actors
