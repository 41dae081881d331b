// The names of the baseline methods (R, annex 28).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace dr {

enum class baseline_method : unsigned char { max_4_5 = 1, mid_6_10, mid_4_6, mid_8_10 };
inline constexpr std::array all_baseline_methods{baseline_method::max_4_5, baseline_method::mid_6_10,
                                                 baseline_method::mid_4_6, baseline_method::mid_8_10};
/// The place of a method in all_baseline_methods.
constexpr std::size_t index_of(baseline_method method) noexcept { return static_cast<std::size_t>(method) - 1; }

/// "max-4-5", "mid-6-10", "mid-4-6", "mid-8-10".
std::string_view to_string(baseline_method method) noexcept;
std::optional<baseline_method> parse_baseline_method(std::string_view text) noexcept;

/// A method with or without the symmetric additive adjustment.
struct baseline_choice {
  baseline_method method = baseline_method::max_4_5;
  bool saa = false;
  friend bool operator==(const baseline_choice&, const baseline_choice&) = default;
};

} // namespace dr
