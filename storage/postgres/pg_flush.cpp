#include "storage/postgres/json_columns.hpp"
#include "storage/postgres/pg_rows.hpp"

#include <array>

namespace dr::storage {

namespace {

template <class E> std::int64_t code(E value) { return static_cast<std::int64_t>(value); }

/// The arrays of a statement, one per column.
template <std::size_t N> parameters together(array_literal (&columns)[N]) {
  parameters values;
  for (auto& column : columns) values.add(column);
  return values;
}

void add_user(array_literal (&c)[14], const stored_user& row, std::int64_t was) {
  const auto& u = row.user;
  c[0].add(u.id.value);
  c[1].add(std::string_view{u.name});
  c[2].add(u.capacity_w);
  c[3].add(u.points);
  c[4].add(u.owed_points);
  c[5].add_nonempty(u.cust_no);
  u.method ? c[6].add(code(*u.method)) : c[6].add_null();
  u.saa ? c[7].add_flag(*u.saa) : c[7].add_null();
  c[8].add_flag(u.enrolled);
  c[9].add(u.token_created_at);
  c[10].add(u.created_at);
  c[11].add(u.version);
  c[12].add_nonempty(row.token_hash);
  c[13].add(was);
}

/// In the order of the columns.
std::array<std::int64_t, 12> numbers_of(const campaign_counts& n) {
  return {n.dispatched, n.delivered,    n.accept,  n.deny,         n.committed_w, n.real,
          n.unreal,     n.unverifiable, n.pending, n.reduction_wh, n.credited_wh, n.points_credited};
}

void add_standing(array_literal (&c)[14], const campaign& row, std::int64_t was) {
  c[0].add(row.id.value);
  auto numbers = numbers_of(row.counts);
  for (std::size_t i = 0; i < numbers.size(); ++i) c[i + 1].add(numbers[i]);
  c[13].add_nonzero(was);
}

parameters campaign_values(const campaign& c) {
  parameters p;
  p.add(c.id.value).add(std::string_view{c.name}).add(std::string_view{c.type});
  p.add(code(c.status)).add(code(c.settlement));
  p.add(c.ordered_at).add(c.starts_at).add(c.respond_by).add(c.ends_at).add(c.ended_at).add(c.order_w);
  p.add_flag(c.test).add_flag(c.frozen).add(std::string_view{c.cancel_reason});
  p.add(std::string_view{encode_texts(c.warnings)}).add(std::string_view{encode_terms(c.terms)});
  for (auto count : numbers_of(c.counts)) p.add(count);
  p.add(c.version);
  return p;
}

void add_check(array_literal (&c)[19], const reduction_check& k) {
  c[0].add(k.id.value);
  c[1].add(k.campaign.value);
  c[2].add(k.user.value);
  c[3].add(k.response.value);
  c[4].add(std::int64_t{k.revision});
  c[5].add(code(k.response_answer));
  c[6].add_flag(k.is_real);
  c[7].add(k.adjust_points);
  c[8].add(code(k.baseline.method));
  c[9].add_flag(k.baseline.saa);
  c[10].add(k.baseline_wh);
  c[11].add(k.metered_wh);
  c[12].add(k.reduction_wh);
  c[13].add(k.credited_wh);
  c[14].add(code(k.quality));
  c[15].add(std::string_view{k.detail});
  c[16].add(std::string_view{encode_spread(k.spread)});
  c[17].add(k.checked_at);
  c[18].add(k.version);
}

} // namespace

void pg_rows::flush() {
  if (guard_ == guarding::by_version) throw std::logic_error("a batch of one statement was written in parts");
  gather();
  changes_.run(connection_, in_);
}

std::int64_t pg_rows::flush_with(const statement& last, parameters values, const char* columns) {
  gather();
  return changes_.run_with(connection_, in_, last, std::move(values), columns);
}

/// What is read in these rows must still be there in that version when it is written.
void pg_rows::gather() {
  flush_users();
  flush_campaigns();
  flush_responses();
  flush_checks();
  flush_entries();
  flush_queue();
  flush_days();
  flush_requests();
}

void pg_rows::flush_users() {
  array_literal fresh[14];
  array_literal known[14];
  std::size_t fresh_count = 0;
  std::size_t known_count = 0;
  for (auto& [id, slot] : users_.changed()) {
    add_user(slot->stored ? known : fresh, *slot->row, slot->was);
    ++(slot->stored ? known_count : fresh_count);
    slot->changed = false;
    slot->stored = true;
    slot->was = slot->row->user.version;
  }
  if (known_count) changes_.add(sql::update_users, together(known), known_count, "a user was changed meanwhile");
  // The changed ones first: a number that one of them gives up may be another's now.
  if (known_count && fresh_count) changes_.run(connection_, in_);
  if (fresh_count) changes_.add(sql::insert_users, together(fresh));
}

void pg_rows::flush_campaigns() {
  array_literal c[14];
  std::size_t counted = 0;
  for (auto& [id, slot] : campaigns_.changed()) {
    if (slot->stored && !reworded_campaigns_.contains(id)) {
      add_standing(c, *slot->row, slot->was);
      ++counted;
    } else {
      if (guard_ == guarding::by_version) throw std::logic_error("a campaign was reworded without its lock");
      run(sql::put_campaign, campaign_values(*slot->row));
    }
    slot->changed = false;
    slot->stored = true;
  }
  reworded_campaigns_.clear();
  if (counted) changes_.add(sql::update_counts, together(c), counted, "a campaign was changed meanwhile");
}

void pg_rows::flush_responses() {
  array_literal c[8];
  std::size_t count = 0;
  for (auto& [id, slot] : responses_.changed()) {
    const auto& r = *slot->row;
    c[0].add(r.id.value);
    c[1].add(code(r.answer));
    c[2].add_flag(r.turned);
    c[3].add(r.answered_at);
    c[4].add(r.delivered_at);
    c[5].add(code(r.verification));
    c[6].add(r.version);
    c[7].add(slot->was);
    slot->changed = false;
    slot->was = r.version;
    ++count;
  }
  if (count) changes_.add(sql::update_responses, together(c), count, "a response was changed meanwhile");
}

void pg_rows::flush_checks() {
  array_literal c[19];
  bool any = false;
  for (auto& [id, slot] : checks_.changed()) {
    add_check(c, *slot->row);
    slot->changed = false;
    slot->stored = true;
    any = true;
  }
  if (any) changes_.add(sql::put_checks, together(c));
}

void pg_rows::flush_entries() {
  if (entries_.empty()) return;
  array_literal c[10];
  for (const auto& l : entries_) {
    c[0].add(l.id.value);
    c[1].add(l.user.value);
    c[2].add(code(l.kind));
    c[3].add(l.amount);
    c[4].add(l.balance_after);
    c[5].add_nonzero(l.campaign.value);
    c[6].add_nonzero(l.response.value);
    c[7].add(std::int64_t{l.revision});
    l.reverses ? c[8].add(l.reverses->value) : c[8].add_null();
    c[9].add(l.at);
  }
  changes_.add(sql::insert_entries, together(c));
  entries_.clear();
}

void pg_rows::flush_queue() {
  array_literal c[10];
  array_literal erased;
  bool any_put = false;
  bool any_erased = false;
  for (auto& [id, slot] : queue_.changed()) {
    slot->changed = false;
    slot->stored = slot->row.has_value();
    if (!slot->row) {
      erased.add(id.value);
      any_erased = true;
      continue;
    }
    const auto& v = *slot->row;
    c[0].add(v.response.value);
    c[1].add(v.campaign.value);
    c[2].add(v.user.value);
    c[3].add(std::int64_t{v.revision});
    c[4].add(v.next_try_at);
    c[5].add(std::int64_t{v.attempts});
    c[6].add_flag(v.parked);
    c[7].add_flag(v.fresh);
    c[8].add(std::string_view{v.reason});
    c[9].add(v.queued_at);
    any_put = true;
  }
  if (any_erased) changes_.add(sql::erase_queued, parameters{}.add(erased));
  if (any_put) changes_.add(sql::put_queued, together(c));
}

void pg_rows::flush_days() {
  static_assert(quarters_per_day == 96, "as put_days counts");
  if (news_of_days_.empty()) return;
  array_literal c[5];
  for (const auto& [key, row] : news_of_days_) {
    c[0].add(std::string_view{key.first});
    c[1].add(day_number(key.second));
    c[2].add_flag(row.closed);
    c[3].add(row.fetched_at);
    for (auto wh : row.profile.wh) c[4].add(std::int64_t{wh});
  }
  changes_.add(sql::put_days, together(c));
  news_of_days_.clear();
}

void pg_rows::flush_requests() {
  if (changed_requests_.empty()) return;
  array_literal c[7];
  for (const auto& key : changed_requests_) {
    const auto& row = *requests_.at(key);
    c[0].add(std::string_view{key.principal});
    c[1].add(std::string_view{key.method});
    c[2].add(std::string_view{key.path});
    c[3].add(std::string_view{key.key});
    c[4].add(std::string_view{row.kept.body_hash});
    c[5].add(std::string_view{row.kept.answer});
    c[6].add(row.created_at);
  }
  changes_.add(sql::put_requests, together(c), changed_requests_.size(), "a key was used meanwhile");
  changed_requests_.clear();
}

void pg_rows::purge_requests(time_point now, std::int64_t at_most) {
  run(sql::purge_requests, parameters{}.add(now - key_lifetime).add(at_most));
}

} // namespace dr::storage
