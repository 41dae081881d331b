#include "storage/memory/memory_rows.hpp"

#include "storage/engine/apply.hpp"

#include <algorithm>

namespace dr::storage {

namespace {

template <class Map> const typename Map::mapped_type* find_in(const Map& map, const typename Map::key_type& key) {
  auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

} // namespace

response memory_state::seen(const response& stored) const {
  auto r = presented(stored, campaigns.at(stored.campaign), queue.contains(stored.id));
  r.user_name = users.at(stored.user).user.name;
  return r;
}

reduction_check memory_state::seen(const reduction_check& stored) const {
  auto c = stored;
  c.user_name = users.at(stored.user).user.name;
  return c;
}

void memory_rows::undo() {
  for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) (*step)();
  undo_.clear();
  changed_campaigns_.clear();
  reserved_ = 0;
}

std::int64_t memory_rows::take(std::int64_t& counter) {
  undo_.push_back([&counter, before = counter] { counter = before; });
  return counter++;
}

template <class Map>
void memory_rows::set(Map& map, const typename Map::key_type& key, const typename Map::mapped_type& value) {
  if (auto at = map.find(key); at != map.end()) {
    undo_.push_back([&map, key, before = at->second] { map[key] = before; });
    at->second = value;
  } else {
    undo_.push_back([&map, key] { map.erase(key); });
    map.emplace(key, value);
  }
}

template <class Map> void memory_rows::erase(Map& map, const typename Map::key_type& key) {
  auto at = map.find(key);
  if (at == map.end()) return;
  undo_.push_back([&map, key, before = at->second] { map[key] = before; });
  map.erase(at);
}

const stored_user* memory_rows::find_user(user_id id) { return find_in(state_.users, id); }

std::optional<user_id> memory_rows::user_with_cust_no(const std::string& cust_no) {
  const auto* id = find_in(state_.by_cust_no, cust_no);
  return id ? std::optional{*id} : std::nullopt;
}

void memory_rows::put(const stored_user& row) {
  std::string before;
  if (const auto* known = find_user(row.user.id)) before = known->user.cust_no;
  if (before != row.user.cust_no) {
    erase(state_.by_cust_no, before);
    if (!row.user.cust_no.empty()) set(state_.by_cust_no, row.user.cust_no, row.user.id);
  }
  set(state_.users, row.user.id, row);
}

const campaign* memory_rows::find_campaign(campaign_id id) { return find_in(state_.campaigns, id); }
void memory_rows::put(const campaign& row) {
  set(state_.campaigns, row.id, row);
  changed_campaigns_.insert(row.id);
}
void memory_rows::add_counts(campaign_id id, const campaign_counts& by) {
  auto row = state_.campaigns.at(id);
  row.counts += by;
  put(row);
}

void memory_rows::add_response(const campaign& of, const user& who) {
  response r;
  r.id = {take(state_.next_response)};
  r.campaign = of.id;
  r.user = who.id;
  r.capacity_w = who.capacity_w;
  r.baseline = effective_baseline(of.terms, who.method, who.saa);
  set(state_.responses, r.id, r);
  auto& by_campaign = state_.responses_of_campaign[of.id];
  auto& by_user = state_.responses_of_user[who.id];
  by_campaign.push_back(r.id);
  by_user.push_back(r.id);
  undo_.push_back([&by_campaign, &by_user] {
    by_campaign.pop_back();
    by_user.pop_back();
  });
}

std::int64_t memory_rows::make_responses(const campaign& of) {
  std::int64_t made = 0;
  for (const auto& [id, who] : state_.users) {
    if (!who.user.enrolled) continue;
    add_response(of, who.user);
    ++made;
  }
  return made;
}

frozen_counts memory_rows::freeze(campaign_id id, bool queue, time_point first_try_at, time_point at) {
  frozen_counts counts;
  for (auto response_of : state_.responses_of_campaign[id]) {
    const auto& r = state_.responses.at(response_of);
    if (r.answer == answer::deny) ++counts.deny;
    if (r.answer != answer::accept) continue;
    ++counts.accept;
    counts.committed_w += r.capacity_w;
    if (!queue || state_.queue.contains(r.id)) continue;
    set(state_.queue, r.id, {r.id, id, r.user, 1, first_try_at, 0, false, false, {}, at});
    ++counts.queued;
  }
  return counts;
}

std::int64_t memory_rows::unpark(campaign_id id, time_point at) {
  std::vector<queued_check> parked;
  for (const auto& [key, job] : state_.queue)
    if (job.campaign == id && job.parked) parked.push_back(job);
  for (auto& job : parked) {
    job.parked = false;
    job.attempts = 0;
    job.reason.clear();
    job.next_try_at = job.queued_at = at;
    put(job);
  }
  return static_cast<std::int64_t>(parked.size());
}

const response* memory_rows::find_response(response_id id) {
  auto at = state_.responses.find(id);
  if (at == state_.responses.end()) return nullptr;
  at->second.user_name = state_.users.at(at->second.user).user.name;
  return &at->second;
}

void memory_rows::put(const response& row) { set(state_.responses, row.id, row); }

const queued_check* memory_rows::find_queued(response_id id) { return find_in(state_.queue, id); }
void memory_rows::put(const queued_check& row) { set(state_.queue, row.response, row); }
void memory_rows::erase_queued(response_id id) { erase(state_.queue, id); }

const reduction_check* memory_rows::find_check(check_id id) { return find_in(state_.checks, id); }

const reduction_check* memory_rows::check_of(response_id id) {
  const auto* check = find_in(state_.check_of, id);
  return check ? find_check(*check) : nullptr;
}

void memory_rows::put(const reduction_check& row) {
  set(state_.check_of, row.response, row.id);
  set(state_.checks, row.id, row);
}

void memory_rows::add(const ledger_entry& row) {
  if (reserved_ > 0) --reserved_;
  state_.ledger.push_back(row);
  auto& of_user = state_.ledger_of[row.user];
  of_user.push_back(row.id);
  undo_.push_back([this, &of_user] {
    state_.ledger.pop_back();
    of_user.pop_back();
  });
}

std::optional<ledger_entry> memory_rows::last_credit(response_id id) {
  const auto* r = find_response(id);
  if (!r) return std::nullopt;
  const auto& of_user = state_.ledger_of[r->user];
  for (auto entry = of_user.rbegin(); entry != of_user.rend(); ++entry) {
    const auto& e = state_.ledger[static_cast<std::size_t>(entry->value - 1)];
    if (e.response == id && e.kind == entry_kind::credit) return e;
  }
  return std::nullopt;
}

void memory_rows::merge_day(const std::string& cust_no, korean_day day, const stored_day& news) {
  const auto* known = find_in(state_.days, {cust_no, day});
  auto together = known ? *known : stored_day{};
  merge(together, news);
  set(state_.days, {cust_no, day}, together);
}

std::optional<kept_request> memory_rows::find_request(const request_key& key) {
  const auto* kept = find_in(state_.requests, key);
  return kept ? std::optional{*kept} : std::nullopt;
}
void memory_rows::put_request(const request_key& key, const kept_request& row) { set(state_.requests, key, row); }

} // namespace dr::storage
