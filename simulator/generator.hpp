// What a made-up site uses: the same numbers for the same seed, customer and quarter hour, on every machine.
#pragma once

#include "domain/time.hpp"

#include <cstdint>
#include <string>

namespace dr::sim {

struct generator_options {
  std::uint64_t seed = 1;
  bool weekend_shape = false; ///< true: Saturdays and Sundays are lower and flatter; false: every day alike
};

/// The mean power in W of a customer whose size nobody set: from its number, 1,000 to 1,500 kW.
std::int64_t size_of(const generator_options& options, const std::string& cust_no) noexcept;

/// The energy in Wh of a site of mean power `base_w` (0 … 10^9 W) in one quarter hour (0 … 95). A day's shape has no
/// hour under half of the day's mean. On it lie a slow drift of at most 0.5 % and noise of at most 1 %: together well
/// within 2 %, so that a site that does not reduce is never far from its baseline.
std::int32_t usage_wh(const generator_options& options, const std::string& cust_no, std::int64_t base_w, korean_day day,
                      int quarter) noexcept;

/// A well-mixed number from its inputs; the source of all that looks random here.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept;
/// The customer number as one number to mix with.
std::uint64_t mixed(std::uint64_t seed, const std::string& cust_no) noexcept;

} // namespace dr::sim
