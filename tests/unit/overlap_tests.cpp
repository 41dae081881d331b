#include "domain/overlap.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

namespace {

campaign ended_campaign(std::int64_t id, int from_hour, int to_hour) {
  campaign c;
  c.id = campaign_id{id};
  c.status = campaign_status::end;
  c.starts_at = at(event_day, from_hour);
  c.ended_at = at(event_day, to_hour);
  c.frozen = true;
  return c;
}

response accepted() {
  response r;
  r.answer = answer::accept;
  return r;
}

const auto mine = ended_campaign(5, 14, 16);

} // namespace

TEST_CASE("a check waits for an open check of an overlapping campaign that credits first", "[unit][overlap]") {
  auto earlier = ended_campaign(9, 13, 15);
  CHECK(waits_for(mine, earlier, accepted(), true, false));
  CHECK_FALSE(waits_for(earlier, mine, accepted(), true, false));
}

TEST_CASE("a check does not wait for one that is settled, parked or unverifiable", "[unit][overlap]") {
  CHECK_FALSE(waits_for(mine, ended_campaign(9, 13, 15), accepted(), false, false));
}

TEST_CASE("a check waits at most until its deadline", "[unit][overlap]") {
  CHECK_FALSE(waits_for(mine, ended_campaign(9, 13, 15), accepted(), true, true));
}

TEST_CASE("windows that only touch do not overlap", "[unit][overlap]") {
  CHECK_FALSE(waits_for(mine, ended_campaign(9, 13, 14), accepted(), true, false));
  auto one_minute_more = ended_campaign(9, 13, 14);
  *one_minute_more.ended_at += 1min; // widened to its quarter hour
  CHECK(waits_for(mine, one_minute_more, accepted(), true, false));
}

TEST_CASE("only accepts are waited for, turned ones too", "[unit][overlap]") {
  auto earlier = ended_campaign(9, 13, 15);
  auto r = accepted();
  r.answer = answer::deny;
  CHECK_FALSE(waits_for(mine, earlier, r, true, false));
  r.turned = true;
  CHECK(waits_for(mine, earlier, r, true, false));
  r = accepted();
  r.answer = answer::ignore;
  CHECK_FALSE(waits_for(mine, earlier, r, true, false));
}

TEST_CASE("tests and canceled campaigns are not waited for", "[unit][overlap]") {
  auto earlier = ended_campaign(9, 13, 15);
  earlier.test = true;
  CHECK_FALSE(waits_for(mine, earlier, accepted(), true, false));
  earlier.test = false;
  earlier.status = campaign_status::canceled;
  CHECK_FALSE(waits_for(mine, earlier, accepted(), true, false));
}

TEST_CASE("a voluntary check waits for a later mandatory one", "[unit][overlap]") {
  auto voluntary = mine;
  voluntary.terms.mandatory = false;
  auto later = ended_campaign(9, 15, 17);
  CHECK(waits_for(voluntary, later, accepted(), true, false));
  CHECK_FALSE(waits_for(mine, later, accepted(), true, false));
}

TEST_CASE("an open campaign without an end may still reach any later hour", "[unit][overlap]") {
  campaign open;
  open.id = campaign_id{1};
  open.status = campaign_status::running;
  open.starts_at = at(event_day, 9);
  CHECK(waits_for(mine, open, accepted(), true, false));
  open.ends_at = at(event_day, 11);
  CHECK_FALSE(waits_for(mine, open, accepted(), true, false));
}

TEST_CASE("a spread is pro rata in whole Wh, the largest remainders first", "[unit][overlap]") {
  auto t = at(event_day, 14);
  std::vector<credited_quarter> weights{{t, 1}, {t + 15min, 1}, {t + 30min, 0}, {t + 45min, -5}, {t + 60min, 1}};
  CHECK(spread_credit(2, weights) == std::vector<credited_quarter>{{t, 1}, {t + 15min, 1}});
  CHECK(spread_credit(3, weights) == std::vector<credited_quarter>{{t, 1}, {t + 15min, 1}, {t + 60min, 1}});
  CHECK(spread_credit(10, {{{t, 30}, {t + 15min, 10}}}) == std::vector<credited_quarter>{{t, 8}, {t + 15min, 2}});
  CHECK(spread_credit(0, weights).empty());
  CHECK(spread_credit(5, {}).empty());
}

TEST_CASE("what is left may be negative, and negatives do not count", "[unit][overlap]") {
  auto t = at(event_day, 14);
  std::vector<credited_quarter> taken{{t, 60}, {t, 60}, {t + 24h, 7}};
  auto left = what_is_left({{t, 100}, {t + 15min, 50}, {t + 30min, -10}}, {.first = taken});
  CHECK(left == std::vector<credited_quarter>{{t, -20}, {t + 15min, 50}, {t + 30min, -10}});
  CHECK(positive_sum_wh(left) == 50);
}

TEST_CASE("verified again, a campaign keeps what it had against those that came behind it", "[unit][overlap]") {
  auto t = at(event_day, 14);
  const credited_before now{.first = {{t, 10}}, .behind = {{t, 30}}, .own = {{t, 50}}};
  auto left = [&](std::int64_t reduced) { return what_is_left({{t, reduced}}, now).front().wh; };
  CHECK(left(60) == 50); // as before: 10 + 50, and the 30 of one with a larger reduction
  CHECK(left(95) == 55); // more was reduced: 95 − 10 − 30
  CHECK(left(40) == 30); // less was reduced: no more than that, less what goes before
  CHECK(left(5) < 0);    // nothing
  CHECK(what_is_left({{t, 60}}, {.behind = {{t, 30}}}).front().wh == 30); // for the first time: what is settled stands
}

TEST_CASE("a check waits for an answer that may still come, where it matters", "[unit][overlap]") {
  campaign open;
  open.id = campaign_id{9};
  open.status = campaign_status::running;
  open.starts_at = at(event_day, 13);
  open.ends_at = at(event_day, 17);
  response silent;                                   // ignore, so far
  CHECK(waits_for(mine, open, silent, true, false)); // it would credit first
  open.ends_at = at(event_day, 14);
  CHECK_FALSE(waits_for(mine, open, silent, true, false)); // it does not overlap
  CHECK(may_decide_adjustment(mine, open));                // but may be the day's first event
  CHECK_FALSE(may_decide_adjustment(open, mine));
  auto other = open;
  other.frozen = true;
  CHECK_FALSE(may_decide_adjustment(mine, other));
  other = open;
  other.test = true;
  CHECK_FALSE(may_decide_adjustment(mine, other));
  other = open;
  other.starts_at = at(event_day, 15);
  CHECK_FALSE(may_decide_adjustment(mine, other)); // it begins later
  other.starts_at = at(event_day, 13) - 24h;
  CHECK_FALSE(may_decide_adjustment(mine, other)); // another day's
}
