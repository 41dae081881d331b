#include "actors/push_hub.hpp"

#include "actors/house.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

constexpr std::size_t closings_remembered = 1000;

push_frame whole(std::string text) { return {std::make_shared<const std::string>(std::move(text)), {}}; }

/// The response as the alert shows it: as read, but for a newer answer that was told meanwhile.
response alerted(const campaign& c, const storage::dispatched_response& row, const push_hub_state::part& newest,
                 const std::string& name) {
  response r;
  r.id = row.id;
  r.campaign = c.id;
  r.user = row.user;
  r.user_name = name;
  r.capacity_w = row.capacity_w;
  r.answer = newest.told;
  r.answered_at = newest.answered_at;
  r.delivered_at = newest.delivered_at;
  r.expected_points = expected_points(c, row.capacity_w);
  r.version = newest.version;
  return r;
}

} // namespace

// ---- customers -----------------------------------------------------------------------------------------------------

void push_hub_state::attach(const attach_customer& who) {
  if (!who.sink || !users_of.emplace(who.sink.get(), who.user).second) return;
  auto& connected = customers[who.user];
  if (connected.sinks.empty()) connected.name = who.user_name; // else a newer one may have been heard of
  connected.sinks.push_back(who.sink);
}

void push_hub_state::remove(const sink_ptr& sink) {
  std::erase(admins, sink);
  auto known = users_of.find(sink.get());
  if (known == users_of.end()) return;
  auto it = customers.find(known->second);
  users_of.erase(known);
  if (it == customers.end()) return;
  std::erase(it->second.sinks, sink);
  if (it->second.sinks.empty()) forget(it);
}

void push_hub_state::forget(std::unordered_map<user_id, customer>::iterator who) {
  for (const auto& one : who->second.campaigns)
    if (auto m = members.find(one.of); m != members.end()) {
      m->second.erase(who->first);
      if (m->second.empty()) members.erase(m);
    }
  for (const auto& sink : who->second.sinks) users_of.erase(sink.get());
  customers.erase(who);
}

void push_hub_state::tell(user_id user, std::string text) {
  auto it = customers.find(user);
  if (it != customers.end()) it->second.push(whole(std::move(text)));
}

// ---- news ----------------------------------------------------------------------------------------------------------

/// The campaign's part is made once for all; each adds its own tail.
void push_hub_state::alert(const alert_users& what) {
  const auto& c = *what.of;
  if (!c.open()) return;
  told_closed.erase(c.id);
  // It says what older news said, and reaches everybody.
  std::erase_if(doubts, [&c](const doubt& older) { return older.of->id == c.id && older.of->version < c.version; });
  auto kind = c.status == campaign_status::scheduled ? campaign_notice_kind::announced : campaign_notice_kind::started;
  std::shared_ptr<const std::string> head;
  std::unordered_set<user_id>* connected = nullptr;
  for (const auto& row : what.responses) {
    auto it = customers.find(row.user);
    if (it == customers.end()) continue;
    if (!head) {
      head = std::make_shared<const std::string>(encoder->alert_head(kind, c));
      connected = &members[c.id];
    }
    auto& mine = it->second.join(c.id);
    // The page may have been read before an answer that was told meanwhile.
    if (row.version >= mine.version) mine = {c.id, row.answer, row.version, row.answered_at, row.delivered_at};
    connected->insert(row.user);
    it->second.push({head, encoder->alert_tail(alerted(c, row, mine, it->second.name))});
  }
}

/// At once for those of whom the hub knows that they are part of the campaign; storage is asked about all others.
void push_hub_state::notice(const campaign_noticed& what) {
  const auto id = what.of->id;
  if (what.of->open())
    told_closed.erase(id);
  else if (!first_closing(id))
    return;
  // The newest says all.
  std::erase_if(doubts, [&what](const doubt& older) {
    return older.of->id == what.of->id && older.of->version <= what.of->version;
  });
  if (customers.empty()) return;
  const auto frame = whole(encoder->campaign_message(what.kind, *what.of));
  if (auto m = members.find(id); m != members.end())
    for (auto user : m->second)
      if (auto it = customers.find(user); it != customers.end()) it->second.push(frame);
  doubt_others(what.of, frame);
  if (what.of->open()) return;
  if (auto m = members.extract(id))
    for (auto user : m.mapped())
      if (auto it = customers.find(user); it != customers.end())
        std::erase_if(it->second.campaigns, [id](const part& one) { return one.of == id; });
}

void push_hub_state::checked(const storage::check_settled& what) {
  auto user = what.response.user;
  if (!what.changed || !customers.contains(user)) return;
  tell(user, encoder->reduction_checked(what.check));
  if (what.response.turned || what.check.revision > 1) tell(user, encoder->response_changed(what.response));
  for (const auto& entry : what.entries) tell(user, encoder->point_changed(user, what.points, entry));
}

void push_hub_state::answered(const response& now) {
  auto it = customers.find(now.user);
  if (it == customers.end()) return;
  it->second.join(now.campaign) = {now.campaign, now.answer, now.version, now.answered_at, now.delivered_at};
  members[now.campaign].insert(now.user);
  tell(now.user, encoder->response_changed(now));
}

void push_hub_state::committed(const storage::committed& what) {
  if (what.last_seq > last_seq) {
    last_seq = what.last_seq;
    read_tail();
  }
  if (customers.empty()) return;
  for (const auto& one : what.results) {
    if (!one) continue;
    if (const auto* now = std::get_if<storage::response_changed>(&*one)) {
      if (now->changed && now->before != now->response.answer) answered(now->response); // the other is a receipt
    } else if (const auto* entry = std::get_if<ledger_entry>(&*one)) {
      if (customers.contains(entry->user))
        tell(entry->user, encoder->point_changed(entry->user, entry->balance_after, *entry));
    } else if (const auto* check = std::get_if<storage::check_settled>(&*one)) {
      checked(*check);
    } else if (const auto* c = std::get_if<campaign>(&*one)) {
      if (!c->open() && !c->frozen) closed(*c);
    } else if (const auto* person = std::get_if<user>(&*one)) {
      renamed(person->id, person->name);
    } else if (const auto* import = std::get_if<storage::imported>(&*one)) {
      for (const auto& [id, called] : import->renamed) renamed(id, called);
    }
  }
}

void push_hub_state::renamed(user_id id, const std::string& now) {
  if (auto it = customers.find(id); it != customers.end()) it->second.name = now;
}

/// A campaign is over once, and may say so more than once.
bool push_hub_state::first_closing(campaign_id id) {
  closings.erase(id);
  if (!told_closed.insert(id).second) return false;
  if (told_closed.size() > closings_remembered) told_closed.erase(told_closed.begin());
  return true;
}

void push_hub_state::closed(const campaign& now) {
  if (told_closed.contains(now.id)) return;
  if (!closings.emplace(now.id, std::make_shared<const campaign>(now)).second) return;
  self->delayed_send(self, closing_patience, closing_due{now.id});
}

void push_hub_state::closing_untold(campaign_id id) {
  auto untold = closings.find(id);
  if (untold == closings.end()) return;
  const auto of = untold->second;
  notice({closing_of(*of), of});
}

// ---- behaviour -----------------------------------------------------------------------------------------------------

push_hub_impl::behavior_type push_hub(push_hub_impl::stateful_pointer<push_hub_state> self, store_actor store,
                                      std::shared_ptr<const push_encoder> encoder,
                                      std::chrono::milliseconds read_timeout) {
  house_rules(self, push_hub_state::name);
  auto& s = self->state;
  s.store = std::move(store);
  s.encoder = std::move(encoder);
  s.read_timeout = read_timeout;
  s.find_tail();
  return {
      [self](const attach_customer& who) { self->state.attach(who); },
      [self](const attach_admin& who) {
        auto& all = self->state.admins;
        if (who.sink && std::ranges::find(all, who.sink) == all.end()) all.push_back(who.sink);
      },
      [self](const detach& who) { self->state.remove(who.sink); },
      [self](const alert_users& what) { self->state.alert(what); },
      [self](const campaign_noticed& what) { self->state.notice(what); },
      [self](const response_noticed& what) { self->state.answered(what.response); },
      [self](const batch_committed& fact) { self->state.committed(*fact.what); },
      [self](const summary_noticed& what) {
        auto& h = self->state;
        if (!h.admins.empty()) h.tell_admins(h.encoder->admin_summary(what.of));
      },
      [self](const get_push_state&) {
        const auto& h = self->state;
        return push_state{std::ssize(h.customers), std::ssize(h.users_of), std::ssize(h.admins)};
      },
      [self](const tail_due&) {
        self->state.tail_busy = false;
        self->state.read_tail();
      },
      [self](const closing_due& due) { self->state.closing_untold(due.of); },
      [self](const doubts_due&) {
        self->state.asking = false;
        self->state.ask_about_doubts();
      },
  };
}

} // namespace dr::actors
