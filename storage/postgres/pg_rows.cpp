#include "storage/postgres/pg_rows.hpp"

#include "storage/engine/apply.hpp"

namespace dr::storage {

namespace {

std::int64_t first_number(const pqxx::result& rows) {
  column_cursor at{rows[0]};
  return at.number();
}

} // namespace

void pg_rows::id_pool::fill(pg_rows& rows, std::int64_t count) {
  if (count <= 0) return;
  for (const auto& row : rows.run(source, parameters{}.add(count))) ids.push_back(column_cursor{row}.number());
}

std::int64_t pg_rows::id_pool::take(pg_rows& rows) {
  if (ids.empty()) fill(rows, 1);
  auto id = ids.front();
  ids.pop_front();
  return id;
}

const stored_user* pg_rows::find_user(user_id id) {
  if (!users_.knows(id)) load_users({id});
  auto& row = users_.find(id)->row;
  return row ? &*row : nullptr;
}

std::optional<user_id> pg_rows::user_with_cust_no(const std::string& cust_no) {
  if (!by_cust_no_.contains(cust_no)) load_cust_nos({cust_no});
  return by_cust_no_.at(cust_no);
}

void pg_rows::put(const stored_user& row) {
  const auto* known = users_.find(row.user.id);
  if (known && known->row) {
    if (known->row->user.cust_no != row.user.cust_no) by_cust_no_[known->row->user.cust_no] = std::nullopt;
    if (known->row->user.name != row.user.name)
      for (auto& [id, slot] : responses_)
        if (slot.row && slot.row->user == row.user.id) slot.row->user_name = row.user.name;
  }
  if (!row.user.cust_no.empty()) by_cust_no_[row.user.cust_no] = row.user.id;
  users_.put(row.user.id, row);
}

const campaign* pg_rows::find_campaign(campaign_id id) {
  if (!campaigns_.knows(id)) lock_campaigns({id});
  auto& row = campaigns_.find(id)->row;
  return row ? &*row : nullptr;
}

void pg_rows::put(const campaign& row) {
  if (unlocked_.contains(row.id)) throw std::logic_error("a campaign was read without its lock and then changed");
  campaigns_.put(row.id, row);
  changed_campaigns_.insert(row.id);
  reworded_campaigns_.insert(row.id);
}

void pg_rows::add_counts(campaign_id id, const campaign_counts& by) {
  if (unlocked_.contains(id)) throw std::logic_error("a campaign was read without its lock and then changed");
  auto& slot = *campaigns_.find(id);
  slot.row->counts += by;
  slot.changed = true;
  changed_campaigns_.insert(id);
}

std::vector<campaign_standing> pg_rows::standings() const {
  std::vector<campaign_standing> all;
  for (auto id : changed_campaigns_)
    if (const auto* at = campaigns_.find(id); at && at->row) all.push_back({id, at->row->version, at->row->counts});
  return all;
}

std::int64_t pg_rows::make_responses(const campaign& of) {
  flush();
  array_literal allowed;
  for (auto method : of.terms.allowed_methods) allowed.add(std::int64_t{static_cast<unsigned char>(method)});
  parameters values;
  values.add(of.id.value).add(allowed);
  values.add(std::int64_t{static_cast<unsigned char>(of.terms.default_baseline.method)});
  values.add_flag(of.terms.saa_allowed).add_flag(of.terms.default_baseline.saa);
  return static_cast<std::int64_t>(run(sql::make_responses, values).affected_rows());
}

frozen_counts pg_rows::freeze(campaign_id id, bool queue, time_point first_try_at, time_point at) {
  flush();
  auto made = run(sql::freeze, parameters{}.add(id.value).add_flag(queue).add(first_try_at).add(at));
  column_cursor columns{made[0]};
  frozen_counts counts;
  counts.accept = columns.number();
  counts.deny = columns.number();
  counts.committed_w = columns.number();
  counts.queued = columns.number();
  // The campaign's row was not locked while a million answers were counted; now it is read again with its lock.
  queue_.clear();
  campaigns_.forget(id);
  unlocked_.erase(id);
  return counts;
}

std::int64_t pg_rows::unpark(campaign_id id, time_point at) {
  flush();
  queue_.clear();
  return static_cast<std::int64_t>(run(sql::unpark, parameters{}.add(id.value).add(at)).affected_rows());
}

const response* pg_rows::find_response(response_id id) {
  if (!responses_.knows(id)) load_responses({id});
  auto& row = responses_.find(id)->row;
  return row ? &*row : nullptr;
}

void pg_rows::put(const response& row) { responses_.put(row.id, row); }

const queued_check* pg_rows::find_queued(response_id id) {
  if (!queue_.knows(id)) load_queued({id});
  auto& row = queue_.find(id)->row;
  return row ? &*row : nullptr;
}

void pg_rows::put(const queued_check& row) { queue_.put(row.response, row); }

void pg_rows::erase_queued(response_id id) {
  auto* at = queue_.find(id);
  if (!at) return;
  at->row.reset();
  at->changed = at->stored;
}

const reduction_check* pg_rows::find_check(check_id id) {
  for (auto& [response_of, at] : checks_)
    if (at.row && at.row->id == id) return &*at.row;
  auto found = run(sql::load_checks_by_id, parameters{}.add("{" + std::to_string(id.value) + "}"));
  if (found.empty()) return nullptr;
  column_cursor columns{found[0]};
  auto check = read_check(columns);
  auto of = check.response;
  checks_.loaded(of, std::move(check));
  return &*checks_.find(of)->row;
}

const reduction_check* pg_rows::check_of(response_id id) {
  if (!checks_.knows(id)) load_checks({id});
  auto& row = checks_.find(id)->row;
  return row ? &*row : nullptr;
}

void pg_rows::put(const reduction_check& row) { checks_.put(row.response, row); }

std::optional<ledger_entry> pg_rows::last_credit(response_id id) {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (entry->response == id && entry->kind == entry_kind::credit) return *entry;
  auto found = run(sql::last_credit, parameters{}.add(id.value));
  if (found.empty()) return std::nullopt;
  column_cursor columns{found[0]};
  return read_entry(columns);
}

void pg_rows::merge_day(const std::string& cust_no, korean_day day, const stored_day& news) {
  merge(news_of_days_[{cust_no, day}], news);
}

std::optional<kept_request> pg_rows::find_request(const request_key& key) {
  if (!requests_.contains(key)) load_requests({key});
  return requests_.at(key);
}

void pg_rows::put_request(const request_key& key, const kept_request& row) {
  requests_[key] = row;
  changed_requests_.insert(key);
}

time_point pg_rows::latest_time() { return time_point{std::chrono::milliseconds{first_number(run(sql::latest_time))}}; }

} // namespace dr::storage
