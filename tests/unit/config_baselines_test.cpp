#include "tests/unit/config_support.hpp"

using namespace dr;
using Catch::Matchers::Contains;
using namespace config_test;
using enum baseline_method;

namespace {

std::string edition(const std::string& code, const std::string& from = "2000-01-01") {
  return "[[baselines]]\ncode = \"" + code + "\"\neffective_from = " + from +
         "\nwanted_days = 8\nlook_back_days = 16\ndrop_highest = 1\ndrop_lowest = 2\nsaa_hours = 2\n"
         "saa_starts_before_hours = 3\n";
}
const method_rules figures{8, 16, 1, 2, 2, 3};

const std::string good = edition("max-4-5") + edition("mid-6-10") + edition("mid-4-6") + edition("mid-8-10");

} // namespace

TEST_CASE("the baselines of the file replace the built-in ones", "[config]") {
  auto made = load(good + edition("max-4-5", "2027-01-01"));
  REQUIRE(made.has_value());
  const auto& all = made->settings.baselines;
  REQUIRE(all.size() == 5);
  CHECK(all[0].method == max_4_5);
  CHECK(all[3].method == mid_8_10);
  CHECK(format_day(all[4].effective_from) == "2027-01-01");
  for (const auto& one : all) CHECK(one.rules == figures);
  CHECK(made->settings.programmes.size() == 5);
  CHECK_THAT(describe(made->settings),
             Contains("baselines = max-4-5@2000-01-01 mid-6-10@2000-01-01") && Contains("max-4-5@2027-01-01\n"));
}

TEST_CASE("without any source and in the shipped file the baselines are the built-in ones", "[config]") {
  const auto built_in = shipped_baselines();
  REQUIRE(built_in.size() == all_baseline_methods.size());
  for (const auto& file : {std::optional<std::filesystem::path>{},
                           std::optional(std::filesystem::path(DR_SOURCE_DIR) / "config/drplatform.toml")}) {
    auto made = load_settings({file, {}, {}});
    REQUIRE(made.has_value());
    const auto& loaded = made->settings.baselines;
    REQUIRE(loaded.size() == built_in.size());
    for (std::size_t i = 0; i < loaded.size(); ++i) {
      CHECK(loaded[i].method == built_in[i].method);
      CHECK(loaded[i].effective_from == built_in[i].effective_from);
      CHECK(loaded[i].rules == built_in[i].rules);
    }
  }
}

TEST_CASE("the built-in baselines hold the market's figures", "[config]") {
  const auto rules = baselines_on(shipped_baselines(), *parse_day("2013-09-23"));
  CHECK(rules.of(max_4_5) == method_rules{5, 10, 0, 1, 3, 4});
  CHECK(rules.of(mid_6_10) == method_rules{10, 20, 2, 2, 3, 4});
  CHECK(rules.of(mid_4_6) == method_rules{6, 12, 1, 1, 3, 4});
  CHECK(rules.of(mid_8_10) == method_rules{10, 20, 1, 1, 3, 4});
}

TEST_CASE("a wrong baseline field is refused with its name, value and range", "[config]") {
  CHECK_THAT(why_refused(with(good, "wanted_days = 8", "wanted_days = 21")),
             Contains("baselines[0].wanted_days = \"21\": must be a whole number from 1 to 20"));
  CHECK_THAT(why_refused(with(good, "wanted_days = 8", "wanted_days = 0")), Contains("baselines[0].wanted_days"));
  CHECK_THAT(why_refused(with(good, "days = 16", "days = 61")), Contains("look_back_days") && Contains("from 1 to 60"));
  CHECK_THAT(why_refused(with(good, "highest = 1", "highest = -1")), Contains("baselines[0].drop_highest = \"-1\""));
  CHECK_THAT(why_refused(with(good, "lowest = 2", "lowest = 1.5")), Contains("baselines[0].drop_lowest = \"1.5\""));
  CHECK_THAT(why_refused(with(good, "saa_hours = 2", "saa_hours = 7")), Contains("baselines[0].saa_hours = \"7\""));
  CHECK_THAT(why_refused(with(good, "before_hours = 3", "before_hours = 24")),
             Contains("saa_starts_before_hours") && Contains("from 1 to 23"));
  CHECK_THAT(why_refused(with(good, "\"mid-4-6\"", "\"mid-5-6\"")),
             Contains("baselines[2].code = \"mid-5-6\": must be max-4-5, mid-6-10, mid-4-6 or mid-8-10"));
  CHECK_THAT(why_refused(with(good, "2000-01-01", "\"2000-02-30\"")), Contains("baselines[0].effective_from"));
  CHECK_THAT(why_refused(with(good, "drop_lowest", "drop_lowst")),
             Contains("drop_lowst") && Contains("mean drop_lowest?") && Contains("drop_lowest is missing"));
  CHECK_THAT(why_refused(good + edition("mid-4-6")),
             Contains("baselines[4].effective_from is that of an earlier edition of mid-4-6"));
  CHECK_THAT(why_refused("baselines = 3\n"), Contains("[[baselines]]"));
}

TEST_CASE("baseline fields that contradict one another are refused", "[config]") {
  CHECK_THAT(why_refused(with(good, "look_back_days = 16", "look_back_days = 7")),
             Contains("baselines[0].look_back_days must be at least wanted_days"));
  CHECK_THAT(why_refused(with(good, "drop_highest = 1", "drop_highest = 6")),
             Contains("baselines[0].drop_highest and drop_lowest together must be less than wanted_days"));
  CHECK(load(with(good, "drop_highest = 1", "drop_highest = 5")).has_value());
  CHECK_THAT(why_refused(with(good, "saa_hours = 2", "saa_hours = 4")),
             Contains("baselines[0].saa_hours must be at most"));
}

TEST_CASE("every method has an edition in force whenever a campaign can start", "[config]") {
  const auto late = "baselines must hold an edition of mid-6-10 in force on 2000-01-01";
  CHECK_THAT(why_refused(edition("max-4-5") + edition("mid-4-6") + edition("mid-8-10")), Contains(late));
  CHECK_THAT(
      why_refused(with(good, "mid-6-10\"\neffective_from = 2000-01-01", "mid-6-10\"\neffective_from = 2000-01-02")),
      Contains(late) && !Contains("mid-4-6"));
  CHECK_THAT(why_refused("baselines = []\n"), Contains(late) && Contains("max-4-5"));
}
