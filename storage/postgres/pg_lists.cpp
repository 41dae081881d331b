// The lists that the reader on Postgres reads page by page.
#include "storage/engine/apply.hpp"
#include "storage/postgres/pg_session.hpp"
#include "storage/postgres/queries.hpp"

#include <limits>

namespace dr::storage {

namespace {

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

/// Gives the responses of a page on while its rows come. A campaign's terms are not read with each of its responses,
/// and again only with another version. While rows come nothing else can be read: from the first one of an unknown
/// campaign on they wait.
class response_giver {
public:
  using campaigns = std::map<campaign_id, campaign>;
  response_giver(const campaigns& known, std::function<void(response)> take) : known_(known), take_(std::move(take)) {}
  void add(response_row row) {
    const auto of = known_.find(row.stored.campaign);
    if (of == known_.end() || of->second.version != row.campaign_version) unknown_.insert(row.stored.campaign);
    unknown_.empty() ? give(std::move(row)) : waiting_.push_back(std::move(row));
  }
  /// The campaigns that rows wait for.
  const std::set<campaign_id>& unknown() const { return unknown_; }
  /// Gives the rows that wait; their campaigns are known now.
  void give_waiting() {
    for (auto& row : waiting_) give(std::move(row));
  }

private:
  void give(response_row row) {
    const auto& of = known_.at(row.stored.campaign);
    take_(presented(std::move(row.stored), of, row.queued));
  }

  const campaigns& known_;
  const std::function<void(response)> take_;
  std::set<campaign_id> unknown_;
  std::vector<response_row> waiting_;
};

/// Campaigns that a reader keeps between two pages of responses.
constexpr std::size_t max_known_campaigns = 1'000;
/// From so many rows on, to decode and use them while the next ones come gains more than planning the statement anew
/// costs (0.4 ms against 1.5 µs a row).
constexpr int streamed_page = 250;

/// The values of a page's statement: the filter, behind which id, how many (one more, to know whether there are more),
/// and how many not.
parameters paged(parameters filter, const page_request& at) {
  const auto skip =
      at.after > 0 ? 0 : std::min(at.number, std::numeric_limits<std::int64_t>::max() / at.size) * at.size;
  filter.add(at.after).add(std::int64_t{at.size} + 1).add(skip);
  return filter;
}

} // namespace

template <class T>
result<page<T>> pg_reader::list(const dr::storage::statement& rows, const dr::storage::statement& count,
                                const parameters& filter, const page_request& at,
                                const std::function<T(column_cursor&)>& make) {
  const bool keyset = at.after > 0;
  return read<page<T>>(!keyset, [&](session& in) -> result<page<T>> {
    page<T> out;
    if (!keyset) out.total = column_cursor{in.run(count, filter)[0]}.number();
    const auto found = in.run(rows, paged(filter, at));
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

result<page<user>> pg_reader::users(const user_filter& filter, const page_request& at) {
  parameters values;
  filter.name_prefix.empty() ? values.add_null() : values.add(std::string_view{like_prefix(filter.name_prefix)});
  filter.enrolled ? values.add_flag(*filter.enrolled) : values.add_null();
  return list<user>(sql::list_users, sql::count_users, values, at, read_user);
}

result<page<campaign>> pg_reader::campaigns(const campaign_filter& filter, const page_request& at) {
  parameters values;
  filter.status ? values.add(std::int64_t{static_cast<unsigned char>(*filter.status)}) : values.add_null();
  filter.type.empty() ? values.add_null() : values.add(std::string_view{filter.type});
  if (!filter.user) return list<campaign>(sql::list_campaigns, sql::count_campaigns, values, at, read_campaign);
  values.add(filter.user.value);
  return list<campaign>(sql::list_campaigns_of_user, sql::count_campaigns_of_user, values, at, read_campaign);
}

result<page_end> pg_reader::each_response(const response_filter& filter, const page_request& at,
                                          const std::function<void(response)>& take) {
  parameters values;
  values.add_nonzero(filter.campaign.value).add_nonzero(filter.user.value);
  filter.answer ? values.add(std::int64_t{static_cast<unsigned char>(*filter.answer)}) : values.add_null();
  // How many responses campaigns have is known without counting a million of them.
  const auto& count = filter.user || filter.answer ? sql::count_responses : sql::count_dispatched;
  const bool keyset = at.after > 0;
  bool began = false;
  return read<page_end>(!keyset, [&](session& in) -> result<page_end> {
    if (began) return outside_view(failure::lost); // what was given cannot be taken back
    page_end out;
    if (!keyset) out.total = column_cursor{in.run(count, values)[0]}.number();
    if (campaigns_.size() > max_known_campaigns) campaigns_.clear();
    response_giver rows(campaigns_, [&](response one) {
      began = true;
      take(std::move(one));
    });
    int seen = 0;
    const row_taker next = [&](column_cursor& columns) {
      if (seen++ < at.size)
        rows.add(read_response_row(columns));
      else
        out.more = true;
    };
    if (at.size >= streamed_page)
      in.stream(sql::list_responses, paged(values, at), next);
    else
      each(in.run(sql::list_responses, paged(values, at)), next);
    if (!rows.unknown().empty()) read_campaigns(in, rows.unknown());
    rows.give_waiting();
    return out;
  });
}

void pg_reader::read_campaigns(session& in, const std::set<campaign_id>& ids) {
  auto array = array_of(ids, [](campaign_id id) { return id.value; });
  each(in.run(sql::campaigns_by_id, parameters{}.add(array)), [&](column_cursor& row) {
    auto c = read_campaign(row);
    campaigns_.insert_or_assign(c.id, std::move(c));
  });
}

result<page<reduction_check>> pg_reader::checks(const check_filter& filter, const page_request& at) {
  parameters values;
  values.add_nonzero(filter.campaign.value).add_nonzero(filter.user.value);
  return list<reduction_check>(sql::list_checks, sql::count_checks, values, at, read_check);
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

std::string like_prefix(std::string_view text) {
  std::string pattern;
  for (char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

} // namespace dr::storage
