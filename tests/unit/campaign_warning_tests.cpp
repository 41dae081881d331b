#include "domain/campaign.hpp"
#include "domain/campaign_rules.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace dr;
using namespace dr::test;

namespace {

const std::vector<programme> programmes{standard_programme()};
using texts = std::vector<std::string>;

texts warnings(time_point starts_at, std::optional<time_point> ends_at, std::chrono::seconds notice = 2h,
               const holiday_list& holidays = {}) {
  campaign_order o;
  o.name = "x";
  o.type = "reliable";
  o.starts_at = starts_at;
  o.ends_at = ends_at;
  auto c = plan_campaign(o, programmes, {}, holidays, starts_at - notice);
  REQUIRE(c);
  return c->warnings;
}

bool says(const texts& all, const std::string& part) {
  return std::any_of(all.begin(), all.end(),
                     [&](const std::string& one) { return one.find(part) != std::string::npos; });
}

} // namespace

TEST_CASE("an order within its programme's rules has no warning", "[unit][warnings]") {
  CHECK(warnings(at(event_day, 14), at(event_day, 15)).empty());
  CHECK(warnings(at(event_day, 9), at(event_day, 12)).empty());
  CHECK(warnings(at(event_day, 16), at(event_day, 20), 60min).empty());
  CHECK(warnings(at(event_day, 14), std::nullopt).empty());
}

TEST_CASE("short notice is a warning and an immediate start the shortest of all", "[unit][warnings]") {
  auto short_one = warnings(at(event_day, 14), at(event_day, 15), 59min);
  CHECK(short_one == texts{"Short notice: it starts in 59 minutes; reliable (표준DR) asks for 1 hour."});
  CHECK(warnings(at(event_day, 14), at(event_day, 15), 0min) ==
        texts{"Short notice: it starts at once; reliable (표준DR) asks for 1 hour."});
  CHECK(warnings(at(event_day, 14), at(event_day, 15), 59min + 50s) == short_one);
  CHECK(says(warnings(at(event_day, 14), at(event_day, 15), 59s), "it starts in less than a minute;"));
  CHECK(says(warnings(at(event_day, 14), at(event_day, 15), -5min),
             "it starts at once, the start that was ordered, 2026-11-18T05:00:00Z, has passed;"));
}

TEST_CASE("weekends and holidays are warned of by name", "[unit][warnings]") {
  CHECK(warnings(at(on(2026, 11, 21), 14), at(on(2026, 11, 21), 15)) ==
        texts{"2026-11-21 is a Saturday; reliable (표준DR) runs on weekdays that are not public holidays."});
  CHECK(says(warnings(at(event_day, 14), at(event_day, 15), 2h, {event_day}), "2026-11-18 is a public holiday"));
}

TEST_CASE("hours outside of the programme's are warned of", "[unit][warnings]") {
  CHECK(says(warnings(at(event_day, 8, 45), at(event_day, 10)), "Outside of the programme's hours"));
  CHECK(says(warnings(at(event_day, 19), at(event_day, 20, 15)), "runs 09:00–20:00"));
  CHECK(says(warnings(at(event_day, 20), std::nullopt), "the order is for 20:00 Korean time"));
  CHECK(says(warnings(at(event_day, 19), at(event_day, 24 + 10)), "Outside of the programme's hours"));
}

TEST_CASE("the excluded hour is warned of", "[unit][warnings]") {
  CHECK(says(warnings(at(event_day, 11), at(event_day, 12, 15)), "12:00–13:00"));
  CHECK(says(warnings(at(event_day, 12, 30), std::nullopt), "12:00–13:00"));
  CHECK(warnings(at(event_day, 13), at(event_day, 14)).empty());
}

TEST_CASE("unusual lengths are warned of", "[unit][warnings]") {
  CHECK(says(warnings(at(event_day, 14), at(event_day, 14, 45)), "Shorter than usual: 45 minutes"));
  CHECK(says(warnings(at(event_day, 13), at(event_day, 17, 15)), "Longer than usual: 255 minutes"));
}

TEST_CASE("times off the quarter hours are warned of with the Korean clock", "[unit][warnings]") {
  auto both = warnings(at(event_day, 14, 7) + 5s, at(event_day, 15, 20));
  CHECK(says(both, "Not on a quarter hour: the start (14:07:05) and the end (15:20)."));
  CHECK(says(warnings(at(event_day, 14), at(event_day, 15, 20)), "Not on a quarter hour: the end (15:20)."));
}

TEST_CASE("a change works the warnings out anew but keeps the one about notice", "[unit][warnings]") {
  campaign_order o;
  o.name = "x";
  o.type = "reliable";
  o.starts_at = at(event_day, 14);
  o.ends_at = at(event_day, 14, 30);
  auto c = plan_campaign(o, programmes, {}, {}, at(event_day, 13, 30));
  REQUIRE(c);
  CHECK(c->warnings.size() == 2);
  campaign_change longer;
  longer.ends_at = at(event_day, 15);
  auto after = changed(*c, longer, programmes, {}, at(event_day, 13, 50));
  REQUIRE(after);
  CHECK(after->warnings == texts{c->warnings.front()});
  CHECK(says(after->warnings, "30 minutes"));
}

TEST_CASE("a year-long order is warned of in a few words", "[unit][warnings]") {
  auto all = warnings(at(event_day, 14), at(event_day + std::chrono::days{365}, 14));
  CHECK(all.size() <= 4);
  CHECK(says(all, "Longer than usual"));
}

TEST_CASE("day-ahead is an order on the day before, whatever the hour", "[unit][warnings]") {
  auto rules = standard_programme();
  rules.notice = 24h;
  const auto start = at(event_day, 10);
  CHECK_FALSE(notice_warning(rules, at(event_day, 0) - 1ms, start));
  CHECK(notice_warning(rules, at(event_day, 0), start) ==
        "Short notice: it starts in 10 hours; reliable (표준DR) asks for an order on the day before.");
  rules.notice = 48h;
  CHECK(notice_warning(rules, at(event_day, 0) - 1ms, start) ==
        "Short notice: it starts in 10 hours; reliable (표준DR) asks for an order 2 days before.");
}
