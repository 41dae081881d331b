#include "domain/check.hpp"
#include "domain/ids.hpp"
#include "domain/profile.hpp"
#include "domain/user.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <unordered_set>

using namespace dr;

TEST_CASE("every name is read back as the value it was written for", "[unit][names]") {
  for (auto value : {answer::ignore, answer::accept, answer::deny}) CHECK(parse_answer(to_string(value)) == value);
  for (auto value :
       {campaign_status::scheduled, campaign_status::running, campaign_status::end, campaign_status::canceled})
    CHECK(parse_campaign_status(to_string(value)) == value);
  for (auto value :
       {baseline_method::max_4_5, baseline_method::mid_6_10, baseline_method::mid_4_6, baseline_method::mid_8_10})
    CHECK(parse_baseline_method(to_string(value)) == value);
}

TEST_CASE("the names are those of the wire contract", "[unit][names]") {
  CHECK(std::string(to_string(campaign_status::end)) == "end");
  CHECK(std::string(to_string(settlement_status::none)) == "none");
  CHECK(std::string(to_string(settlement_status::verifying)) == "verifying");
  CHECK(std::string(to_string(settlement_status::settled)) == "settled");
  CHECK(std::string(to_string(verification::none)) == "none");
  CHECK(std::string(to_string(verification::pending)) == "pending");
  CHECK(std::string(to_string(verification::real)) == "real");
  CHECK(std::string(to_string(verification::unreal)) == "unreal");
  CHECK(std::string(to_string(verification::unverifiable)) == "unverifiable");
  CHECK(std::string(to_string(check_quality::final_)) == "final");
  CHECK(std::string(to_string(check_quality::estimated)) == "estimated");
  CHECK(std::string(to_string(check_quality::unverifiable)) == "unverifiable");
  CHECK(std::string(to_string(entry_kind::opening)) == "opening");
  CHECK(std::string(to_string(entry_kind::credit)) == "credit");
  CHECK(std::string(to_string(entry_kind::withdrawal)) == "withdrawal");
  CHECK(std::string(to_string(entry_kind::reversal)) == "reversal");
  CHECK(to_string(baseline_method::max_4_5) == "max-4-5");
  CHECK(to_string(baseline_method::mid_8_10) == "mid-8-10");
}

TEST_CASE("unknown names are refused", "[unit][names]") {
  CHECK_FALSE(parse_answer("Accept"));
  CHECK_FALSE(parse_answer(""));
  CHECK_FALSE(parse_campaign_status("ended"));
  CHECK_FALSE(parse_baseline_method("max-4-5 "));
}

TEST_CASE("every error code has a name of its own", "[unit][names]") {
  std::unordered_set<std::string> names;
  for (int code = 1; code <= static_cast<int>(errc::internal); ++code)
    CHECK(names.insert(to_string(static_cast<errc>(code))).second);
}

TEST_CASE("reading the value of a failed result throws", "[unit][names]") {
  result<int> failed = fail(errc::not_found, "no such thing");
  CHECK_THROWS_AS(failed.value(), std::logic_error);
}

TEST_CASE("ids are ordered, hashed, and none at zero", "[unit][names]") {
  CHECK_FALSE(user_id{});
  CHECK(user_id{7});
  CHECK(user_id{1} < user_id{2});
  std::unordered_set<response_id> seen{response_id{1}, response_id{1}, response_id{2}};
  CHECK(seen.size() == 2);
}

TEST_CASE("a fresh profile misses everything and a filled one nothing", "[unit][names]") {
  day_profile profile;
  CHECK_FALSE(profile.complete());
  profile.wh.fill(0);
  CHECK(profile.complete());
  profile.wh[95] = day_profile::missing;
  CHECK_FALSE(profile.complete());
}
