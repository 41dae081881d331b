// The registry's long lists: spawning dispatched responses and telling all responses of a campaign, a slice at a time.
#include "actors/registry.hpp"
#include "actors/turns.hpp"

#include <caf/actor_system.hpp>

namespace dr::actors {

void registry_state::learn(const std::shared_ptr<const campaign>& row) {
  auto& known = campaigns[row->id].row;
  if (!known || row->version >= known->version) known = row;
}

void registry_state::tell_responses(campaign_id id, news what) {
  fan_outs.push_back({id, what});
  want_work();
}

void registry_state::want_work() {
  if (working || (fan_outs.empty() && pages.empty())) return;
  working = true;
  self->send(self, work_due{}); // behind the commands that wait already
}

/// One slice. News goes before newcomers, who are born with it.
void registry_state::work() {
  working = false;
  auto budget = world->config->actors.spawn_batch;
  budget -= tell_some(budget);
  spawn_some(budget);
  want_work();
}

/// Returns how much of the budget was used.
std::size_t registry_state::tell_some(std::size_t budget) {
  const burst all_news(self);
  std::size_t used = 0;
  while (!fan_outs.empty() && used < budget) {
    auto& f = fan_outs.front();
    auto entry = campaigns.find(f.campaign);
    if (entry == campaigns.end() || (!entry->second.row && f.what != news::closed)) { // forgotten since
      fan_outs.pop_front();
      continue;
    }
    auto& all = entry->second.responses;
    for (; f.next < all.size() && used < budget; ++f.next, ++used) {
      auto it = responses.find(all[f.next]);
      if (it == responses.end()) continue;
      f.left.push_back(it->first);
      const auto& who = it->second.handle;
      if (f.what == news::closed)
        self->send(who, check_closed{it->first});
      else if (f.what == news::frozen)
        self->send(who, answers_frozen{entry->second.row});
      else
        self->send(who, terms_changed{entry->second.row});
    }
    if (f.next < all.size()) break;
    all = std::move(f.left);
    all.shrink_to_fit();
    auto id = f.campaign;
    fan_outs.pop_front();
    drop_if_empty(id);
  }
  return used;
}

std::size_t registry_state::spawn_some(std::size_t budget) {
  std::size_t used = 0;
  while (!pages.empty() && used < budget) {
    auto& [page, next] = pages.front();
    auto known = campaigns.find(page.of->id);
    // It is over, or will bring its pages along anew.
    if (known == campaigns.end() || !known->second.handle || !known->second.row) {
      const auto id = page.of->id;
      pages.pop_front();
      drop_if_empty(id);
      continue;
    }
    auto& entry = known->second;
    for (; next < page.responses.size() && used < budget; ++next, ++used) {
      const auto& row = page.responses[next];
      // The page may be older than the end: an answer that no check waits for needs no actor any more.
      if (!entry.row->open() && (entry.row->test || row.answer != answer::accept)) continue;
      if (responses.contains(row.id)) {
        index(row.id, page.of->id);
        continue;
      }
      spawn_response(row, entry.row);
      entry.responses.push_back(row.id);
      ++entry.alive;
    }
    if (next < page.responses.size()) break;
    if (entry.handle) self->send(entry.handle, page_taken{});
    pages.pop_front();
  }
  return used;
}

} // namespace dr::actors
