#include "storage/check_input.hpp"
#include "storage/engine/apply.hpp"
#include "storage/engine/material_days.hpp"
#include "storage/postgres/json_columns.hpp"
#include "storage/postgres/pg_reader.hpp"
#include "storage/postgres/queries.hpp"

#include <algorithm>
#include <unordered_map>

namespace dr::storage {

namespace {

using runner = std::function<pqxx::result(const statement&, const parameters&)>;
using by_response = std::map<response_id, check_material>;

by_response read_jobs(std::span<const response_id> ids, const runner& run) {
  array_literal wanted;
  for (auto id : ids) wanted.add(id.value);
  by_response all;
  for (const auto& row : run(sql::material_jobs, parameters{}.add(wanted))) {
    column_cursor at{row};
    auto response = read_response(at);
    at.flag(); // queued, of course
    auto cust_no = at.text();
    auto m = begun_material(read_queued(at));
    m.credited = decode_spread(at.view());
    m.check = at.id<check_id>();
    m.response = std::move(response);
    m.cust_no = std::move(cust_no);
    all.emplace(m.response.id, std::move(m));
  }
  return all;
}

void read_campaigns(const std::set<campaign_id>& ids, std::map<campaign_id, campaign>& into, const runner& run) {
  array_literal wanted;
  bool any = false;
  for (auto id : ids) {
    if (into.contains(id)) continue;
    wanted.add(id.value);
    any = true;
  }
  if (!any) return;
  for (const auto& row : run(sql::campaigns_by_id, parameters{}.add(wanted))) {
    column_cursor at{row};
    auto c = read_campaign(at);
    into[c.id] = std::move(c);
  }
}

struct stored_neighbour {
  response_id of;
  neighbour found;
  bool queued = false;
};

std::vector<stored_neighbour> read_neighbours(std::span<const response_id> wanted, const by_response& all,
                                              const runner& run) {
  array_literal ids;
  array_literal users;
  array_literal first;
  array_literal last;
  for (auto id : wanted) {
    const auto& m = all.at(id);
    auto range = material_days(m);
    ids.add(id.value);
    users.add(m.response.user.value);
    first.add(start_of(range.first));
    last.add(start_of(range.last + std::chrono::days{1}));
  }
  std::vector<stored_neighbour> out;
  parameters values;
  values.add(ids).add(users).add(first).add(last);
  for (const auto& row : run(sql::material_neighbours, values)) {
    column_cursor at{row};
    stored_neighbour n;
    n.of = at.id<response_id>();
    n.found.response = read_response(at);
    n.queued = at.flag();
    n.found.check_open = at.flag();
    n.found.spread = decode_spread(at.view());
    n.found.check = at.id<check_id>();
    out.push_back(std::move(n));
  }
  return out;
}

void add_neighbours(std::span<const response_id> wanted, by_response& all, std::map<campaign_id, campaign>& campaigns,
                    const runner& run) {
  auto neighbours = read_neighbours(wanted, all, run);
  std::set<campaign_id> theirs;
  for (const auto& n : neighbours) theirs.insert(n.found.response.campaign);
  read_campaigns(theirs, campaigns, run);
  for (auto& n : neighbours) {
    n.found.campaign = campaigns.at(n.found.response.campaign);
    n.found.response = presented(std::move(n.found.response), n.found.campaign, n.queued);
    n.found.check_open = n.found.check_open || !n.found.campaign.frozen;
    all.at(n.of).neighbours.push_back(std::move(n.found));
  }
}

void read_days(by_response& all, const runner& run) {
  array_literal columns[6];
  std::unordered_map<response_id, quarter_span> parts;
  for (const auto& [id, m] : all) {
    if (m.cust_no.empty()) continue;
    auto range = material_days(m);
    auto part = m.fresh ? quarter_span{} : quarters_looked_at(input_of(m, {}));
    columns[0].add(id.value);
    columns[1].add(std::string_view{m.cust_no});
    columns[2].add(day_number(range.first));
    columns[3].add(day_number(range.last));
    columns[4].add(part.first + 1);
    columns[5].add(part.first + part.count);
    parts.emplace(id, part);
  }
  parameters values;
  for (auto& column : columns) values.add(column);
  for (const auto& row : run(sql::material_days, values)) {
    column_cursor at{row};
    auto of = at.id<response_id>();
    korean_day day{std::chrono::days{at.number()}};
    stored_day stored;
    stored.closed = at.flag();
    stored.fetched_at = at.time();
    stored.profile = read_profile(at.view(), stored.closed ? parts.at(of) : quarter_span{});
    all.at(of).days.emplace(day, stored);
  }
}

} // namespace

std::vector<check_material> read_materials(std::span<const response_id> ids, const runner& run) {
  auto all = read_jobs(ids, run);
  if (all.empty()) return {};
  std::map<campaign_id, campaign> campaigns;
  std::set<campaign_id> wanted;
  for (const auto& [id, m] : all) wanted.insert(m.response.campaign);
  read_campaigns(wanted, campaigns, run);
  std::vector<response_id> without_neighbours;
  for (auto& [id, m] : all) {
    m.campaign = campaigns.at(m.response.campaign);
    m.response = presented(std::move(m.response), m.campaign, true);
    m.first_day = usual_first_day(m.campaign);
    without_neighbours.push_back(id);
  }
  while (!without_neighbours.empty()) {
    add_neighbours(without_neighbours, all, campaigns, run);
    std::erase_if(without_neighbours, [&](response_id id) { return !look_further_back(all.at(id)); });
  }
  read_days(all, run);
  std::vector<check_material> out;
  for (auto id : ids)
    if (auto found = all.find(id); found != all.end()) {
      out.push_back(std::move(found->second));
      all.erase(found);
    }
  return out;
}

} // namespace dr::storage
