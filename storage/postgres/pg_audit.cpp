#include "storage/postgres/pg_audit.hpp"

#include "storage/postgres/audit_queries.hpp"
#include "storage/postgres/migrations.hpp"

#include <unordered_map>

namespace dr::storage {

namespace {

class pg_audit final : public audit_reader {
public:
  explicit pg_audit(postgres_options options)
      : connection_(options, "audit", options.bulk_statement_timeout, workload::reads) {}
  result<void> begin() override;
  result<std::int64_t> user_count() override;
  result<std::vector<campaign>> campaigns(campaign_id after, int limit) override;
  result<std::vector<account>> accounts(user_id after, int limit) override;
  result<std::vector<event>> house_events(std::int64_t after, int limit) override;
  result<log_extent> extent() override;
  result<std::vector<log_gap>> gaps(int limit) override;
  result<std::vector<id_source>> id_sources() override;
  result<std::vector<stray_rows>> strays() override;

private:
  using snapshot = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;

  /// Runs an action in the snapshot and translates what it throws; the snapshot is over then.
  template <class Action> auto read(const Action& action) -> result<decltype(action())> {
    try {
      if (!snapshot_) return fail(errc::store_unavailable, "the database was lost on the way");
      return action();
    } catch (const std::exception& why) {
      auto kind = connection_.explain(why);
      snapshot_.reset();
      connection_.drop();
      return outside_view(kind);
    }
  }
  template <class Make> void each(const statement& what, const parameters& values, const Make& make) {
    for (const auto& row : connection_.run(*snapshot_, what, values)) {
      column_cursor at{row};
      make(at);
    }
  }
  void fill_accounts(std::vector<account>& all, const parameters& range);

  connection connection_;
  std::unique_ptr<snapshot> snapshot_;
};

result<void> pg_audit::begin() {
  try {
    snapshot_ = std::make_unique<snapshot>(connection_.use());
    if (auto why = schema_misfit(*snapshot_, known_migrations())) return fail(errc::invalid, *why);
    return {};
  } catch (const std::exception& why) {
    auto kind = connection_.explain(why);
    snapshot_.reset();
    connection_.drop();
    return outside_view(kind);
  }
}

result<std::int64_t> pg_audit::user_count() {
  return read([&] { return column_cursor{connection_.run(*snapshot_, sql::audit_user_count)[0]}.number(); });
}

result<std::vector<campaign>> pg_audit::campaigns(campaign_id after, int limit) {
  return read([&] {
    std::vector<campaign> out;
    each(sql::audit_campaigns, parameters{}.add(after.value).add(std::int64_t{limit}),
         [&](column_cursor& at) { out.push_back(read_campaign(at)); });
    return out;
  });
}

result<std::vector<account>> pg_audit::accounts(user_id after, int limit) {
  return read([&] {
    std::vector<account> all;
    each(sql::audit_users, parameters{}.add(after.value).add(std::int64_t{limit}),
         [&](column_cursor& at) { all.emplace_back().user = read_user(at); });
    if (!all.empty()) fill_accounts(all, parameters{}.add(after.value).add(all.back().user.id.value));
    return all;
  });
}

void pg_audit::fill_accounts(std::vector<account>& all, const parameters& range) {
  std::unordered_map<user_id, account*> by_user;
  for (auto& one : all) by_user.emplace(one.user.id, &one);
  account nobody; // for rows without their user: strays() finds them
  auto of = [&](user_id id) -> account& {
    auto found = by_user.find(id);
    return found == by_user.end() ? nobody : *found->second;
  };
  each(sql::audit_entries, range, [&](column_cursor& at) {
    auto entry = read_entry(at);
    of(entry.user).entries.push_back(entry);
  });
  each(sql::audit_responses, range, [&](column_cursor& at) {
    auto r = read_response(at);
    of(r.user).responses.push_back(std::move(r));
  });
  each(sql::audit_checks, range, [&](column_cursor& at) {
    auto check = read_check(at);
    of(check.user).checks.push_back(std::move(check));
  });
  each(sql::audit_queue, range, [&](column_cursor& at) {
    auto& owner = of(at.id<user_id>());
    owner.queued.push_back(read_queued(at));
  });
  each(sql::audit_events, range, [&](column_cursor& at) {
    auto e = read_event(at);
    of(e.user).events.push_back(std::move(e));
  });
  each(sql::audit_days, range, [&](column_cursor& at) {
    auto& owner = of(at.id<user_id>());
    auto row = read_day(at);
    owner.days.emplace(row.day, row.stored);
  });
}

result<std::vector<event>> pg_audit::house_events(std::int64_t after, int limit) {
  array_literal types;
  for (const auto* type :
       {event_types::dr_started, event_types::list_made, event_types::dr_begun, event_types::dr_changed,
        event_types::dr_ended, event_types::dr_canceled, event_types::list_saved, event_types::users_imported})
    types.add(std::string_view{type});
  return read([&] {
    std::vector<event> out;
    each(sql::audit_house_events, parameters{}.add(after).add(types).add(std::int64_t{limit}),
         [&](column_cursor& at) { out.push_back(read_event(at)); });
    return out;
  });
}

result<log_extent> pg_audit::extent() {
  return read([&] {
    column_cursor at{connection_.run(*snapshot_, sql::audit_extent)[0]};
    log_extent out;
    out.count = at.number();
    out.first = at.number();
    out.last = at.number();
    out.counter = at.optional_number().value_or(0);
    return out;
  });
}

result<std::vector<log_gap>> pg_audit::gaps(int limit) {
  return read([&] {
    std::vector<log_gap> out;
    each(sql::audit_gaps, parameters{}.add(std::int64_t{limit}), [&](column_cursor& at) {
      auto first = at.number();
      out.push_back({first, at.number()});
    });
    return out;
  });
}

result<std::vector<id_source>> pg_audit::id_sources() {
  return read([&] {
    std::vector<id_source> out;
    for (const auto& source : sql::audit_id_sources)
      each(source, {}, [&](column_cursor& at) {
        auto& one = out.emplace_back();
        one.table = at.text();
        one.highest = at.number();
        one.given_out = at.number();
      });
    return out;
  });
}

result<std::vector<stray_rows>> pg_audit::strays() {
  return read([&] {
    std::vector<stray_rows> out;
    for (const auto& kind : sql::audit_strays)
      each(kind, {}, [&](column_cursor& at) {
        stray_rows rows;
        rows.table = at.text();
        rows.refers_to = at.text();
        rows.count = at.number();
        rows.example = at.number();
        if (rows.count > 0) out.push_back(std::move(rows));
      });
    return out;
  });
}

} // namespace

std::unique_ptr<audit_reader> open_postgres_audit(postgres_options options) {
  return std::make_unique<pg_audit>(std::move(options));
}

} // namespace dr::storage
