#include "storage/engine/apply.hpp"
#include "storage/engine/event_data.hpp"

#include <cstdio>

namespace dr::storage::rules {

namespace {

error no_such_user() { return fail(errc::not_found, "there is no such user"); }
error taken(const std::string& cust_no) {
  return fail(errc::cust_no_taken, "another user has the KEPCO customer number " + cust_no);
}
error other_version() {
  return fail(errc::version_conflict, "it was changed in the meantime: read it again, then repeat the change");
}

/// A user's id as KEPCO's ten digits; empty if that cannot be, or is taken.
std::string assigned_cust_no(user_id id, rows& over) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%010lld", static_cast<long long>(id.value));
  std::string number = digits;
  if (number.size() != 10 || over.user_with_cust_no(number)) return {};
  return number;
}

/// Stores a new user, with its opening ledger entry.
user enrol(user fresh, bool assign_cust_no, rows& over) {
  fresh.id = over.new_user_id();
  if (fresh.cust_no.empty() && assign_cust_no) fresh.cust_no = assigned_cust_no(fresh.id, over);
  over.put(stored_user{fresh, {}});
  if (fresh.points > 0) {
    ledger_entry opening;
    opening.id = over.new_entry_id();
    opening.user = fresh.id;
    opening.kind = entry_kind::opening;
    opening.amount = opening.balance_after = fresh.points;
    opening.at = fresh.created_at;
    over.add(opening);
  }
  return fresh;
}

user from_import(const import_row& row, time_point at) {
  user u;
  u.name = row.name;
  u.capacity_w = row.capacity_w;
  u.cust_no = row.cust_no;
  u.points = row.opening_points;
  u.method = row.method;
  u.saa = row.saa;
  u.created_at = at;
  return u;
}

std::optional<imported::line_error> wrong(const import_row& row) {
  if (row.name.empty()) return imported::line_error{row.line, "name", "must not be empty"};
  if (row.capacity_w <= 0) return imported::line_error{row.line, "capacity", "must be more than 0"};
  if (row.opening_points < 0) return imported::line_error{row.line, "point", "must not be negative"};
  return std::nullopt;
}

} // namespace

result<written> apply(const create_user& what, rows& over, events_out& events) {
  if (!what.cust_no.empty() && over.user_with_cust_no(what.cust_no)) return taken(what.cust_no);
  user u;
  u.name = what.name;
  u.capacity_w = what.capacity_w;
  u.points = std::max<std::int64_t>(what.opening_points, 0);
  u.cust_no = what.cust_no;
  u.method = what.method;
  u.saa = what.saa;
  u.created_at = what.at;
  u = enrol(std::move(u), what.assign_cust_no, over);
  events.push_back(user_enrolled_event(u, what.at));
  return written{u};
}

result<written> apply(const change_user& what, rows& over, events_out& events) {
  const auto* found = over.find_user(what.id);
  if (!found) return no_such_user();
  auto before = found->user;
  if (what.expected_version && *what.expected_version != before.version) return other_version();
  if (!before.enrolled) return fail(errc::user_withdrawn, "the user has left the programme");
  auto next = *found;
  auto& u = next.user;
  if (what.name) u.name = *what.name;
  if (what.capacity_w) u.capacity_w = *what.capacity_w;
  if (what.cust_no) u.cust_no = *what.cust_no;
  if (what.method) u.method = *what.method;
  if (what.saa) u.saa = *what.saa;
  if (u == before) return written{before};
  if (u.cust_no != before.cust_no && !u.cust_no.empty() && over.user_with_cust_no(u.cust_no)) return taken(u.cust_no);
  ++u.version;
  over.put(next);
  events.push_back(user_changed_event(before, u, what.at));
  return written{u};
}

result<written> apply(const withdraw_user& what, rows& over, events_out& events) {
  const auto* found = over.find_user(what.id);
  if (!found) return no_such_user();
  if (!found->user.enrolled) return written{found->user};
  if (what.expected_version && *what.expected_version != found->user.version) return other_version();
  auto next = *found;
  next.user.enrolled = false;
  next.user.token_created_at.reset();
  next.token_hash.clear();
  ++next.user.version;
  over.put(next);
  events.push_back(user_withdrawn_event(next.user, what.at));
  return written{next.user};
}

result<written> apply(const set_token& what, rows& over, events_out& events) {
  const auto* found = over.find_user(what.id);
  if (!found) return no_such_user();
  if (what.expected_version && *what.expected_version != found->user.version) return other_version();
  if (what.token_hash && !found->user.enrolled) return fail(errc::user_withdrawn, "the user has left the programme");
  if (!what.token_hash && found->token_hash.empty()) return written{found->user};
  auto next = *found;
  next.token_hash = what.token_hash.value_or("");
  next.user.token_created_at.reset();
  if (what.token_hash) next.user.token_created_at = what.at;
  ++next.user.version;
  over.put(next);
  events.push_back(
      token_event(what.token_hash ? event_types::token_issued : event_types::token_revoked, next.user, what.at));
  return written{next.user};
}

result<written> apply(const withdraw_points& what, rows& over, events_out& events) {
  if (what.amount <= 0) return invalid_field("/amount", "must be more than 0");
  const auto* found = over.find_user(what.id);
  if (!found) return no_such_user();
  if (what.expected_version && *what.expected_version != found->user.version) return other_version();
  if (found->user.points < what.amount)
    return fail(errc::insufficient_points, "the balance is " + std::to_string(found->user.points) +
                                               " points, which does not cover " + std::to_string(what.amount));
  auto next = *found;
  next.user.points -= what.amount;
  ++next.user.version;
  over.put(next);
  ledger_entry entry;
  entry.id = over.new_entry_id();
  entry.user = what.id;
  entry.kind = entry_kind::withdrawal;
  entry.amount = -what.amount;
  entry.balance_after = next.user.points;
  entry.at = what.at;
  over.add(entry);
  events.push_back(points_withdrawn_event(entry));
  return written{entry};
}

result<written> apply(const import_users& what, rows& over, events_out& events) {
  imported outcome;
  std::int64_t opening = 0;
  for (const auto& row : what.rows) {
    if (auto why = wrong(row)) {
      outcome.errors.push_back(std::move(*why));
      continue;
    }
    auto known = row.cust_no.empty() ? std::nullopt : over.user_with_cust_no(row.cust_no);
    if (!known) {
      opening += enrol(from_import(row, what.at), what.assign_cust_no, over).points;
      ++outcome.created;
      continue;
    }
    const auto* before = over.find_user(*known);
    if (!before || !before->user.enrolled) {
      outcome.errors.push_back({row.line, "custNo", "belongs to a user who has left the programme"});
      continue;
    }
    auto next = *before;
    next.user.name = row.name;
    next.user.capacity_w = row.capacity_w;
    if (row.method) next.user.method = row.method;
    if (row.saa) next.user.saa = row.saa;
    ++outcome.updated;
    if (next.user == before->user) continue;
    if (next.user.name != before->user.name) outcome.renamed.emplace_back(next.user.id, next.user.name);
    ++next.user.version;
    over.put(next);
  }
  events.push_back(users_imported_event(outcome, opening, what.at));
  return written{outcome};
}

} // namespace dr::storage::rules
