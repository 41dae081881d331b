// The model that judges settlements, held against figures worked out by hand from the market's rules.
#include "tests/chaos/settlement_model.hpp"

#include <catch2/catch.hpp>

using namespace dr::chaos;

namespace {

constexpr local_day event_day = 20'635; ///< Wednesday, 1 July 2026
constexpr std::int64_t midnight_ms = (event_day * 24 - 9) * 3'600'000;

/// A site whose use of each hour is given by weekday back from the event (0: the event's day), in kWh.
class hourly_site {
public:
  explicit hourly_site(std::vector<std::int64_t> by_weekday, std::int64_t rest_of_day = 100) {
    std::size_t next = 0;
    for (auto day = event_day; next < by_weekday.size(); --day) {
      if (weekday_of(day) > 4) continue;
      auto& wh = days_[day];
      wh.fill(rest_of_day * 250);
      for (int q = 56; q < 60; ++q) wh.at(static_cast<std::size_t>(q)) = by_weekday[next] * 250; // 14:00 to 15:00
      ++next;
    }
  }
  quarters& day(local_day of) { return days_.at(of); }
  settlement_model model(std::set<local_day> holidays = {}) const {
    return {[this](const std::string&, local_day day) -> const quarters& { return days_.at(day); },
            std::move(holidays)};
  }

private:
  std::map<local_day, quarters> days_;
};

model_event hour_at_two(const std::string& programme, const std::string& method = {}) {
  model_event made;
  made.campaign = 1;
  made.programme = programme;
  made.starts_ms = midnight_ms + 14 * 3'600'000;
  made.ended_ms = made.starts_ms + 3'600'000;
  made.capacity_w = 30'000;
  made.chosen_method = method;
  return made;
}

const std::vector<std::int64_t> ten_days = {80, 100, 110, 90, 120, 105, 70, 130, 40, 115, 85};

} // namespace

TEST_CASE("the model's baselines are those of the rule book's example", "[chaos]") {
  const hourly_site site(ten_days);
  CHECK(site.model().settle("x", hour_at_two("reliable"), {}).baseline_wh == 108'750);
  CHECK(site.model().settle("x", hour_at_two("reliable", "mid-6-10"), {}).baseline_wh == 100'833);
  CHECK(site.model().settle("x", hour_at_two("citizen"), {}).baseline_wh == 101'250);
  CHECK(site.model().settle("x", hour_at_two("citizen", "mid-8-10"), {}).baseline_wh == 99'375);
}

TEST_CASE("the model adjusts by the hours before the event where that is wanted and allowed", "[chaos]") {
  hourly_site site(ten_days, 94);
  for (int q = 40; q < 52; ++q) site.day(event_day).at(static_cast<std::size_t>(q)) = 98 * 250; // 10:00 to 13:00
  auto event = hour_at_two("reliable");
  event.chosen_saa = true;
  const auto right = site.model().settle("x", event, {});
  CHECK(right.baseline_wh == 112'750);
  CHECK(right.reduction_wh == 32'750);
  CHECK(right.saa);
  event.programme = "voluntary";
  CHECK(site.model().settle("x", event, {}).baseline_wh == 108'750);
}

TEST_CASE("the model takes no holiday and no event day for a reference", "[chaos]") {
  const hourly_site site({80, 100, 110, 90, 120, 105, 70, 130});
  const auto with_holiday = site.model({event_day - 1}).settle("x", hour_at_two("reliable"), {});
  CHECK(with_holiday.baseline_wh == 106'250); // 110, 90, 120, 105 of 110, 90, 120, 105, 70
  auto other = hour_at_two("reliable");
  other.campaign = 2;
  other.starts_ms -= 86'400'000;
  other.ended_ms -= 86'400'000;
  CHECK(site.model().settle("x", hour_at_two("reliable"), {other}).baseline_wh == 106'250);
}

TEST_CASE("the model judges by the threshold, inclusive, and credits up to the cap", "[chaos]") {
  const hourly_site site({80, 100, 100, 100, 100, 100});
  auto event = hour_at_two("reliable");
  event.capacity_w = 28'571; // 20 kWh are just 70 % of it
  CHECK(site.model().settle("x", event, {}).real);
  event.capacity_w = 28'576;
  CHECK_FALSE(site.model().settle("x", event, {}).real);
  event.capacity_w = 10'000;
  CHECK(site.model().settle("x", event, {}).most_wh == 12'000);
}

TEST_CASE("of what an earlier credit took of a quarter, the model leaves the rest", "[chaos]") {
  const hourly_site site({80, 100, 100, 100, 100, 100});
  auto event = hour_at_two("reliable");
  event.capacity_w = 25'000;
  const auto right = site.model().settle("x", event, {});
  const auto first = right.reductions.begin()->first;
  CHECK(settlement_model::credit_of(right, {}) == 20'000);
  CHECK(settlement_model::credit_of(right, {{first, 5'000}, {first + 1, 2'000}}) == 13'000);
  CHECK(settlement_model::credit_of(right, {{first, 9'000}}) == 15'000);
  const auto spread = settlement_model::spread(right, {{first, 5'000}}, 6'000);
  CHECK(spread.at(first) == 0);
  CHECK(spread.at(first + 3) == 2'000);
}
