#include "storage/postgres/pg_rows.hpp"

#include <cstdio>

namespace dr::storage {

namespace {

std::string as_cust_no(std::int64_t id) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%010lld", static_cast<long long>(id));
  return digits;
}

} // namespace

struct pg_rows::wanted {
  std::set<user_id> users;
  std::set<std::string> cust_nos;
  std::set<campaign_id> campaigns;
  std::set<campaign_id> frozen_campaigns;
  std::set<response_id> responses;
  std::set<response_id> settled; ///< their users, checks and jobs too
  std::set<response_id> queued;
  std::set<request_key> requests;

  void operator()(const create_user& c) { add_cust_no(c.cust_no); }
  void operator()(const change_user& c) {
    users.insert(c.id);
    if (c.cust_no) add_cust_no(*c.cust_no);
  }
  void operator()(const withdraw_user& c) { users.insert(c.id); }
  void operator()(const set_token& c) { users.insert(c.id); }
  void operator()(const withdraw_points& c) { users.insert(c.id); }
  void operator()(const import_users& c) {
    for (const auto& row : c.rows) add_cust_no(row.cust_no);
  }
  void operator()(const open_campaign&) {}
  void operator()(const save_campaign& c) { campaigns.insert(c.next.id); }
  void operator()(const freeze_campaign& c) { frozen_campaigns.insert(c.id); }
  void operator()(const choose_answer& c) { responses.insert(c.id); }
  void operator()(const mark_delivered& c) { responses.insert(c.id); }
  void operator()(const settle_check& c) {
    responses.insert(c.check.response);
    settled.insert(c.check.response);
    queued.insert(c.check.response);
  }
  void operator()(const postpone_checks& c) {
    for (const auto& one : c.checks) queued.insert(one.id);
  }
  void operator()(const order_recheck&) {}
  void operator()(const retry_parked& c) { frozen_campaigns.insert(c.id); }
  void operator()(const retry_check& c) {
    responses.insert(c.id);
    queued.insert(c.id);
  }
  void operator()(const save_profile&) {}
  void operator()(const remember_answer&) {}

private:
  void add_cust_no(const std::string& cust_no) {
    if (!cust_no.empty()) cust_nos.insert(cust_no);
  }
};

void pg_rows::prefetch(std::span<const write> batch) {
  wanted all;
  for (const auto& one : batch) {
    std::visit(all, one.what);
    if (one.keyed) all.requests.insert({one.keyed->principal, one.keyed->method, one.keyed->path, one.keyed->key});
  }
  load_requests(all.requests);
  load_responses(all.responses);
  for (auto id : all.responses) {
    const auto* r = find_response(id);
    if (!r) continue;
    if (!campaigns_.knows(r->campaign)) all.campaigns.insert(r->campaign);
    if (all.settled.contains(id)) all.users.insert(r->user);
  }
  lock_campaigns(all.campaigns);
  for (auto id : all.responses) // of a campaign that is over, whether a check waits
    if (const auto* r = find_response(id); r && find_campaign(r->campaign) && find_campaign(r->campaign)->frozen)
      all.queued.insert(id);
  read_campaigns(all.frozen_campaigns);
  load_users(all.users);
  load_cust_nos(all.cust_nos);
  load_checks(all.settled);
  load_queued(all.queued);
  foresee_numbers(batch);
}

void pg_rows::keep(const pqxx::result& users) {
  for (const auto& row : users) {
    column_cursor at{row};
    stored_user found;
    found.user = read_user(at);
    found.token_hash = at.text();
    if (!found.user.cust_no.empty()) by_cust_no_[found.user.cust_no] = found.user.id;
    const auto id = found.user.id;
    const auto version = found.user.version;
    users_.loaded(id, std::move(found), version);
  }
}

void pg_rows::load_users(const std::set<user_id>& ids) {
  if (ids.empty()) return;
  auto array = array_of(ids);
  keep(run(sql::load_users, parameters{}.add(array)));
  for (auto id : ids) users_.absent(id);
}

void pg_rows::load_cust_nos(const std::set<std::string>& numbers) {
  if (numbers.empty()) return;
  auto array = array_of(numbers, [](const std::string& number) { return std::string_view{number}; });
  keep(run(sql::users_by_cust_no, parameters{}.add(array)));
  for (const auto& number : numbers) by_cust_no_.try_emplace(number);
}

void pg_rows::lock_campaigns(const std::set<campaign_id>& ids) {
  if (ids.empty()) return;
  if (guard_ == guarding::by_version) throw std::logic_error("a campaign did not come with its responses");
  auto array = array_of(ids);
  for (const auto& row : run(sql::lock_campaigns, parameters{}.add(array))) {
    column_cursor at{row};
    auto c = read_campaign(at);
    const auto id = c.id;
    campaigns_.loaded(id, std::move(c));
  }
  for (auto id : ids) campaigns_.absent(id);
}

void pg_rows::read_campaigns(const std::set<campaign_id>& ids) {
  std::set<campaign_id> fresh;
  for (auto id : ids)
    if (!campaigns_.knows(id)) fresh.insert(id);
  if (fresh.empty()) return;
  auto array = array_of(fresh);
  for (const auto& row : run(sql::read_campaigns, parameters{}.add(array))) {
    column_cursor at{row};
    auto c = read_campaign(at);
    const auto id = c.id;
    unlocked_.insert(id);
    campaigns_.loaded(id, std::move(c));
  }
  for (auto id : fresh) campaigns_.absent(id);
}

void pg_rows::load_responses(const std::set<response_id>& ids) {
  if (ids.empty()) return;
  const bool with_campaigns = guard_ == guarding::by_version;
  auto array = array_of(ids);
  for (const auto& row :
       run(with_campaigns ? sql::load_responses_and_campaigns : sql::load_responses, parameters{}.add(array))) {
    column_cursor at{row};
    auto r = read_response(at);
    const auto id = r.id;
    const auto version = r.version;
    responses_.loaded(id, std::move(r), version);
    if (!with_campaigns) continue;
    if (const auto writer = at.optional_number()) {
      auto of = read_campaign(at);
      const auto campaign = of.id;
      campaigns_.loaded(campaign, std::move(of), *writer);
    }
  }
  for (auto id : ids) responses_.absent(id);
}

void pg_rows::load_queued(const std::set<response_id>& ids) {
  if (ids.empty()) return;
  auto array = array_of(ids);
  for (const auto& row : run(sql::load_queued, parameters{}.add(array))) {
    column_cursor at{row};
    auto job = read_queued(at);
    const auto id = job.response;
    queue_.loaded(id, std::move(job));
  }
  for (auto id : ids) queue_.absent(id);
}

void pg_rows::load_checks(const std::set<response_id>& ids) {
  if (ids.empty()) return;
  auto array = array_of(ids);
  for (const auto& row : run(sql::load_checks, parameters{}.add(array))) {
    column_cursor at{row};
    auto check = read_check(at);
    const auto id = check.response;
    checks_.loaded(id, std::move(check));
  }
  for (auto id : ids) checks_.absent(id);
}

void pg_rows::load_requests(const std::set<request_key>& keys) {
  if (keys.empty()) return;
  auto principals = array_of(keys, [](const request_key& key) { return std::string_view{key.principal}; });
  auto methods = array_of(keys, [](const request_key& key) { return std::string_view{key.method}; });
  auto paths = array_of(keys, [](const request_key& key) { return std::string_view{key.path}; });
  auto texts = array_of(keys, [](const request_key& key) { return std::string_view{key.key}; });
  for (const auto& key : keys) requests_.try_emplace(key);
  for (const auto& row : run(sql::load_requests, parameters{}.add(principals).add(methods).add(paths).add(texts))) {
    column_cursor at{row};
    request_key key;
    key.principal = at.text();
    key.method = at.text();
    key.path = at.text();
    key.key = at.text();
    kept_request kept;
    kept.kept.body_hash = at.text();
    kept.kept.answer = at.text();
    kept.created_at = at.time();
    requests_[key] = std::move(kept);
  }
}

std::int64_t pg_rows::foresee_users(const import_users& what, std::int64_t& entries) {
  std::int64_t users = 0;
  std::set<std::string> seen;
  for (const auto& row : what.rows) {
    bool fresh = row.cust_no.empty() || (!user_with_cust_no(row.cust_no) && seen.insert(row.cust_no).second);
    if (!fresh || row.name.empty() || row.capacity_w <= 0 || row.opening_points < 0) continue;
    ++users;
    if (row.opening_points > 0) ++entries;
  }
  return users;
}

/// Takes as many numbers of each kind as will most likely be used: few statements, and no number is lost for nothing.
void pg_rows::foresee_numbers(std::span<const write> batch) {
  std::int64_t users = 0;
  std::int64_t entries = 0;
  std::set<response_id> checks;
  bool assigned = false;
  std::set<request_key> keys;
  // A change whose key is known, or comes twice, will most likely make nothing new.
  const auto repeated = [&](const keyed_request& k) {
    request_key key{k.principal, k.method, k.path, k.key};
    return find_request(key) || !keys.insert(std::move(key)).second;
  };
  for (const auto& one : batch) {
    if (one.keyed && repeated(*one.keyed)) continue;
    if (const auto* create = std::get_if<create_user>(&one.what)) {
      if (!create->cust_no.empty() && user_with_cust_no(create->cust_no)) continue;
      ++users;
      if (create->opening_points > 0) ++entries;
      assigned = assigned || (create->assign_cust_no && create->cust_no.empty());
    } else if (const auto* import = std::get_if<import_users>(&one.what)) {
      users += foresee_users(*import, entries);
      assigned = assigned || import->assign_cust_no;
    } else if (const auto* settle = std::get_if<settle_check>(&one.what)) {
      if (!find_response(settle->check.response) || check_of(settle->check.response)) continue;
      if (checks.insert(settle->check.response).second && settle->check.adjust_points > 0) ++entries;
    } else if (const auto* withdraw = std::get_if<withdraw_points>(&one.what)) {
      const auto* who = find_user(withdraw->id);
      if (who && who->user.points >= withdraw->amount) ++entries;
    }
  }
  user_ids_.fill(*this, users);
  check_ids_.fill(*this, static_cast<std::int64_t>(checks.size()));
  entry_ids_.fill(*this, entries);
  if (!assigned) return;
  std::set<std::string> numbers;
  for (auto id : user_ids_.ids) numbers.insert(as_cust_no(id));
  load_cust_nos(numbers);
}

} // namespace dr::storage
