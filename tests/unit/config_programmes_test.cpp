#include "config/holidays.hpp"
#include "config/load.hpp"
#include "tests/unit/config_support.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using Catch::Matchers::Contains;
using namespace config_test;

namespace {

const std::string good =
    "[[programmes]]\ncode = \"reliable\"\nkorean = \"표준\"\neffective_from = 2024-02-01\n"
    "notice_minutes = 60\nweekdays_only = true\nwindow_begin = \"09:00\"\nwindow_end = 20:00:00\n"
    "excluded_hour = 12\nmin_length_minutes = 60\nmax_length_minutes = 240\nbaseline = \"max-4-5\"\n"
    "saa = false\nallowed_methods = [\"max-4-5\", \"mid-6-10\"]\nsaa_allowed = true\ncap_percent = 120\n"
    "performs_at_percent = 70\npoints_per_kwh = 0.125\nmandatory = true\n";

} // namespace

TEST_CASE("a programme in the file replaces the built-in ones", "[config]") {
  auto made = load(good);
  REQUIRE(made.has_value());
  REQUIRE(made->settings.programmes.size() == 1);
  const auto& p = made->settings.programmes[0];
  CHECK(p.korean == "표준");
  CHECK(format_day(p.effective_from) == "2024-02-01");
  CHECK(p.window_begin == std::chrono::hours{9});
  CHECK(p.window_end == std::chrono::hours{20});
  CHECK(p.excluded_hour == 12);
  CHECK(p.terms.points_per_mwh == 125);
  CHECK(p.terms.allowed_methods == std::vector{baseline_method::max_4_5, baseline_method::mid_6_10});
}

TEST_CASE("the shipped file spells out the built-in programmes", "[config]") {
  auto made = load_settings({std::filesystem::path(DR_SOURCE_DIR) / "config/drplatform.toml", {}, {}});
  REQUIRE(made.has_value());
  const auto built_in = shipped_programmes();
  const auto& filed = made->settings.programmes;
  REQUIRE(filed.size() == built_in.size());
  for (std::size_t i = 0; i < filed.size(); ++i) {
    INFO(built_in[i].code);
    CHECK(filed[i].code == built_in[i].code);
    CHECK(filed[i].korean == built_in[i].korean);
    CHECK(filed[i].effective_from == built_in[i].effective_from);
    CHECK(filed[i].notice == built_in[i].notice);
    CHECK(filed[i].weekdays_only == built_in[i].weekdays_only);
    CHECK(filed[i].window_begin == built_in[i].window_begin);
    CHECK(filed[i].window_end == built_in[i].window_end);
    CHECK(filed[i].excluded_hour == built_in[i].excluded_hour);
    CHECK(filed[i].min_length == built_in[i].min_length);
    CHECK(filed[i].max_length == built_in[i].max_length);
    CHECK(filed[i].terms == built_in[i].terms);
  }
}

TEST_CASE("the built-in programmes hold the market's figures", "[config]") {
  const auto all = shipped_programmes();
  const auto day = *parse_day("2013-09-23");
  const auto* reliable = programme_on(all, "reliable", day);
  const auto* citizen = programme_on(all, "citizen", day);
  const auto* voluntary = programme_on(all, "voluntary", day);
  REQUIRE(reliable);
  REQUIRE(citizen);
  REQUIRE(voluntary);
  CHECK(reliable->terms.cap_percent == 120);
  CHECK(reliable->terms.performs_at_percent == 70);
  CHECK(reliable->max_length == std::chrono::hours{4});
  CHECK_FALSE(citizen->terms.cap_percent);
  CHECK(citizen->notice == std::chrono::minutes{30});
  CHECK(citizen->terms.default_baseline.method == baseline_method::mid_4_6);
  CHECK_FALSE(voluntary->terms.mandatory);
  CHECK(voluntary->terms.cap_percent == 100);
}

TEST_CASE("a wrong programme field is refused with its name, value and range", "[config]") {
  CHECK_THAT(why_refused(with(good, "= 60", "= -1")),
             Contains("programmes[0].notice_minutes = \"-1\": must be a whole number from 0 to 10080"));
  CHECK_THAT(why_refused(with(good, "\"max-4-5\"\n", "\"max-9-9\"\n")), Contains("programmes[0].baseline"));
  CHECK_THAT(why_refused(with(good, "\"09:00\"", "\"25:00\"")), Contains("window_begin"));
  CHECK_THAT(why_refused(with(good, "0.125", "0.1255")), Contains("up to three decimals"));
  CHECK_THAT(why_refused(with(good, "2024-02-01", "\"2024-02-30\"")), Contains("effective_from"));
  CHECK_THAT(why_refused(with(good, "cap_percent", "cap_pecent")),
             Contains("cap_pecent") && Contains("mean cap_percent?"));
  CHECK_THAT(why_refused(with(good, "mandatory = true\n", "")), Contains("programmes[0].mandatory is missing"));
  CHECK_THAT(why_refused(good + good), Contains("programmes[1].effective_from is that of an earlier edition"));
  CHECK_THAT(why_refused("programmes = []\n"), Contains("at least one"));
  CHECK_THAT(why_refused("programmes = 3\n"), Contains("[[programmes]]"));
}

TEST_CASE("programme fields that contradict one another are refused", "[config]") {
  CHECK_THAT(why_refused(with(good, "\"09:00\"", "\"21:00\"")), Contains("window_end must be later"));
  CHECK_THAT(why_refused(with(good, "= 240", "= 30")), Contains("max_length_minutes"));
  CHECK_THAT(why_refused(with(good, "\"max-4-5\", ", "")), Contains("allowed_methods must contain"));
  CHECK_THAT(why_refused(with(with(good, "saa = false", "saa = true"), "saa_allowed = true", "saa_allowed = false")),
             Contains("saa must be false"));
}

TEST_CASE("a calendar has one date a line, with comments", "[config]") {
  auto days = parse_holidays("\xEF\xBB\xBF# all\r\n2026-10-09 # 한글날\r\n\n2026-01-01\n2026-10-09", "cal");
  REQUIRE(days.has_value());
  CHECK(*days == std::vector{*parse_day("2026-01-01"), *parse_day("2026-10-09")});
  auto wrong = parse_holidays("2026-01-01\n2026-02-30\n", "cal");
  REQUIRE_FALSE(wrong.has_value());
  CHECK_THAT(wrong.error().detail, Contains("cal line 2") && Contains("2026-02-30"));
}

TEST_CASE("a wrong or missing calendar file is refused at the start", "[config]") {
  scratch_folder here;
  auto missing = load_settings({{}, {{"DR_HOLIDAYS_FILE", (here / "none.txt").string()}}, {}});
  REQUIRE_FALSE(missing.has_value());
  CHECK_THAT(missing.error().detail, Contains("holidays_file") && Contains("does not exist"));
  auto wrong = load_settings({{}, {{"DR_HOLIDAYS_FILE", here.write("h.txt", "Chuseok\n").string()}}, {}});
  REQUIRE_FALSE(wrong.has_value());
  CHECK_THAT(wrong.error().detail, Contains("h.txt line 1"));
  auto fine = load_settings({{}, {{"DR_HOLIDAYS_FILE", here.write("g.txt", "2026-09-25\n").string()}}, {}});
  REQUIRE(fine.has_value());
  CHECK(fine->settings.holidays.size() == 1);
}
