// The figures of the baseline methods are configuration, and a campaign keeps those it was ordered under.
#include "tests/system/safety_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <vector>

using namespace dr::test;

namespace {

/// An edition of every method: the working day before, and nothing else.
std::string day_before() {
  std::string text;
  for (const std::string code : {"max-4-5", "mid-6-10", "mid-4-6", "mid-8-10"})
    text += "[[baselines]]\ncode = \"" + code +
            "\"\neffective_from = 2000-01-01\nwanted_days = 1\nlook_back_days = 1\ndrop_highest = 0\ndrop_lowest = 0\n"
            "saa_hours = 3\nsaa_starts_before_hours = 4\n";
  return text;
}

/// What the simulator metered at the site in the quarter hour that ends at 14:00.
long long last_quarter_wh(platform& on, int user, const std::string& day) {
  const auto cust_no = on.get("/users/" + std::to_string(user)).at("custNo").get<std::string>();
  const auto got =
      on.sim("GET", "/OpenAPI/getDayLpData.do?serviceKey=k&returnType=02&custNo=" + cust_no + "&date=" + day);
  long long sum = 0;
  for (const auto& meter : got.at("dayLpDataInfoList")) {
    const auto& kwh = meter.at("pwr_qty1400");
    sum += std::llround(1000 * (kwh.is_string() ? std::stod(kwh.get<std::string>()) : kwh.get<double>()));
  }
  return sum;
}

} // namespace

TEST_CASE("a campaign ordered under one edition is settled under it though the server was restarted with another",
          "[system]") {
  const scratch_folder folder;
  const auto file = folder.path() / "drplatform.toml";
  const auto configure = [&](const std::string& text) { std::ofstream(file) << text; };
  configure(day_before());
  // Wednesday, 13:46 in Korea: both campaigns are evaluated over 13:45 to 14:00.
  platform on(platform::setup{.variables = {{"DR_CONFIG", file.string()}, {"DR_CLOCK_START", "2026-07-01T04:46:00Z"}}});
  const int user = enrol(on, "samsung", 400);
  const int before = start_campaign(on);
  CHECK(accept(on, before, user) == 200);

  CHECK(on.stop_server() == 0);
  configure(""); // the built-in edition
  on.start_server();
  const int after = start_campaign(on);
  CHECK(accept(on, after, user) == 200);
  end_campaign(on, before);
  end_campaign(on, after);
  wait_settled(on, before);
  wait_settled(on, after);

  std::vector<long long> days;
  for (const auto* day : {"20260630", "20260629", "20260626", "20260625", "20260624"})
    days.push_back(last_quarter_wh(on, user, day));
  const auto max_4_5 = std::accumulate(days.begin(), days.end(), 0LL) - *std::min_element(days.begin(), days.end());
  CHECK(check_of(on, before, user).at("baselineWh") == days[0]);
  CHECK(check_of(on, after, user).at("baselineWh") == (max_4_5 + 2) / 4); // half-up
  CHECK(days[0] != (max_4_5 + 2) / 4);
  const auto report = verify_report(on.database_url());
  CHECK(report.at("differences") == 0);
  CHECK(report.at("verified").at("checksRecomputed") == 2);
}
