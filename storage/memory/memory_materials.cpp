// The material of a verification, from the store in memory.
#include "storage/engine/material_days.hpp"
#include "storage/memory/memory_writer.hpp"

namespace dr::storage {

namespace {

void add_neighbour(memory_state& s, response_id id, const day_range& range, std::vector<neighbour>& out) {
  const auto& r = s.responses.at(id);
  const auto& c = s.campaigns.at(r.campaign);
  if (c.frozen && r.frozen_answer() != answer::accept) return;
  auto day = korean_day_of(c.starts_at);
  if (c.status == campaign_status::canceled || c.test || day < range.first || day > range.last) return;
  neighbour n{c, s.seen(r), !c.frozen, {}, {}};
  if (auto job = s.queue.find(id); job != s.queue.end() && !job->second.parked) n.check_open = true;
  if (auto check = s.check_of.find(id); check != s.check_of.end()) {
    n.spread = s.checks.at(check->second).spread;
    n.check = check->second;
  }
  out.push_back(std::move(n));
}

} // namespace

check_material material_of(memory_state& s, const queued_check& job) {
  auto m = begun_material(job);
  const auto& r = s.responses.at(job.response);
  m.campaign = s.campaigns.at(r.campaign);
  m.response = s.seen(r);
  m.cust_no = s.users.at(r.user).user.cust_no;
  if (auto settled = s.check_of.find(r.id); job.revision > 1 && settled != s.check_of.end()) {
    m.credited = s.checks.at(settled->second).spread;
    m.check = settled->second;
  }
  m.first_day = usual_first_day(m.campaign);
  do {
    for (auto other : s.responses_of_user[r.user])
      if (other != r.id) add_neighbour(s, other, material_days(m), m.neighbours);
  } while (look_further_back(m));
  auto range = material_days(m);
  if (m.cust_no.empty()) return m;
  for (auto day = s.days.lower_bound({m.cust_no, range.first}); day != s.days.end(); ++day) {
    if (day->first.first != m.cust_no || day->first.second > range.last) break;
    m.days.emplace(day->first.second, day->second);
  }
  return m;
}

} // namespace dr::storage
