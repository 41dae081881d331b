#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

namespace {

/// A frozen campaign whose users all accepted.
campaign verifying(house& s, int users, std::int64_t points = 1000) {
  for (int i = 0; i < users; ++i) s.enrol("user " + std::to_string(i), 400'000, points);
  auto c = s.open();
  for (const auto& r : s.read().responses({c.id, {}, {}}, {0, 0, 1000}).value().items)
    s.must<response_changed>(choose_answer{r.id, answer::accept, {}, noon(1)});
  s.end(c.id);
  return s.freeze(c.id);
}

} // namespace

TEST_CASE("a real check credits its points once, with everything that belongs to it", "[storage][checks]") {
  house s{DR_BOTH};
  auto c = verifying(s, 2);
  auto first = s.settle({1}, 383);
  CHECK(first.changed);
  CHECK(!first.campaign_settled);
  CHECK(first.points == 1383);
  CHECK(first.check.id.value == 1);
  CHECK(first.check.user_name == "user 0");
  REQUIRE(first.entries.size() == 1);
  CHECK(first.entries[0].kind == entry_kind::credit);
  CHECK(first.entries[0].amount == 383);
  CHECK(first.entries[0].balance_after == 1383);
  CHECK(first.entries[0].revision == 1);
  CHECK(first.response.verification == verification::real);
  CHECK(first.response.answer == answer::accept);
  CHECK(first.response.version == 4);
  CHECK(s.response_now({1}) == first.response);
  CHECK(s.read().find_check({1}).value() == first.check);
  CHECK(s.ledger_of({1}).back() == first.entries[0]);

  auto again = s.settle({1}, 999);
  CHECK(!again.changed);
  CHECK(again.check == first.check);
  CHECK(again.entries.empty());
  CHECK(again.points == 1383);

  auto last = s.settle({2}, 0, false);
  CHECK(last.campaign_settled);
  CHECK(last.entries.empty());
  CHECK(s.campaign_now(c.id).settlement == settlement_status::settled);
  CHECK(s.campaign_now(c.id).counts.points_credited == 383);
  CHECK(s.read().unfinished_campaigns().value().empty());
  CHECK(!s.read().next_check_due().value());
  auto types = s.event_types();
  CHECK(std::vector<std::string>(types.end() - 3, types.end()) ==
        std::vector<std::string>{"ReductionCheck", "PointChanged", "ReductionCheck"});
  s.holds();
}

TEST_CASE("an unreal check turns accept to deny, and the customer's time stays", "[storage][checks]") {
  house s{DR_BOTH};
  auto c = verifying(s, 1);
  auto broken = s.settle({1}, 0, false);
  CHECK(broken.response.answer == answer::deny);
  CHECK(broken.response.turned);
  CHECK(broken.response.frozen_answer() == answer::accept);
  CHECK(broken.response.answered_at == noon(1));
  CHECK(broken.response.verification == verification::unreal);
  CHECK(s.campaign_now(c.id).counts.accept == 1);
  CHECK(s.user_now({1}).points == 1000);
  CHECK(s.user_now({1}).version == 1);
  // The frozen answer and the present one are both "so already".
  CHECK(!s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(99)}).changed);
  CHECK(!s.must<response_changed>(choose_answer{{1}, answer::deny, {}, noon(99)}).changed);
  s.holds();
}

TEST_CASE("an unverifiable check leaves the answer and credits nothing", "[storage][checks]") {
  house s{DR_BOTH};
  auto c = verifying(s, 1);
  auto check = check_of({1}, 0, false, 1);
  check.quality = check_quality::unverifiable;
  check.spread.clear();
  auto done = s.must<check_settled>(settle_check{check});
  CHECK(done.response.answer == answer::accept);
  CHECK(!done.response.turned);
  CHECK(done.response.verification == verification::unverifiable);
  CHECK(done.campaign_settled);
  CHECK(s.campaign_now(c.id).counts.unverifiable == 1);
  s.holds();
}

TEST_CASE("a settlement and a postponement keep the days that were fetched for them", "[storage][checks]") {
  house s{DR_BOTH};
  verifying(s, 2);
  day_profile full;
  full.wh.fill(100);
  day_profile first_half = full;
  day_profile second_half = full;
  for (std::size_t i = 0; i < full.wh.size(); ++i) (i < 48 ? second_half : first_half).wh[i] = day_profile::missing;
  const auto cust_no = s.user_now({2}).cust_no;
  const korean_day day{std::chrono::days{20'634}}; // the day before the event
  s.must<done>(
      postpone_checks{{{{1}, noon(300), 1, false, "x", {{cust_no, day, first_half, false, noon(61)}}},
                       {{99}, noon(300), 1, false, "not queued", {{cust_no, day, second_half, false, noon(61)}}}},
                      noon(61)});
  auto kept = s.read().check_materials(std::vector{response_id{2}}).value().at(0).days;
  REQUIRE(kept.size() == 1);
  CHECK(kept.begin()->second.profile == full);
  CHECK(!kept.begin()->second.closed);
  s.must<check_settled>(settle_check{check_of({1}, 5, true, 1), {{cust_no, day, day_profile{}, true, noon(62)}}});
  kept = s.read().check_materials(std::vector{response_id{2}}).value().at(0).days;
  for (std::size_t i = 56; i < 60; ++i) CHECK(kept.begin()->second.profile.wh[i] == 100); // the event's hour
  CHECK(kept.begin()->second.closed);
  s.must<done>(order_recheck{s.settle({2}, 300).check.id, noon(100)}); // which is given all of it
  kept = s.read().check_materials(std::vector{response_id{2}}).value().at(0).days;
  CHECK(kept.begin()->second.profile == full);
  CHECK(kept.begin()->second.closed);
  s.holds();
}

TEST_CASE("of a kept day a check is given what its verdict looks at, and of an open day and for a recheck all",
          "[storage][checks]") {
  house s{DR_BOTH};
  verifying(s, 1); // from 14:00 to 15:00
  day_profile day;
  for (std::size_t i = 0; i < day.wh.size(); ++i) day.wh[i] = static_cast<std::int32_t>(1000 + i);
  const auto cust_no = s.user_now({1}).cust_no;
  const korean_day open{std::chrono::days{20'633}};
  const korean_day closed{std::chrono::days{20'634}};
  for (auto some : {open, closed}) s.must<done>(save_profile{cust_no, some, day, some == closed, noon(61)});
  const auto days_of_check = [&] { return s.read().check_materials(std::vector{response_id{1}}).value().at(0).days; };
  auto days = days_of_check();
  REQUIRE(days.size() == 2);
  CHECK(days.at(open).profile == day);
  for (std::size_t i = 56; i < 60; ++i) CHECK(days.at(closed).profile.wh[i] == day.wh[i]);
  CHECK(days.at(closed).closed);
  CHECK(days.at(closed).fetched_at == noon(61));
  auto first = s.settle({1}, 300);
  s.must<done>(order_recheck{first.check.id, noon(100)});
  CHECK(days_of_check().at(closed).profile == day);
}

TEST_CASE("settling what is not there fails", "[storage][checks]") {
  house s{DR_BOTH};
  CHECK(s.refused(settle_check{check_of({1}, 5, true, 1)}) == errc::not_found);
  CHECK(s.refused(order_recheck{{1}, noon()}) == errc::not_found);
  CHECK(s.refused(retry_parked{{1}, noon()}) == errc::not_found);
  CHECK(s.must<done>(postpone_checks{{{{1}, noon(), 1, true, "x"}}, noon()}).count == 0);
  CHECK(s.events().empty());
}

TEST_CASE("a recheck reverses the former credit and credits anew", "[storage][checks]") {
  house s{DR_BOTH};
  auto c = verifying(s, 1);
  auto first = s.settle({1}, 300);
  CHECK(s.must<done>(order_recheck{first.check.id, noon(100)}).count == 1);
  CHECK(s.must<done>(order_recheck{first.check.id, noon(101)}).count == 0);
  auto due = s.read().due_checks(noon(100), 5).value();
  REQUIRE(due.size() == 1);
  auto material = s.read().check_materials(std::vector{response_id{1}}).value();
  REQUIRE(material.size() == 1);
  CHECK(material[0].revision == 2);
  CHECK(material[0].fresh);
  CHECK(s.campaign_now(c.id).settlement == settlement_status::settled);

  auto second = s.settle({1}, 250, true, 2);
  CHECK(second.check.id == first.check.id);
  CHECK(second.check.revision == 2);
  CHECK(second.check.version == 2);
  CHECK(second.points == 1250);
  REQUIRE(second.entries.size() == 2);
  CHECK(second.entries[0].kind == entry_kind::credit);
  CHECK(second.entries[0].amount == 250);
  CHECK(second.entries[1].kind == entry_kind::reversal);
  CHECK(second.entries[1].amount == -300);
  CHECK(second.entries[1].reverses == first.entries[0].id);
  CHECK(!second.campaign_settled);
  CHECK(!s.settle({1}, 300, true, 2).changed);
  CHECK(!s.settle({1}, 300, true, 1).changed);
  CHECK(!s.read().next_check_due().value());

  auto third = s.settle({1}, 0, false, 3);
  CHECK(third.response.answer == answer::deny);
  CHECK(third.response.turned);
  CHECK(third.points == 1000);
  CHECK(third.entries.at(0).reverses == second.entries[0].id);
  auto fourth = s.settle({1}, 40, true, 4);
  CHECK(fourth.response.answer == answer::accept);
  CHECK(!fourth.response.turned);
  CHECK(fourth.points == 1040);
  REQUIRE(fourth.entries.size() == 1); // the credit of 250 was taken back before
  CHECK(fourth.entries[0].kind == entry_kind::credit);
  auto fifth = s.settle({1}, 40, true, 5); // the same result moves no points
  CHECK(fifth.changed);
  CHECK(fifth.entries.empty());
  CHECK(s.campaign_now(c.id).counts.real == 1);
  CHECK(s.campaign_now(c.id).counts.unreal == 0);
  s.holds();
}

TEST_CASE("what is owed from elsewhere never names a credit that was taken back before", "[storage][checks]") {
  house s{DR_BOTH};
  verifying(s, 1, 0);
  auto other = s.open();
  s.must<response_changed>(choose_answer{{2}, answer::accept, {}, noon(1)});
  s.end(other.id);
  s.freeze(other.id);
  s.settle({1}, 10);
  auto second = s.settle({2}, 7);
  s.must<ledger_entry>(withdraw_points{{1}, 7, noon(200)});
  s.settle({1}, 0, false, 2); // takes the 10 that are left
  s.settle({2}, 0, false, 2); // nothing left: 7 are owed
  REQUIRE(s.user_now({1}).owed_points == 7);
  auto again = s.settle({1}, 5, true, 3);
  REQUIRE(again.entries.size() == 2);
  CHECK(again.entries[1].amount == -5);
  CHECK(again.entries[1].reverses == again.entries[0].id);
  s.holds();
}

TEST_CASE("what a recheck cannot take back is owed, and taken from later credits", "[storage][checks]") {
  house s{DR_BOTH};
  verifying(s, 1, 0);
  s.settle({1}, 300);
  s.must<ledger_entry>(withdraw_points{{1}, 250, noon(200)});
  auto down = s.settle({1}, 100, true, 2);
  CHECK(down.points == 0);
  auto u = s.user_now({1});
  CHECK(u.points == 0);
  CHECK(u.owed_points == 150); // 300 to take back, 50 left and 100 credited anew
  s.holds();

  auto next = s.open();
  s.must<response_changed>(choose_answer{{2}, answer::accept, {}, noon(1)});
  s.end(next.id);
  s.freeze(next.id);
  auto credited = s.settle({2}, 120);
  REQUIRE(credited.entries.size() == 2);
  CHECK(credited.entries[1].kind == entry_kind::reversal);
  CHECK(credited.entries[1].amount == -120);
  CHECK(credited.entries[1].reverses == credited.entries[0].id);
  CHECK(s.user_now({1}).points == 0);
  CHECK(s.user_now({1}).owed_points == 30);
  auto up = s.settle({2}, 200, true, 2);
  CHECK(up.points == 50);
  CHECK(s.user_now({1}).owed_points == 0);
  s.holds();
}

TEST_CASE("both checks of a user, several revisions and a withdrawal in one batch come out as if in order",
          "[storage][checks]") {
  house s{DR_BOTH};
  s.enrol("samsung", 400'000, 0);
  for (int i = 0; i < 2; ++i) {
    auto c = s.open();
    s.must<response_changed>(choose_answer{{i + 1}, answer::accept, {}, noon(1)});
    s.end(c.id);
    s.freeze(c.id);
  }
  auto done = s.batch({settle_check{check_of({1}, 100, true, 1)}, withdraw_points{{1}, 60, noon(95)},
                       settle_check{check_of({1}, 20, true, 2)}, settle_check{check_of({2}, 500, true, 1)},
                       settle_check{check_of({2}, 500, true, 1)}, withdraw_points{{1}, 481, noon(96)},
                       withdraw_points{{1}, 460, noon(97)}});
  CHECK(std::get<check_settled>(*done.results[2]).points == 0);
  CHECK(std::get<check_settled>(*done.results[3]).points == 460); // 40 were owed
  CHECK(!std::get<check_settled>(*done.results[4]).changed);
  CHECK(done.results[5].error().code == errc::insufficient_points);
  CHECK(std::get<ledger_entry>(*done.results[6]).balance_after == 0);
  CHECK(s.user_now({1}).owed_points == 0);
  s.holds();
}

TEST_CASE("a batch settles hundreds of checks and the campaign with its last one", "[storage][checks]") {
  house s{DR_BOTH};
  auto c = verifying(s, 300);
  std::vector<change> all;
  for (std::int64_t id = 1; id <= 300; ++id)
    all.push_back(settle_check{check_of({id}, id % 3 ? id : 0, id % 3 != 0, 1)});
  auto done = s.batch(all);
  for (std::size_t i = 0; i < 300; ++i) {
    const auto& one = std::get<check_settled>(*done.results[i]);
    CHECK(one.campaign_settled == (i == 299));
    CHECK(one.check.id.value == static_cast<std::int64_t>(i) + 1);
  }
  CHECK(s.campaign_now(c.id).counts.real == 200);
  CHECK(s.campaign_now(c.id).settlement == settlement_status::settled);
  s.holds();
}

TEST_CASE("checks are postponed, parked, and brought back", "[storage][checks]") {
  house s{DR_BOTH};
  auto c = verifying(s, 3);
  s.must<done>(postpone_checks{{{{1}, noon(300), 2, false, "no data yet"}}, noon(61)});
  s.batch({postpone_checks{{{{2}, noon(310), 1, false, "x"}}, noon(61)},
           postpone_checks{{{{2}, noon(320), 9, true, "독 \"poison\""}}, noon(62)},
           postpone_checks{{{{2}, noon(320), 9, true, "again"}}, noon(63)}});
  auto due = s.read().due_checks(noon(1000), 5).value();
  REQUIRE(due.size() == 2);
  CHECK(due[0].id.value == 3);
  CHECK(due[1].id.value == 1);
  CHECK(due[1].attempts == 2);
  CHECK(s.read().due_checks(noon(1000), 1).value().size() == 1);
  CHECK(s.read().next_check_due().value() == noon(60));
  auto counts = s.read().overview().value();
  CHECK(counts.enrolled == 3);
  CHECK(counts.checks_pending == 2);
  CHECK(counts.checks_parked == 1);
  CHECK(s.events({0, {}, {}, "CheckParked", 5}).size() == 1);
  CHECK(s.response_now({2}).verification == verification::pending);
  CHECK(s.must<done>(retry_parked{c.id, noon(400)}).count == 1);
  CHECK(s.must<done>(retry_parked{c.id, noon(401)}).count == 0);
  due = s.read().due_checks(noon(400), 5).value();
  REQUIRE(due.size() == 3);
  CHECK(due[2].id.value == 2);
  CHECK(due[2].attempts == 0);
  s.holds();
}

TEST_CASE("a parked check can be parked and brought back in one batch", "[storage][checks]") {
  house s{DR_BOTH};
  auto c = verifying(s, 1);
  auto done = s.batch({postpone_checks{{{{1}, noon(300), 2, true, "x"}}, noon(61)}, retry_parked{c.id, noon(70)},
                       settle_check{check_of({1}, 10, true, 1)}, order_recheck{{1}, noon(99)}});
  CHECK(std::get<storage::done>(*done.results[1]).count == 1);
  CHECK(std::get<check_settled>(*done.results[2]).changed);
  REQUIRE(done.results[3]);
  CHECK(s.read().due_checks(noon(99), 5).value().size() == 1);
  s.holds();
}
