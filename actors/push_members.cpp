// Who is part of which campaign: read for every customer that connects, so that campaign-wide news reaches its members
// and nobody else.
#include "actors/ask.hpp"
#include "actors/push_hub.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

/// Customers looked up in one read: few enough that it ends in time also by a plan that walks the responses for each.
constexpr std::size_t lookup_batch = 50;
constexpr std::chrono::milliseconds lookup_retry{500};

/// The indexes of those doubts in which the user really has a response.
result<std::vector<std::size_t>> confirmed(storage::reader& from, const std::vector<push_hub_state::doubtful>& doubts) {
  std::vector<std::size_t> sure;
  for (std::size_t i = 0; i < doubts.size(); ++i) {
    storage::response_filter filter;
    filter.user = doubts[i].user;
    filter.campaign = doubts[i].notice.of->id;
    auto rows = from.responses(filter, {.size = 1});
    if (!rows) return rows.error();
    if (!rows->items.empty()) sure.push_back(i);
  }
  return sure;
}

} // namespace

/// In a storm of connections each customer is looked at once: some may have left again meanwhile, or be twice in line.
void push_hub_state::look_up() {
  if (looking_up) return;
  for (; !unknown.empty() && asked.size() < lookup_batch; unknown.pop_front()) {
    auto it = customers.find(unknown.front());
    if (it != customers.end() && !it->second.known) asked.push_back(unknown.front());
  }
  if (asked.empty()) return;
  looking_up = true;
  read(
      self, store, read_timeout, [some = asked](storage::reader& from) { return from.memberships(some); },
      [this](const std::vector<storage::membership>& found) {
        looking_up = false;
        looked_up(found);
        look_up();
      },
      [this](const error& why) {
        spdlog::warn("the campaigns of connected customers could not be read ({}); trying again", why.detail);
        self->delayed_send(self, lookup_retry, members_due{}); // looking_up stays, until then
      });
}

void push_hub_state::look_up_again() {
  unknown.insert(unknown.begin(), asked.begin(), asked.end());
  asked.clear();
  looking_up = false;
  look_up();
}

void push_hub_state::looked_up(const std::vector<storage::membership>& found) {
  const auto unknown_yet = [this](user_id user) {
    auto it = customers.find(user);
    return it == customers.end() || it->second.known ? customers.end() : it;
  };
  for (const auto& [user, campaign] : found)
    if (auto it = unknown_yet(user); it != customers.end()) {
      it->second.join(campaign);
      members[campaign].insert(user);
    }
  std::vector<doubtful> doubts;
  for (auto user : std::exchange(asked, {})) {
    auto it = unknown_yet(user);
    if (it == customers.end()) continue;
    auto& c = it->second;
    c.known = true;
    for (auto& held : std::exchange(c.held, {})) {
      if (c.is_part_of(held.of->id))
        tell(user, encoder->campaign_message(held.kind, *held.of));
      else
        doubts.push_back({user, std::move(held)}); // perhaps it ended before we looked
    }
  }
  if (!doubts.empty()) settle_doubts(std::move(doubts));
}

void push_hub_state::settle_doubts(std::vector<doubtful> doubts) {
  auto all = std::make_shared<const std::vector<doubtful>>(std::move(doubts));
  read(
      self, store, read_timeout, [all](storage::reader& from) { return confirmed(from, *all); },
      [this, all](const std::vector<std::size_t>& sure) {
        for (auto i : sure) {
          const auto& d = (*all)[i];
          tell(d.user, encoder->campaign_message(d.notice.kind, *d.notice.of));
        }
      },
      [this, all](const error&) {
        // Nothing is known for sure: they reconnect into a snapshot rather than miss it.
        for (const auto& d : *all)
          if (auto it = customers.find(d.user); it != customers.end()) forget(it);
      });
}

} // namespace dr::actors
