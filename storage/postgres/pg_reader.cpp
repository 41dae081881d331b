// What the reader on Postgres reads by key or as a whole; its pages are in pg_lists.cpp.
#include "storage/engine/apply.hpp"
#include "storage/postgres/pg_session.hpp"
#include "storage/postgres/queries.hpp"

namespace dr::storage {

namespace {

/// A response with the campaign it belongs to, as `DR_RESPONSE_COLUMNS`, whether it is queued, `DR_CAMPAIGN_COLUMNS`.
campaign_response read_campaign_response(column_cursor& at) {
  auto stored = read_response(at);
  bool queued = at.flag();
  campaign_response out;
  out.campaign = read_campaign(at);
  out.response = presented(std::move(stored), out.campaign, queued);
  return out;
}

} // namespace

pg_reader::pg_reader(postgres_options options)
    : connection_(options, "reader", options.statement_timeout, workload::reads) {}

result<user> pg_reader::find_user(user_id id) {
  return read<user>(false, [&](session& in) -> result<user> {
    auto found = in.run(sql::user_by_id, parameters{}.add(id.value));
    if (found.empty()) return fail(errc::not_found, "there is no such user");
    column_cursor at{found[0]};
    return read_user(at);
  });
}

result<campaign> pg_reader::find_campaign(campaign_id id) {
  return read<campaign>(false, [&](session& in) -> result<campaign> {
    auto found = in.run(sql::campaigns_by_id, parameters{}.add("{" + std::to_string(id.value) + "}"));
    if (found.empty()) return fail(errc::not_found, "there is no such campaign");
    column_cursor at{found[0]};
    return read_campaign(at);
  });
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

result<std::vector<campaign_response>> pg_reader::open_responses(user_id id) {
  return read<std::vector<campaign_response>>(false, [&](session& in) -> result<std::vector<campaign_response>> {
    std::vector<campaign_response> out;
    each(in.run(sql::open_responses, parameters{}.add(id.value)),
         [&](column_cursor& at) { out.push_back(read_campaign_response(at)); });
    return out;
  });
}

result<std::vector<user_id>> pg_reader::part_of(campaign_id id, std::span<const user_id> users) {
  return read<std::vector<user_id>>(false, [&](session& in) -> result<std::vector<user_id>> {
    std::vector<user_id> out;
    auto ids = array_of(users, [](user_id user) { return user.value; });
    each(in.run(sql::part_of, parameters{}.add(id.value).add(ids)),
         [&](column_cursor& at) { out.push_back(at.id<user_id>()); });
    return out;
  });
}

result<std::vector<dispatched_response>> pg_reader::dispatched(campaign_id id, response_id after, int limit) {
  return read<std::vector<dispatched_response>>(false, [&](session& in) -> result<std::vector<dispatched_response>> {
    std::vector<dispatched_response> out;
    parameters values;
    values.add(id.value).add(after.value).add(std::int64_t{limit});
    auto rows = in.run(sql::dispatched_open, values);
    if (rows.empty()) rows = in.run(sql::dispatched_queued, values); // it is over, or there are no more
    each(rows, [&](column_cursor& at) {
      dispatched_response r;
      r.id = at.id<response_id>();
      r.user = at.id<user_id>();
      r.capacity_w = at.number();
      r.answer = at.enumerator<answer>();
      r.version = at.number();
      r.answered_at = at.optional_time();
      r.delivered_at = at.optional_time();
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
    // One row per user and day, or one without a day.
    each(in.run(sql::history, values), [&](column_cursor& at) {
      auto id = at.id<user_id>();
      auto cust_no = at.text();
      if (out.empty() || out.back().user != id) out.push_back({id, std::move(cust_no), {}, {}});
      const auto day = at.optional_number();
      const auto noted = at.optional_time();
      if (!day) return;
      const korean_day which{std::chrono::days{*day}};
      if (noted)
        out.back().noted.emplace(which, *noted);
      else
        out.back().closed.insert(which);
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

} // namespace dr::storage
