// Parked checks: seen by the operator, taken back one by one or by campaign, and given up in the end.
#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

namespace {

/// Two campaigns that ended an hour apart, with three and one accepting users; their checks are queued.
std::pair<campaign, campaign> two_verifying(house& s) {
  for (int i = 0; i < 3; ++i) s.enrol("user " + std::to_string(i), 400'000, 0);
  auto first = s.open();
  auto second = s.open();
  for (std::int64_t id : {1, 2, 3, 4}) s.must<response_changed>(choose_answer{{id}, answer::accept, {}, noon(1)});
  s.end(first.id, noon(60));
  s.end(second.id, noon(120));
  return {s.freeze(first.id, noon(60)), s.freeze(second.id, noon(120))};
}

void park(house& s, std::int64_t id, std::int64_t minute) {
  s.must<done>(postpone_checks{{{{id}, noon(minute), 5, true, "독 \"poison\""}}, noon(minute)});
}

} // namespace

TEST_CASE("parked checks are shown with whom, since when and why, the first ones first", "[storage][parked]") {
  house s{DR_BOTH};
  auto [first, second] = two_verifying(s);
  CHECK(s.read().parked_checks(10).value().empty());
  CHECK(s.read().queue_of_checks().value().oldest_due == noon(60));
  park(s, 2, 70);
  park(s, 4, 80);
  park(s, 1, 90);
  auto shown = s.read().parked_checks(2).value();
  REQUIRE(shown.size() == 2);
  CHECK(shown[0].response == response_id{2});
  CHECK(shown[0].campaign == first.id);
  CHECK(shown[0].user == user_id{2});
  CHECK(shown[0].user_name == "user 1");
  CHECK(shown[0].since == noon(70));
  CHECK(shown[0].attempts == 5);
  CHECK(shown[0].reason == "독 \"poison\"");
  CHECK(shown[1].response == response_id{4});
  auto queue = s.read().queue_of_checks().value();
  REQUIRE(queue.parked.size() == 2);
  CHECK(queue.parked[0].campaign == first.id);
  CHECK(queue.parked[0].count == 2);
  CHECK(queue.parked[0].since == noon(70));
  CHECK(queue.parked[1].campaign == second.id);
  CHECK(queue.parked[1].count == 1);
  s.holds();
}

TEST_CASE("one response's parked check is taken back alone, and the log tells of it", "[storage][parked]") {
  house s{DR_BOTH};
  auto [first, second] = two_verifying(s);
  park(s, 1, 70);
  park(s, 2, 70);
  CHECK(s.refused(retry_check{{99}, noon(75)}) == errc::not_found);
  CHECK(s.must<done>(retry_check{{3}, noon(75)}).count == 0); // queued as it is
  CHECK(s.must<done>(retry_check{{1}, noon(75)}).count == 1);
  CHECK(s.must<done>(retry_check{{1}, noon(76)}).count == 0);
  auto due = s.read().due_checks(noon(75), 10).value();
  CHECK(std::ranges::count(due, response_id{1}, &due_check::id) == 1);
  CHECK(std::ranges::count(due, response_id{2}, &due_check::id) == 0);
  auto told = s.events({0, {}, {}, "CheckRetried", 10});
  REQUIRE(told.size() == 1);
  CHECK(told[0].response == response_id{1});
  CHECK(s.must<done>(retry_parked{first.id, noon(80)}).count == 1);
  CHECK(s.must<done>(retry_parked{first.id, noon(81)}).count == 0);
  CHECK(s.events({0, {}, {}, "CheckRetried", 10}).size() == 2);
  CHECK(s.read().queue_of_checks().value().parked.empty());
  s.holds();
}

TEST_CASE("parked first checks of campaigns that ended long ago are found, rechecks are not", "[storage][parked]") {
  house s{DR_BOTH};
  two_verifying(s);
  park(s, 1, 130);
  park(s, 4, 130);
  s.settle({2}, 10);
  s.must<done>(order_recheck{{1}, noon(131)});
  park(s, 2, 132);
  CHECK(s.read().expired_parked(noon(59), 10).value().empty());
  auto found = s.read().expired_parked(noon(60), 10).value();
  REQUIRE(found.size() == 1);
  CHECK(found[0].id == response_id{1});
  CHECK(s.read().expired_parked(noon(120), 10).value().size() == 2);
  CHECK(s.read().expired_parked(noon(120), 1).value().size() == 1);
  const response_id asked[] = {{1}, {3}};
  auto material = s.read().check_materials(asked).value();
  REQUIRE(material.size() == 2);
  for (const auto& m : material) {
    CHECK(m.parked == (m.response.id == response_id{1}));
    CHECK(m.reason == (m.parked ? "독 \"poison\"" : ""));
  }
  s.holds();
}
