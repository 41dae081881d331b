#include "tests/chaos/meters.hpp"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace dr::chaos {

namespace {

constexpr std::int64_t day_seconds = 86'400;
constexpr std::int64_t korea_ahead = 9 * 3'600;
constexpr std::int64_t quarter_seconds = 900;
constexpr local_day first_monday = 4; ///< 5 January 1970
constexpr int history_days = 60;

/// Howard Hinnant's civil_from_days.
std::array<std::int64_t, 3> civil(local_day day) {
  day += 719'468;
  const auto era = (day >= 0 ? day : day - 146'096) / 146'097;
  const auto of_era = day - era * 146'097;
  const auto year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const auto of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto shifted = (5 * of_year + 2) / 153;
  const auto month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, of_year - (153 * shifted + 2) / 5 + 1};
}

/// How a site behaves: keeps its word, never, by half, or now and then.
enum class habit : unsigned char { reliable, cheat, half, moody };

/// The share of its capacity that it saves in each quarter hour of a day.
std::array<double, quarters_of_day> savings(habit how, dice& with) {
  std::array<double, quarters_of_day> share{};
  for (int quarter = 0; quarter < quarters_of_day;) {
    const auto length = throw_dice(with, 1, 8);
    double value = 0;
    if (how == habit::reliable) value = static_cast<double>(throw_dice(with, 95, 150)) / 100;
    if (how == habit::half) value = static_cast<double>(throw_dice(with, 50, 90)) / 100;
    if (how == habit::moody) value = happens(with, 50) ? static_cast<double>(throw_dice(with, 60, 140)) / 100 : 0;
    for (int i = 0; i < length && quarter < quarters_of_day; ++i) share.at(static_cast<std::size_t>(quarter++)) = value;
  }
  return share;
}

} // namespace

local_quarter local_quarter_of(std::int64_t unix_seconds) noexcept {
  const auto local = unix_seconds + korea_ahead;
  auto day = local / day_seconds;
  auto rest = local % day_seconds;
  if (rest < 0) {
    rest += day_seconds;
    --day;
  }
  return {day, static_cast<int>(rest / quarter_seconds)};
}

int weekday_of(local_day day) noexcept { return static_cast<int>(((day - first_monday) % 7 + 7) % 7); }

std::string to_text(local_day day) {
  const auto at = civil(day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", static_cast<int>(at[0]), static_cast<int>(at[1]),
                static_cast<int>(at[2]));
  return text;
}

meters::meters(std::uint64_t seed, int count, local_day run_begins, int days) {
  for (int number = 0; number < count; ++number) {
    auto with = dice_of(seed, "meter", number);
    char cust_no[16];
    std::snprintf(cust_no, sizeof cust_no, "20%08d", number);
    const auto capacity_kw = throw_dice(with, 50, 400);
    sites_.push_back({cust_no, capacity_kw * 1'000});
    const auto base_wh = static_cast<double>(throw_dice(with, 900, 1'500)) * 250; // of a quarter hour
    const auto how = static_cast<habit>(throw_dice(with, 0, 3));
    auto& usage = usage_[cust_no];
    for (auto day = run_begins - history_days; day < run_begins + days; ++day) {
      const auto share = savings(how, with);
      auto& wh = usage[day];
      for (int q = 0; q < quarters_of_day; ++q) {
        const auto at = static_cast<std::size_t>(q);
        const auto shape = 1 + 0.2 * std::sin(static_cast<double>(q) / 15);
        const auto noise = 1 + static_cast<double>(throw_dice(with, -15, 15)) / 1'000;
        const auto saved = day < run_begins ? 0 : share.at(at) * static_cast<double>(capacity_kw) * 250;
        wh.at(at) = std::max<std::int64_t>(0, std::llround(base_wh * shape * noise - saved));
      }
    }
  }
}

const quarters& meters::usage(const std::string& cust_no, local_day day) const { return usage_.at(cust_no).at(day); }

void meters::write(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  for (const auto& [cust_no, days] : usage_) {
    std::ofstream out(folder / (cust_no + ".csv"));
    out << "end,kwh\n";
    for (const auto& [day, wh] : days) {
      for (int q = 0; q < quarters_of_day; ++q) {
        const auto minutes = (q + 1) * 15 % 1'440;
        const auto value = wh.at(static_cast<std::size_t>(q));
        char line[64];
        std::snprintf(line, sizeof line, "%sT%02d:%02d,%lld.%03lld\n", to_text(q == 95 ? day + 1 : day).c_str(),
                      minutes / 60, minutes % 60, static_cast<long long>(value / 1'000),
                      static_cast<long long>(value % 1'000));
        out << line;
      }
    }
    if (!out) throw std::runtime_error("cannot write the meters of " + cust_no);
  }
}

} // namespace dr::chaos
