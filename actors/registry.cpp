#include "actors/registry.hpp"

#include "actors/dispatcher.hpp"
#include "actors/house.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

using storage::written;

constexpr std::chrono::milliseconds rescan_quick{5'000};
constexpr std::chrono::milliseconds rescan_retry{1'000};
constexpr std::chrono::milliseconds rescan_calm{60'000};
/// Quick rescans after an order in doubt: together longer than the store may take to find out.
constexpr int rescans_in_doubt = 60;

std::int64_t size_of(const auto& map) { return static_cast<std::int64_t>(map.size()); }

} // namespace

// The entities live under the registry: they end with it, however it ends, and are revived by the next one.
registry_state::~registry_state() {
  for (auto& [id, entry] : responses) caf::anon_send_exit(entry.handle, caf::exit_reason::kill);
  for (auto& [id, handle] : users) caf::anon_send_exit(handle, caf::exit_reason::kill);
  for (auto& [id, entry] : campaigns)
    if (entry.handle) caf::anon_send_exit(entry.handle, caf::exit_reason::kill);
}

// ---- finding and reviving ------------------------------------------------------------------------------------------

template <class Handle> void registry_state::watch(const Handle& who, entity_kind kind, std::int64_t id) {
  auto* actor = caf::actor_cast<caf::abstract_actor*>(who);
  actor->attach_functor([to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl()), kind, id,
                         incarnation = who.id()](const caf::error& why) {
    auto registry = caf::actor_cast<caf::strong_actor_ptr>(to);
    if (!registry) return;
    bool crashed = why && why != caf::exit_reason::normal && why != caf::exit_reason::user_shutdown;
    caf::anon_send(caf::actor_cast<registry_base>(registry), entity_gone{kind, id, incarnation, crashed});
  });
}

const response_impl& registry_state::response_of(response_id id) {
  auto it = responses.find(id);
  if (it == responses.end()) {
    spawn_response({id, {}, 0, answer::ignore, 0}, nullptr);
    it = responses.find(id);
  }
  return it->second.handle;
}

void registry_state::spawn_response(const storage::dispatched_response& row,
                                    const std::shared_ptr<const campaign>& of) {
  auto handle = self->spawn<pending_response, caf::lazy_init>(world, row, of);
  watch(handle, entity_kind::response, row.id.value);
  responses.emplace(row.id, response_entry{std::move(handle), of ? of->id : campaign_id{}});
}

campaign_base registry_state::campaign_of(campaign_id id) {
  auto& entry = campaigns[id];
  if (!entry.handle) spawn_campaign(id, nullptr);
  return campaigns[id].handle;
}

void registry_state::spawn_campaign(campaign_id id, std::shared_ptr<const campaign> row) {
  auto& entry = campaigns[id];
  if (row) learn(row);
  entry.born_at = self->clock().now();
  entry.reviving = false;
  entry.handle = self->spawn(campaign_behavior, world, id, std::move(row));
  watch(entry.handle, entity_kind::campaign, id.value);
}

/// Brings a campaign to life that has something to do. One that is open and whose actor is just ending comes back when
/// that has ended.
void registry_state::open(const std::shared_ptr<const campaign>& row) {
  if (campaigns[row->id].handle)
    learn(row);
  else
    spawn_campaign(row->id, row);
}

user_base registry_state::user_of(user_id id) {
  auto& handle = users[id];
  if (!handle) {
    handle = self->spawn(user_behavior, world, id);
    watch(handle, entity_kind::user, id.value);
  }
  return handle;
}

/// Forgets an idle entity before it ends, so that no command is sent to a dying one.
void registry_state::release(const entity_idle& fact) {
  auto sender = self->current_sender();
  auto is_sender = [&](const auto& handle) { return sender && handle && handle.id() == sender->id(); };
  if (fact.kind == entity_kind::response) {
    auto it = responses.find({fact.id});
    if (it == responses.end() || !is_sender(it->second.handle)) return;
    self->send(it->second.handle, retire{});
    forget(it);
  } else if (fact.kind == entity_kind::user) {
    auto it = users.find({fact.id});
    if (it == users.end() || !is_sender(it->second)) return;
    self->send(it->second, retire{});
    users.erase(it);
  } else if (fact.kind == entity_kind::campaign) {
    auto it = campaigns.find({fact.id});
    if (it == campaigns.end() || !is_sender(it->second.handle)) return;
    self->send(it->second.handle, retire{});
    it->second.handle = nullptr;
    release_campaign(it->first, it->second);
  }
}

/// Its responses have nothing to wait for any more, from however old a page they came.
void registry_state::release_campaign(campaign_id id, campaign_entry& entry) {
  if (entry.row && entry.row->open())
    return spawn_campaign(id, entry.row); // heard of when its actor was on its way out
  if (entry.alive > 0)
    tell_responses(id, news::closed);
  else
    drop_if_empty(id);
}

void registry_state::forget(std::unordered_map<response_id, response_entry>::iterator response) {
  const auto campaign = response->second.campaign;
  responses.erase(response);
  auto of = campaigns.find(campaign);
  if (of == campaigns.end()) return;
  --of->second.alive;
  drop_if_empty(campaign);
}

void registry_state::gone(const entity_gone& fact) {
  if (fact.kind == entity_kind::order) {
    if (fact.crashed) self->send(self, order_in_doubt{});
  } else if (fact.kind == entity_kind::response) {
    auto it = responses.find({fact.id});
    if (it == responses.end() || it->second.handle.id() != fact.incarnation) return;
    forget(it);
  } else if (fact.kind == entity_kind::user) {
    auto it = users.find({fact.id});
    if (it != users.end() && it->second.id() == fact.incarnation) users.erase(it);
  } else {
    auto it = campaigns.find({fact.id});
    if (it == campaigns.end() || !it->second.handle || it->second.handle.id() != fact.incarnation) return;
    it->second.handle = nullptr;
    if (fact.crashed)
      campaign_crashed(it->second, it->first);
    else
      drop_if_empty(it->first);
  }
}

/// A campaign has timers and steps to take, so it is revived without anybody asking; ever slower when it keeps
/// crashing.
void registry_state::campaign_crashed(campaign_entry& entry, campaign_id id) {
  const auto& limits = world->config->actors;
  auto now = self->clock().now();
  if (now - entry.born_at > limits.restart_window) entry.crashes = 0;
  ++entry.crashes;
  std::chrono::milliseconds delay = limits.backoff_min * (1LL << std::min(entry.crashes - 1, 20));
  delay =
      std::min<std::chrono::milliseconds>(delay, limits.backoff_max * (entry.crashes > limits.max_restarts ? 6 : 1));
  spdlog::error("campaign {} crashed; it is revived in {} ms", id.value, delay.count());
  entry.reviving = true;
  self->delayed_send(self, delay, revive_due{id});
}

void registry_state::drop_if_empty(campaign_id id) {
  auto it = campaigns.find(id);
  if (it == campaigns.end()) return;
  const auto& entry = it->second;
  if (!entry.handle && !entry.reviving && entry.alive == 0) campaigns.erase(it);
}

/// Remembers where a response belongs. Without its campaign's actor that waits: the campaign brings its pending ones
/// along when it comes.
void registry_state::index(response_id id, campaign_id campaign) {
  auto it = responses.find(id);
  auto of = campaigns.find(campaign);
  if (it == responses.end() || it->second.campaign || of == campaigns.end() || !of->second.handle) return;
  it->second.campaign = campaign;
  auto& known = of->second.responses;
  // Late answers come and go: their traces are swept out now and then.
  if (known.size() > 1024 && known.size() > 2 * responses.size() && fan_outs.empty())
    std::erase_if(known, [this](response_id r) { return !responses.contains(r); });
  known.push_back(id);
  ++of->second.alive;
  if (of->second.row) self->send(it->second.handle, terms_changed{of->second.row});
}

// ---- looking after -------------------------------------------------------------------------------------------------

void registry_state::rescan_in(std::chrono::milliseconds delay) {
  self->delayed_send(self, delay, rescan_due{++rescans});
}

void registry_state::rescan() {
  read(
      self, world->store, world->read_timeout(), [](storage::reader& r) { return r.unfinished_campaigns(); },
      [this](const std::vector<campaign>& rows) {
        for (const auto& row : rows) open(std::make_shared<const campaign>(row));
        if (doubts > 0) --doubts;
        rescan_in(doubts > 0 ? rescan_quick : rescan_calm);
      },
      [this](const error& why) {
        spdlog::warn("open campaigns could not be read ({}); trying again", why.detail);
        rescan_in(rescan_retry);
      },
      urgency::leading);
}

void registry_state::tell_of(const storage::committed& what) {
  for (const auto& now : what.campaigns)
    if (auto it = campaigns.find(now.id); it != campaigns.end() && it->second.handle)
      self->send(it->second.handle, counts_moved{now, what.last_seq});
  for (const auto& one : what.results) {
    const auto* check = one ? std::get_if<storage::check_settled>(&*one) : nullptr;
    if (!check) continue;
    if (auto it = responses.find(check->response.id); it != responses.end())
      self->send(it->second.handle, check_closed{it->first});
  }
}

population registry_state::count() const {
  auto alive = std::ranges::count_if(campaigns, [](const auto& c) { return static_cast<bool>(c.second.handle); });
  return {{{"campaigns", alive}, {"responses", size_of(responses)}, {"users", size_of(users)}}};
}

found_entity registry_state::find(const find_entity& whom) const {
  auto untyped = [](const auto& handle) { return found_entity{caf::actor_cast<caf::actor>(handle)}; };
  if (whom.kind == entity_kind::campaign)
    if (auto it = campaigns.find({whom.id}); it != campaigns.end() && it->second.handle)
      return untyped(it->second.handle);
  if (whom.kind == entity_kind::response)
    if (auto it = responses.find({whom.id}); it != responses.end()) return untyped(it->second.handle);
  if (whom.kind == entity_kind::user)
    if (auto it = users.find({whom.id}); it != users.end()) return untyped(it->second);
  return {};
}

// ---- behaviour -----------------------------------------------------------------------------------------------------

registry_impl::behavior_type registry(registry_impl::stateful_pointer<registry_state> self, context_ptr world) {
  house_rules(self, registry_state::name);
  auto& s = self->state;
  s.world = std::move(world);
  s.rescan();
  auto to_campaign = [self](auto& cmd) { return self->delegate(self->state.campaign_of(cmd.id), std::move(cmd)); };
  return {
      [self](choose& cmd) { return self->delegate(self->state.response_of(cmd.id), std::move(cmd)); },
      [self](const acknowledge_alert& cmd) { return self->delegate(self->state.response_of(cmd.id), cmd); },
      [self](order_campaign& cmd) {
        auto one = self->spawn(dispatcher, self->state.world);
        self->state.watch(one, entity_kind::order, 0);
        return self->delegate(one, std::move(cmd));
      },
      [to_campaign](alter_campaign& cmd) { return to_campaign(cmd); },
      [to_campaign](end_campaign& cmd) { return to_campaign(cmd); },
      [to_campaign](cancel_campaign& cmd) { return to_campaign(cmd); },
      [to_campaign](get_campaign& cmd) { return to_campaign(cmd); },
      [self](user_command& cmd) { return self->delegate(self->state.user_of(cmd.id), std::move(cmd)); },
      [self](const get_population&) { return self->state.count(); },
      [self](responses_dispatched& page) {
        self->state.learn(page.of);
        self->state.pages.push_back({std::move(page)});
        self->state.want_work();
      },
      [self](const answers_frozen& fact) {
        self->state.learn(fact.of);
        self->state.tell_responses(fact.of->id, registry_state::news::frozen);
      },
      [self](const terms_changed& fact) {
        self->state.learn(fact.of);
        self->state.tell_responses(fact.of->id, registry_state::news::terms);
      },
      [self](const batch_committed& fact) { self->state.tell_of(*fact.what); },
      [self](const counts_in_doubt& fact) {
        for (auto& [id, entry] : self->state.campaigns)
          if (entry.handle) self->send(entry.handle, fact);
      },
      [self](const entity_idle& fact) { self->state.release(fact); },
      [self](const entity_gone& fact) { self->state.gone(fact); },
      [self](const campaign_opened& fact) { self->state.open(fact.of); },
      [self](const order_in_doubt&) {
        self->state.doubts = rescans_in_doubt;
        self->state.rescan_in(rescan_retry);
      },
      [self](const response_located& fact) { self->state.index(fact.id, fact.campaign); },
      [self](const work_due&) { self->state.work(); },
      [self](const rescan_due& due) {
        if (due.number == self->state.rescans) self->state.rescan();
      },
      [self](const revive_due& due) { self->send(self->state.campaign_of(due.id), go_on{}); },
      [self](const find_entity& whom) { return self->state.find(whom); },
  };
}

} // namespace dr::actors
