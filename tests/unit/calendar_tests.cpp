#include "domain/calendar.hpp"
#include "domain/programme.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

TEST_CASE("weekends and public holidays are no working days", "[unit][calendar]") {
  holiday_list holidays{on(2026, 10, 9)};
  CHECK(is_working_day(on(2026, 11, 20), holidays));
  CHECK_FALSE(is_working_day(on(2026, 11, 21), holidays));
  CHECK_FALSE(is_working_day(on(2026, 11, 22), holidays));
  CHECK_FALSE(is_working_day(on(2026, 10, 9), holidays));
  CHECK(is_working_day(on(2026, 10, 8), holidays));
  CHECK(std::string(weekday_name(on(2026, 11, 22))) == "Sunday");
  CHECK(std::string(weekday_name(on(2026, 11, 23))) == "Monday");
}

TEST_CASE("the holidays text takes comments, blanks, any order and repeats", "[unit][calendar]") {
  auto list = parse_holidays("\xEF\xBB\xBF# 공휴일\n2026-12-25  # 성탄절\r\n\n  2026-01-01\n2026-12-25\n\t# end");
  REQUIRE(list);
  CHECK(*list == holiday_list{on(2026, 1, 1), on(2026, 12, 25)});
  CHECK(parse_holidays("")->empty());
  CHECK(parse_holidays("2026-03-01")->size() == 1);
}

TEST_CASE("a wrong line of the holidays is named by its number", "[unit][calendar]") {
  auto list = parse_holidays("2026-01-01\n# fine\n2026-02-30\n");
  REQUIRE_FALSE(list);
  CHECK(list.error().code == errc::malformed);
  CHECK(list.error().detail.find("line 3") != std::string::npos);
  CHECK_FALSE(parse_holidays("2026-01-01 2026-01-02"));
}

TEST_CASE("the latest edition that is not later than the day is in force", "[unit][programme]") {
  auto first = standard_programme();
  auto second = first;
  second.effective_from = on(2026, 7, 1);
  second.terms.performs_at_percent = 80;
  auto other = first;
  other.code = "citizen";
  std::vector<programme> all{second, first, other};
  CHECK(programme_on(all, "reliable", on(2026, 6, 30))->terms.performs_at_percent == 70);
  CHECK(programme_on(all, "reliable", on(2026, 7, 1))->terms.performs_at_percent == 80);
  CHECK(programme_on(all, "reliable", on(2023, 1, 1)) == nullptr);
  CHECK(programme_on(all, "nothing", on(2026, 7, 1)) == nullptr);
  CHECK(programme_codes(all) == std::vector<std::string>{"reliable", "citizen"});
}

TEST_CASE("of each baseline method the latest edition that is not later than the day is in force",
          "[unit][programme]") {
  using enum baseline_method;
  const method_rules older{6, 12, 0, 1, 3, 4};
  const method_rules newer{7, 14, 0, 2, 2, 3};
  const std::vector<baseline_edition> all{
      {max_4_5, on(2026, 7, 1), newer}, {max_4_5, on(2026, 1, 1), older}, {mid_4_6, on(2026, 7, 1), newer}};
  CHECK(baselines_on(all, on(2026, 6, 30)).of(max_4_5) == older);
  CHECK(baselines_on(all, on(2026, 7, 1)).of(max_4_5) == newer);
  CHECK(baselines_on(all, on(2026, 6, 30)).of(mid_4_6) == baseline_rules{}.of(mid_4_6));
  CHECK(baselines_on(all, on(2026, 7, 1)).of(mid_4_6) == newer);
  CHECK(longest_look_back(all) == 14);
  CHECK(baseline_rules{}.longest_look_back() == 20);
}

TEST_CASE("a user's baseline holds only within the programme's rules", "[unit][programme]") {
  auto terms = standard_terms();
  using enum baseline_method;
  CHECK(effective_baseline(terms, std::nullopt, std::nullopt) == baseline_choice{max_4_5, false});
  CHECK(effective_baseline(terms, mid_6_10, true) == baseline_choice{mid_6_10, true});
  CHECK(effective_baseline(terms, mid_8_10, true) == baseline_choice{max_4_5, true});
  terms.saa_allowed = false;
  CHECK(effective_baseline(terms, mid_6_10, true) == baseline_choice{mid_6_10, false});
  terms.default_baseline.saa = true;
  CHECK_FALSE(effective_baseline(terms, std::nullopt, std::nullopt).saa);
  terms.saa_allowed = true;
  CHECK(effective_baseline(terms, std::nullopt, std::nullopt).saa);
  CHECK_FALSE(effective_baseline(terms, std::nullopt, false).saa);
}
