#include "audit/campaign_books.hpp"

#include "storage/engine/event_data.hpp"

namespace dr::audit {

namespace {

place of_campaign(campaign_id id, std::int64_t event = 0) { return {{}, id, {}, {}, {}, event}; }

settlement_status settlement_of(const campaign& c) {
  if (c.status != campaign_status::end || c.test) return settlement_status::none;
  return c.frozen && c.counts.pending == 0 ? settlement_status::settled : settlement_status::verifying;
}

} // namespace

void campaign_books::count(const response_file& file) {
  const auto& r = *file.response;
  auto& n = counted_[r.campaign];
  ++n.dispatched;
  if (r.delivered_at) ++n.delivered;
  if (r.frozen_answer() == answer::accept) {
    ++n.accept;
    n.committed_w += r.capacity_w;
  } else if (r.frozen_answer() == answer::deny) {
    ++n.deny;
  }
  if (!file.check) {
    if (file.queued) ++n.pending;
    return;
  }
  const auto& check = *file.check;
  if (check.quality == check_quality::unverifiable)
    ++n.unverifiable;
  else
    ++(check.is_real ? n.real : n.unreal);
  n.reduction_wh += check.reduction_wh;
  n.credited_wh += check.credited_wh;
  n.points_credited += check.adjust_points;
}

void campaign_books::note(const event& e, findings& out) {
  auto found = campaigns_.find(e.campaign);
  if (found == campaigns_.end()) return; // a stray
  const auto& n = found->second.counts;
  auto& seen = courses_[e.campaign];
  auto once = [&](std::int64_t& seq) {
    if (seq != 0)
      out.add(finding_kind::event, of_campaign(e.campaign, e.seq), "a campaign has two " + e.type + " events", e.seq,
              seq);
    seq = e.seq;
  };
  auto tells = [&](const char* field, std::int64_t stored) {
    auto told = storage::told_number(e, field).value_or(-1);
    if (told != stored)
      out.add(finding_kind::event, of_campaign(e.campaign, e.seq),
              "the campaign's number is not what its " + e.type + " event tells (" + field + ")", stored, told);
  };
  if (e.type == event_types::dr_started) {
    once(seen.started);
  } else if (e.type == event_types::list_made) {
    once(seen.listed);
    tells("dispatched", n.dispatched);
  } else if (e.type == event_types::dr_begun) {
    once(seen.begun);
  } else if (e.type == event_types::dr_ended) {
    once(seen.ended);
  } else if (e.type == event_types::dr_canceled) {
    once(seen.canceled);
  } else if (e.type == event_types::list_saved) {
    once(seen.saved);
    tells("accept", n.accept);
    tells("deny", n.deny);
    tells("checks", found->second.test ? 0 : n.accept);
  }
}

void campaign_books::conclude(findings& out) const {
  for (const auto& [id, c] : campaigns_) {
    conclude_counts(c, out);
    conclude_course(c, out);
  }
}

void campaign_books::conclude_counts(const campaign& c, findings& out) const {
  auto found = counted_.find(c.id);
  const auto n = found == counted_.end() ? campaign_counts{} : found->second;
  auto same = [&](const char* name, std::int64_t stored, std::int64_t computed) {
    if (stored != computed)
      out.add(finding_kind::campaign_counts, of_campaign(c.id), std::string(name) + " is not what the rows come to",
              stored, computed);
  };
  same("dispatched", c.counts.dispatched, n.dispatched);
  same("delivered", c.counts.delivered, n.delivered);
  same("accept", c.counts.accept, n.accept);
  same("deny", c.counts.deny, n.deny);
  same("committedW", c.counts.committed_w, n.committed_w);
  same("real", c.counts.real, n.real);
  same("unreal", c.counts.unreal, n.unreal);
  same("unverifiable", c.counts.unverifiable, n.unverifiable);
  same("pending", c.counts.pending, n.pending);
  same("reductionWh", c.counts.reduction_wh, n.reduction_wh);
  same("creditedWh", c.counts.credited_wh, n.credited_wh);
  same("pointsCredited", c.counts.points_credited, n.points_credited);
  if (c.settlement != settlement_of(c))
    out.add(finding_kind::campaign_counts, of_campaign(c.id), "the settlement's state is not what its checks come to",
            to_string(c.settlement), to_string(settlement_of(c)));
}

void campaign_books::conclude_course(const campaign& c, findings& out) const {
  auto found = courses_.find(c.id);
  const auto seen = found == courses_.end() ? course{} : found->second;
  auto expect = [&](const char* type, std::int64_t seq, bool there) {
    if (there != (seq != 0))
      out.add(finding_kind::event, of_campaign(c.id, seq),
              there ? std::string("no ") + type + " event explains the campaign's state"
                    : std::string("a ") + type + " event does not fit the campaign's state",
              to_string(c.status), type);
  };
  bool is_end = c.status == campaign_status::end;
  expect(event_types::dr_started, seen.started, true);
  expect(event_types::list_made, seen.listed, true);
  expect(event_types::dr_ended, seen.ended, is_end);
  expect(event_types::dr_canceled, seen.canceled, c.status == campaign_status::canceled);
  expect(event_types::list_saved, seen.saved, is_end && c.frozen);
  std::int64_t before = 0;
  for (auto seq : {seen.started, seen.listed, seen.begun, seen.ended, seen.saved}) {
    if (seq != 0 && seq < before)
      out.add(finding_kind::event, of_campaign(c.id, seq), "a campaign's events are out of their order", seq, before);
    before = std::max(before, seq);
  }
}

} // namespace dr::audit
