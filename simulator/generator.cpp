#include "simulator/generator.hpp"

#include <array>
#include <cstdlib>

namespace dr::sim {

namespace {

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t smallest_w = 1'000'000;
constexpr std::int64_t size_spread_kw = 501;
constexpr std::int64_t noise_ppm = 10'000;
constexpr std::int64_t drift_ppm = 5'000;
constexpr std::int64_t drift_days = 60; // from low to high and back
constexpr std::int64_t weekend_percent = 60;

/// An industrial site's day: power by hour in thousandths, the lunch break included. The sum is 24,000.
constexpr std::array<std::int64_t, 24> day_shape{750,  730,  710,  710,  720,  750,  830,  960, 1130, 1240, 1280, 1260,
                                                 1110, 1240, 1290, 1300, 1280, 1210, 1090, 990, 930,  880,  830,  780};
constexpr std::int64_t sum_of_shape() {
  std::int64_t sum = 0;
  for (auto value : day_shape) sum += value;
  return sum;
}
static_assert(sum_of_shape() == 24'000);

/// The shape in one quarter hour, ppm of the day's mean; going straight from hour to hour keeps the mean.
std::int64_t shape_ppm(int quarter, std::int64_t steepness_percent) {
  auto hour = static_cast<std::size_t>(quarter / 4);
  auto here = day_shape[hour];
  auto next = day_shape[(hour + 1) % 24];
  auto value = here * 1000 + (next - here) * 250 * (quarter % 4);
  return million + (value - million) * steepness_percent / 100;
}

/// −range … +range, evenly.
std::int64_t within(std::uint64_t random, std::int64_t range) {
  return static_cast<std::int64_t>(random % static_cast<std::uint64_t>(2 * range + 1)) - range;
}

bool is_weekend(korean_day day) {
  std::chrono::weekday weekday{day};
  return weekday == std::chrono::Saturday || weekday == std::chrono::Sunday;
}

} // namespace

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
  // The finaliser of splitmix64, a bijection with full avalanche.
  auto x = a + 0x9E3779B97F4A7C15ULL * (b + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

std::uint64_t mixed(std::uint64_t seed, const std::string& cust_no) noexcept {
  auto value = mixed(seed, 0);
  for (char c : cust_no) value = mixed(value, static_cast<unsigned char>(c));
  return value;
}

std::int64_t size_of(const generator_options& options, const std::string& cust_no) noexcept {
  auto step = mixed(mixed(options.seed, cust_no), 1) % static_cast<std::uint64_t>(size_spread_kw);
  return smallest_w + static_cast<std::int64_t>(step) * 1000;
}

std::int32_t usage_wh(const generator_options& options, const std::string& cust_no, std::int64_t base_w, korean_day day,
                      int quarter) noexcept {
  auto site = mixed(options.seed, cust_no);
  auto steepness = 75 + static_cast<std::int64_t>(mixed(site, 2) % 26); // some sites have a flatter day than others
  bool weekend = options.weekend_shape && is_weekend(day);
  auto shape = shape_ppm(quarter, weekend ? steepness / 2 : steepness);

  auto days = day.time_since_epoch().count();
  auto phase = (days + static_cast<std::int64_t>(mixed(site, 3) % drift_days)) % drift_days;
  if (phase < 0) phase += drift_days;
  auto drift = std::abs(phase - drift_days / 2) * 2 * drift_ppm * 2 / drift_days - drift_ppm;
  auto noise =
      within(mixed(mixed(site, static_cast<std::uint64_t>(days)), static_cast<std::uint64_t>(quarter) + 4), noise_ppm);

  auto wh = base_w / 4 * shape / million; // at most 2.5e8 × 1.3e6
  if (weekend) wh = wh * weekend_percent / 100;
  return static_cast<std::int32_t>(wh * (million + drift + noise) / million);
}

} // namespace dr::sim
