#include "storage/engine/apply.hpp"
#include "storage/engine/event_data.hpp"

namespace dr::storage::rules {

namespace {

error no_such_response() { return fail(errc::not_found, "there is no such response"); }

response as_seen(const response& stored, const campaign& of, rows& over) {
  bool queued = of.frozen && over.find_queued(stored.id);
  return presented(stored, of, queued);
}

/// What one answer means for the campaign's numbers; `sign` −1 takes it back.
void count_answer(campaign_counts& counts, const response& r, std::int64_t sign) {
  if (r.answer == answer::accept) {
    counts.accept += sign;
    counts.committed_w += sign * r.capacity_w;
  } else if (r.answer == answer::deny) {
    counts.deny += sign;
  }
}

} // namespace

result<written> apply(const choose_answer& what, rows& over, events_out& events) {
  const auto* found = over.find_response(what.id);
  if (!found) return no_such_response();
  const auto* of = over.find_campaign(found->campaign);
  if (!of) return no_such_response();
  auto before = *found;
  if (auto allowed = may_answer(*of, before, what.answer, what.at); !allowed) return allowed.error();
  bool same = what.answer == before.answer || (before.turned && what.answer == before.frozen_answer());
  if (same) return written{response_changed{as_seen(before, *of, over), before.answer, false}};
  if (what.expected_version && *what.expected_version != before.version)
    return fail(errc::version_conflict,
                "the answer was changed in the meantime: read it again, then repeat the change");
  auto after = before;
  after.answer = what.answer;
  after.answered_at = what.at;
  ++after.version;
  campaign_counts moved;
  count_answer(moved, before, -1);
  count_answer(moved, after, +1);
  over.put(after);
  over.add_counts(after.campaign, moved);
  events.push_back(answer_event(after, before.answer, what.at));
  return written{response_changed{as_seen(after, *over.find_campaign(after.campaign), over), before.answer, true}};
}

result<written> apply(const mark_delivered& what, rows& over, events_out&) {
  const auto* found = over.find_response(what.id);
  if (!found) return no_such_response();
  const auto* of = over.find_campaign(found->campaign);
  if (!of) return no_such_response();
  auto after = *found;
  bool first = !after.delivered_at;
  if (first) {
    after.delivered_at = what.at;
    ++after.version;
    over.put(after);
    over.add_counts(after.campaign, {.delivered = 1});
  }
  return written{response_changed{as_seen(after, *over.find_campaign(after.campaign), over), after.answer, first}};
}

} // namespace dr::storage::rules
