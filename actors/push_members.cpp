// Who is part of which campaign: read for every customer that connects, so that campaign-wide news reaches its members
// and nobody else.
#include "actors/ask.hpp"
#include "actors/push_hub.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

/// Customers looked up in one read.
constexpr std::size_t lookup_batch = 50;
constexpr std::chrono::milliseconds lookup_retry{500};

result<push_hub_state::memberships> memberships_of(storage::reader& from, const std::vector<user_id>& users) {
  push_hub_state::memberships found;
  for (auto user : users) {
    auto rows = from.open_responses(user);
    if (!rows) return rows.error();
    std::vector<campaign_id> campaigns;
    for (const auto& row : *rows) campaigns.push_back(row.campaign.id);
    found.emplace_back(user, std::move(campaigns));
  }
  return found;
}

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

void push_hub_state::look_up() {
  std::erase_if(unknown, [this](user_id user) {
    auto it = customers.find(user);
    return it == customers.end() || it->second.known;
  });
  if (looking_up || unknown.empty()) return;
  looking_up = true;
  auto count = std::min(unknown.size(), lookup_batch);
  std::vector<user_id> some(unknown.begin(), unknown.begin() + static_cast<std::ptrdiff_t>(count));
  read(
      self, store, read_timeout, [some](storage::reader& from) { return memberships_of(from, some); },
      [this](const memberships& found) {
        looking_up = false;
        looked_up(found);
        look_up();
      },
      [this](const error& why) {
        spdlog::warn("the campaigns of connected customers could not be read ({}); trying again", why.detail);
        self->delayed_send(self, lookup_retry, members_due{}); // looking_up stays, until then
      });
}

void push_hub_state::looked_up(const memberships& found) {
  std::vector<doubtful> doubts;
  for (const auto& [user, campaigns] : found) {
    auto it = customers.find(user);
    if (it == customers.end() || it->second.known) continue;
    auto& c = it->second;
    c.known = true;
    for (auto id : campaigns) {
      c.campaigns.insert(id);
      members[id].insert(user);
    }
    for (auto& held : std::exchange(c.held, {})) {
      if (c.campaigns.contains(held.of->id))
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
