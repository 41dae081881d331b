// Whom campaign-wide news concerns. The hub hears of an alert's and an answer's customers; of those who connected since
// it knows nothing, and asks storage when there is news for them, not before: who is part of a campaign never changes,
// so what is read after the news holds, while what was read when somebody connected may miss what was on its way.
#include "actors/ask.hpp"
#include "actors/push_hub.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace dr::actors {

namespace {

/// Customers asked about in one read: few enough that it ends in time also by a plan that walks the responses for each.
constexpr std::size_t doubtful_batch = 500;
constexpr std::chrono::milliseconds doubt_retry{500};

} // namespace

/// Everybody connected who is not known to be part of it.
void push_hub_state::doubt_others(const std::shared_ptr<const campaign>& of, const push_frame& notice) {
  std::vector<user_id> others;
  for (const auto& [user, who] : customers)
    if (!who.is_part_of(of->id)) others.push_back(user);
  if (others.empty()) return;
  doubts.push_back({++doubts_so_far, of, notice, std::move(others)});
  ask_about_doubts();
}

void push_hub_state::ask_about_doubts() {
  if (asking || doubts.empty()) return;
  const auto& first = doubts.front();
  const auto asked = std::min(first.users.size(), doubtful_batch);
  std::vector<user_id> some(first.users.end() - static_cast<std::ptrdiff_t>(asked), first.users.end());
  asking = true;
  read(
      self, store, read_timeout,
      [id = first.of->id, some = std::move(some)](storage::reader& from) { return from.part_of(id, some); },
      [this, number = first.number, asked](const std::vector<user_id>& found) {
        asking = false;
        are_part(number, asked, found);
        ask_about_doubts();
      },
      [this](const error& why) {
        spdlog::warn("whom news of a campaign concerns could not be read ({}); trying again", why.detail);
        // One that cannot be read must not hold up the others.
        if (!doubts.empty()) std::rotate(doubts.begin(), doubts.begin() + 1, doubts.end());
        self->delayed_send(self, doubt_retry, doubts_due{}); // `asking` stays, until then
      },
      urgency::leading);
}

void push_hub_state::are_part(std::uint64_t doubt_number, std::size_t asked, const std::vector<user_id>& found) {
  if (doubts.empty() || doubts.front().number != doubt_number) return; // newer news has taken its place
  auto& first = doubts.front();
  for (auto user : found) {
    auto it = customers.find(user);
    if (it == customers.end()) continue;
    it->second.push(first.notice);
    if (!first.of->open()) continue;
    it->second.join(first.of->id);
    members[first.of->id].insert(user);
  }
  first.users.resize(first.users.size() - asked);
  if (first.users.empty()) doubts.pop_front();
}

} // namespace dr::actors
