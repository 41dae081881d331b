#include "storage/postgres/pg_reader.hpp"

#include "storage/engine/apply.hpp"
#include "storage/postgres/queries.hpp"

#include <limits>

namespace dr::storage {

namespace {

using row_maker = std::function<void(column_cursor&)>;

void each(const pqxx::result& rows, const row_maker& make) {
  for (const auto& row : rows) {
    column_cursor at{row};
    make(at);
  }
}

/// A response with the campaign it belongs to, as `DR_RESPONSE_COLUMNS`, whether it is queued, `DR_CAMPAIGN_COLUMNS`.
campaign_response read_campaign_response(column_cursor& at) {
  auto stored = read_response(at);
  bool queued = at.flag();
  campaign_response out;
  out.campaign = read_campaign(at);
  out.response = presented(std::move(stored), out.campaign, queued);
  return out;
}

struct response_row {
  response stored;
  bool queued = false;
  std::int64_t campaign_version = 0;
};

response_row read_response_row(column_cursor& at) {
  auto stored = read_response(at);
  const auto queued = at.flag();
  return {std::move(stored), queued, at.number()};
}

/// Campaigns that a reader keeps between two pages of responses.
constexpr std::size_t max_known_campaigns = 1'000;

} // namespace

class pg_reader::session {
public:
  session(connection& over, bool snapshot) : over_(over) {
    if (snapshot)
      snapshot_ = std::make_unique<pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>>(over.use());
    else
      plain_ = std::make_unique<pqxx::nontransaction>(over.use());
  }
  pqxx::result run(const dr::storage::statement& what, const parameters& values = {}) {
    auto& in = snapshot_ ? static_cast<pqxx::transaction_base&>(*snapshot_) : *plain_;
    return over_.run(in, what, values);
  }
  std::function<pqxx::result(const dr::storage::statement&, const parameters&)> runner() {
    return [this](const dr::storage::statement& what, const parameters& values) { return run(what, values); };
  }

private:
  connection& over_;
  std::unique_ptr<pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>> snapshot_;
  std::unique_ptr<pqxx::nontransaction> plain_;
};

pg_reader::pg_reader(postgres_options options)
    : connection_(options, "reader", options.statement_timeout, workload::reads) {}

template <class T> result<T> pg_reader::read(bool snapshot, const std::function<result<T>(session&)>& action) {
  connection_.begin_call();
  for (bool stale = connection_.is_open();; stale = false) {
    try {
      session in{connection_, snapshot};
      auto found = action(in);
      connection_.works();
      return found;
    } catch (const std::exception& why) {
      auto kind = connection_.explain(why);
      if (kind != failure::refused) connection_.drop();
      if (kind == failure::lost && stale && !connection_.aborted()) continue;
      return outside_view(kind);
    }
  }
}

template <class T>
result<page<T>> pg_reader::list(const dr::storage::statement& rows, const dr::storage::statement& count,
                                parameters filter, const page_request& at,
                                const std::function<T(column_cursor&)>& make) {
  bool keyset = at.after > 0;
  return read<page<T>>(!keyset, [&](session& in) -> result<page<T>> {
    page<T> out;
    if (!keyset) out.total = column_cursor{in.run(count, filter)[0]}.number();
    auto values = filter;
    auto offset = keyset ? 0 : std::min(at.number, std::numeric_limits<std::int64_t>::max() / at.size) * at.size;
    values.add(at.after).add(std::int64_t{at.size} + 1).add(offset);
    const auto found = in.run(rows, values);
    out.items.reserve(found.size());
    each(found, [&](column_cursor& columns) {
      if (static_cast<int>(out.items.size()) < at.size)
        out.items.push_back(make(columns));
      else
        out.more = true;
    });
    return out;
  });
}

result<user> pg_reader::find_user(user_id id) {
  return read<user>(false, [&](session& in) -> result<user> {
    auto found = in.run(sql::user_by_id, parameters{}.add(id.value));
    if (found.empty()) return fail(errc::not_found, "there is no such user");
    column_cursor at{found[0]};
    return read_user(at);
  });
}

result<page<user>> pg_reader::users(const user_filter& filter, const page_request& at) {
  parameters values;
  filter.name_prefix.empty() ? values.add_null() : values.add(std::string_view{like_prefix(filter.name_prefix)});
  filter.enrolled ? values.add_flag(*filter.enrolled) : values.add_null();
  return list<user>(sql::list_users, sql::count_users, std::move(values), at, read_user);
}

result<campaign> pg_reader::find_campaign(campaign_id id) {
  return read<campaign>(false, [&](session& in) -> result<campaign> {
    auto found = in.run(sql::campaigns_by_id, parameters{}.add("{" + std::to_string(id.value) + "}"));
    if (found.empty()) return fail(errc::not_found, "there is no such campaign");
    column_cursor at{found[0]};
    return read_campaign(at);
  });
}

result<page<campaign>> pg_reader::campaigns(const campaign_filter& filter, const page_request& at) {
  parameters values;
  filter.status ? values.add(std::int64_t{static_cast<unsigned char>(*filter.status)}) : values.add_null();
  filter.type.empty() ? values.add_null() : values.add(std::string_view{filter.type});
  return list<campaign>(sql::list_campaigns, sql::count_campaigns, std::move(values), at, read_campaign);
}

result<std::vector<campaign>> pg_reader::unfinished_campaigns() {
  return read<std::vector<campaign>>(false, [&](session& in) -> result<std::vector<campaign>> {
    std::vector<campaign> out;
    each(in.run(sql::unfinished_campaigns), [&](column_cursor& at) { out.push_back(read_campaign(at)); });
    return out;
  });
}

result<campaign_response> pg_reader::find_response(response_id id) {
  return read<campaign_response>(false, [&](session& in) -> result<campaign_response> {
    auto found = in.run(sql::response_by_id, parameters{}.add(id.value));
    if (found.empty()) return fail(errc::not_found, "there is no such response");
    column_cursor at{found[0]};
    return read_campaign_response(at);
  });
}

result<page<response>> pg_reader::responses(const response_filter& filter, const page_request& at) {
  parameters values;
  values.add_nonzero(filter.campaign.value).add_nonzero(filter.user.value);
  filter.answer ? values.add(std::int64_t{static_cast<unsigned char>(*filter.answer)}) : values.add_null();
  // How many responses a campaign has is known without counting a million of them.
  const bool whole = filter.campaign && !filter.user && !filter.answer;
  const auto& count = whole ? sql::count_dispatched : sql::count_responses;
  auto stored = list<response_row>(sql::list_responses, count, std::move(values), at, read_response_row);
  if (!stored) return stored.error();
  // A campaign's terms are not read with each of its responses, and again only with another version.
  if (campaigns_.size() > max_known_campaigns) campaigns_.clear();
  std::set<campaign_id> stale;
  for (const auto& row : stored->items)
    if (auto known = campaigns_.find(row.stored.campaign);
        known == campaigns_.end() || known->second.version != row.campaign_version)
      stale.insert(row.stored.campaign);
  if (auto fine = read_campaigns(stale); !fine) return fine.error();
  page<response> out;
  out.total = stored->total;
  out.more = stored->more;
  out.items.reserve(stored->items.size());
  for (auto& row : stored->items) {
    const auto& of = campaigns_.at(row.stored.campaign);
    out.items.push_back(presented(std::move(row.stored), of, row.queued));
  }
  return out;
}

result<void> pg_reader::read_campaigns(const std::set<campaign_id>& ids) {
  if (ids.empty()) return {};
  return read<void>(false, [&](session& in) -> result<void> {
    auto array = array_of(ids, [](campaign_id id) { return id.value; });
    each(in.run(sql::campaigns_by_id, parameters{}.add(array)), [&](column_cursor& row) {
      auto c = read_campaign(row);
      campaigns_.insert_or_assign(c.id, std::move(c));
    });
    return {};
  });
}

result<std::vector<campaign_response>> pg_reader::open_responses(user_id id) {
  return read<std::vector<campaign_response>>(false, [&](session& in) -> result<std::vector<campaign_response>> {
    std::vector<campaign_response> out;
    each(in.run(sql::open_responses, parameters{}.add(id.value)),
         [&](column_cursor& at) { out.push_back(read_campaign_response(at)); });
    return out;
  });
}

result<std::vector<membership>> pg_reader::memberships(std::span<const user_id> of) {
  return read<std::vector<membership>>(false, [&](session& in) -> result<std::vector<membership>> {
    std::vector<membership> out;
    auto ids = array_of(of, [](user_id id) { return id.value; });
    each(in.run(sql::memberships, parameters{}.add(ids)), [&](column_cursor& at) {
      const auto user = at.id<user_id>();
      out.push_back({user, at.id<campaign_id>()});
    });
    return out;
  });
}

result<std::vector<dispatched_response>> pg_reader::dispatched(campaign_id id, response_id after, int limit,
                                                               bool pending_only) {
  return read<std::vector<dispatched_response>>(false, [&](session& in) -> result<std::vector<dispatched_response>> {
    std::vector<dispatched_response> out;
    parameters values;
    values.add(id.value).add(after.value).add(std::int64_t{limit});
    each(in.run(pending_only ? sql::dispatched_pending : sql::dispatched, values), [&](column_cursor& at) {
      dispatched_response r;
      r.id = at.id<response_id>();
      r.user = at.id<user_id>();
      r.capacity_w = at.number();
      r.answer = at.enumerator<answer>();
      r.version = at.number();
      out.push_back(r);
    });
    return out;
  });
}

result<reduction_check> pg_reader::find_check(check_id id) {
  return read<reduction_check>(false, [&](session& in) -> result<reduction_check> {
    auto found = in.run(sql::check_by_id, parameters{}.add(id.value));
    if (found.empty()) return fail(errc::not_found, "there is no such reduction check");
    column_cursor at{found[0]};
    return read_check(at);
  });
}

result<page<reduction_check>> pg_reader::checks(const check_filter& filter, const page_request& at) {
  parameters values;
  values.add_nonzero(filter.campaign.value).add_nonzero(filter.user.value);
  return list<reduction_check>(sql::list_checks, sql::count_checks, std::move(values), at, read_check);
}

result<page<ledger_entry>> pg_reader::ledger(user_id id, const page_request& at) {
  return list<ledger_entry>(sql::list_entries, sql::count_entries, parameters{}.add(id.value), at, read_entry);
}

result<std::vector<event>> pg_reader::events(const event_filter& filter) {
  return read<std::vector<event>>(false, [&](session& in) -> result<std::vector<event>> {
    std::vector<event> out;
    parameters values;
    values.add(filter.after).add_nonzero(filter.campaign.value).add_nonzero(filter.user.value);
    filter.type.empty() ? values.add_null() : values.add(std::string_view{filter.type});
    values.add(std::int64_t{filter.limit});
    each(in.run(sql::list_events, values), [&](column_cursor& at) { out.push_back(read_event(at)); });
    return out;
  });
}

result<std::vector<event>> pg_reader::last_events(int limit) {
  return read<std::vector<event>>(false, [&](session& in) -> result<std::vector<event>> {
    std::vector<event> out;
    each(in.run(sql::last_events, parameters{}.add(std::int64_t{limit})),
         [&](column_cursor& at) { out.push_back(read_event(at)); });
    return out;
  });
}

result<std::vector<statement_row>> pg_reader::statement(campaign_id id, response_id after, int limit) {
  return read<std::vector<statement_row>>(true, [&](session& in) -> result<std::vector<statement_row>> {
    std::vector<statement_row> out;
    auto found = in.run(sql::campaigns_by_id, parameters{}.add("{" + std::to_string(id.value) + "}"));
    if (found.empty()) return out;
    column_cursor first{found[0]};
    auto of = read_campaign(first);
    parameters values;
    values.add(id.value).add(after.value).add(std::int64_t{limit});
    each(in.run(sql::statement_rows, values), [&](column_cursor& at) {
      statement_row row;
      auto stored = read_response(at);
      row.response = presented(std::move(stored), of, at.flag());
      row.cust_no = at.text();
      if (at.flag()) row.check = read_check(at);
      out.push_back(std::move(row));
    });
    return out;
  });
}

result<user_id> pg_reader::user_of_token(const std::string& token_hash) {
  return read<user_id>(false, [&](session& in) -> result<user_id> {
    auto found = in.run(sql::user_of_token, parameters{}.add(std::string_view{token_hash}));
    if (found.empty()) return fail(errc::not_found, "nobody has this token");
    return user_id{column_cursor{found[0]}.number()};
  });
}

result<std::optional<keyed_answer>> pg_reader::find_keyed(const std::string& principal, const std::string& method,
                                                          const std::string& path, const std::string& key,
                                                          time_point now) {
  return read<std::optional<keyed_answer>>(false, [&](session& in) -> result<std::optional<keyed_answer>> {
    parameters values;
    values.add(std::string_view{principal}).add(std::string_view{method}).add(std::string_view{path});
    values.add(std::string_view{key}).add(now - key_lifetime);
    auto found = in.run(sql::find_keyed, values);
    if (found.empty()) return std::optional<keyed_answer>{};
    column_cursor at{found[0]};
    keyed_answer kept;
    kept.body_hash = at.text();
    kept.answer = at.text();
    return std::optional{std::move(kept)};
  });
}

result<std::vector<due_check>> pg_reader::due_checks(time_point now, int limit) {
  return read<std::vector<due_check>>(false, [&](session& in) -> result<std::vector<due_check>> {
    std::vector<due_check> out;
    each(in.run(sql::due_checks, parameters{}.add(now).add(std::int64_t{limit})), [&](column_cursor& at) {
      auto id = at.id<response_id>();
      out.push_back({id, static_cast<int>(at.number())});
    });
    return out;
  });
}

result<std::vector<due_check>> pg_reader::expired_parked(time_point ended_before, int limit) {
  return read<std::vector<due_check>>(false, [&](session& in) -> result<std::vector<due_check>> {
    std::vector<due_check> out;
    auto values = parameters{}.add(ended_before).add(std::int64_t{limit});
    each(in.run(sql::expired_parked, values), [&](column_cursor& at) {
      auto id = at.id<response_id>();
      out.push_back({id, static_cast<int>(at.number())});
    });
    return out;
  });
}

result<std::optional<time_point>> pg_reader::next_check_due() {
  return read<std::optional<time_point>>(false, [&](session& in) -> result<std::optional<time_point>> {
    auto found = in.run(sql::next_check_due);
    return found.empty() ? std::optional<time_point>{} : column_cursor{found[0]}.optional_time();
  });
}

result<std::vector<check_material>> pg_reader::check_materials(std::span<const response_id> ids) {
  return read<std::vector<check_material>>(
      true, [&](session& in) -> result<std::vector<check_material>> { return read_materials(ids, in.runner()); });
}

result<std::vector<history_state>> pg_reader::history(user_id after, int limit, korean_day from, korean_day to) {
  return read<std::vector<history_state>>(false, [&](session& in) -> result<std::vector<history_state>> {
    std::vector<history_state> out;
    parameters values;
    values.add(after.value).add(std::int64_t{limit}).add(day_number(from)).add(day_number(to));
    // One row per user and closed day, or one without a day.
    each(in.run(sql::history, values), [&](column_cursor& at) {
      auto id = at.id<user_id>();
      auto cust_no = at.text();
      if (out.empty() || out.back().user != id) out.push_back({id, std::move(cust_no), {}});
      if (auto day = at.optional_number()) out.back().closed.insert(korean_day{std::chrono::days{*day}});
    });
    return out;
  });
}

result<overview_counts> pg_reader::overview() {
  return read<overview_counts>(false, [&](session& in) -> result<overview_counts> {
    auto found = in.run(sql::overview);
    column_cursor at{found[0]};
    overview_counts counts;
    counts.enrolled = at.number();
    counts.checks_pending = at.number();
    counts.checks_parked = at.number();
    return counts;
  });
}

result<std::vector<parked_check>> pg_reader::parked_checks(int limit) {
  return read<std::vector<parked_check>>(false, [&](session& in) -> result<std::vector<parked_check>> {
    std::vector<parked_check> out;
    each(in.run(sql::parked_checks, parameters{}.add(std::int64_t{limit})), [&](column_cursor& at) {
      parked_check one;
      one.response = at.id<response_id>();
      one.campaign = at.id<campaign_id>();
      one.user = at.id<user_id>();
      one.user_name = at.text();
      one.since = at.time();
      one.attempts = static_cast<int>(at.number());
      one.reason = at.text();
      out.push_back(std::move(one));
    });
    return out;
  });
}

result<check_queue> pg_reader::queue_of_checks() {
  return read<check_queue>(false, [&](session& in) -> result<check_queue> {
    check_queue out;
    each(in.run(sql::parked_by_campaign), [&](column_cursor& at) {
      auto campaign = at.id<campaign_id>();
      auto count = at.number();
      out.parked.push_back({campaign, count, at.time()});
    });
    column_cursor at{in.run(sql::next_check_due)[0]};
    if (auto due = at.optional_time()) out.oldest_due = *due;
    return out;
  });
}

result<void> pg_reader::ping() {
  return read<void>(false, [&](session& in) -> result<void> {
    in.run(sql::ping);
    return {};
  });
}

std::string like_prefix(std::string_view text) {
  std::string pattern;
  for (char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

} // namespace dr::storage
