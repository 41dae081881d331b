// Exact numbers: power crosses the border as kW with up to three decimals and is kept in whole W.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dr::http {

/// A whole number in decimal digits, with its sign, without a heap.
class digits {
public:
  explicit digits(std::integral auto number) noexcept {
    size_ =
        static_cast<std::size_t>(std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr - text_.data());
  }
  digits(const digits&) = delete;
  digits& operator=(const digits&) = delete;
  std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
  std::array<char, 24> text_{}; ///< the longest of 64 bits has 20
  std::size_t size_ = 0;
};

/// 400000 → "400", 400500 → "400.5", -5 → "-0.005".
std::string format_kilowatts(std::int64_t watts);
/// A JSON number ("400", "0.125", "4e2") as thousandths, exactly; nothing when it is finer than three decimals, beyond
/// ±10^15 thousandths, or no number.
std::optional<std::int64_t> parse_thousandths(std::string_view number) noexcept;
/// A whole number, also when written as "4e2" or "400.0"; nothing otherwise.
std::optional<std::int64_t> parse_whole(std::string_view number) noexcept;
/// Plain decimal digits with an optional sign, as in URLs; nothing otherwise.
std::optional<std::int64_t> parse_digits(std::string_view text) noexcept;

} // namespace dr::http
