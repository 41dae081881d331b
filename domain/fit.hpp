// How well a baseline method follows a customer: the relative root mean squared error (R, annex 28).
#pragma once

#include "domain/baseline.hpp"

#include <optional>
#include <span>

namespace dr {

/// A baseline and the load that was really metered in the same hour, both in Wh.
struct fit_pair {
  double baseline_wh = 0;
  double load_wh = 0;
};

/// sqrt(Σ(baseline − load)² ÷ n) ÷ mean load; nothing without pairs or without load.
std::optional<double> rrmse(std::span<const fit_pair> pairs);

/// The error of a method over the working days of [from, to) and the trading hours [first_hour, end_hour), without SAA,
/// from the days at hand; pairs without a load or a reference day are passed over, and so are event days. Nothing
/// without any pair.
std::optional<double> rrmse(const method_rules& rules, korean_day from, korean_day to, int first_hour, int end_hour,
                            const reference_source& source);

/// The largest error of a method that is fit (R, annex 28). No settlement depends on it.
inline constexpr int fit_limit_percent = 30;

/// A method is fit up to the limit, inclusive.
inline bool is_fit(double error, int limit_percent = fit_limit_percent) noexcept {
  return error * 100 <= limit_percent;
}

} // namespace dr
