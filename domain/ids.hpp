// Identities that cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace dr {

/// A positive 64-bit number that names one thing of kind Tag. Zero means "none".
template <class Tag> struct strong_id {
  std::int64_t value = 0;
  friend constexpr auto operator<=>(const strong_id&, const strong_id&) = default;
  explicit constexpr operator bool() const noexcept { return value != 0; }
};

using user_id = strong_id<struct user_tag>;
using campaign_id = strong_id<struct campaign_tag>;
using response_id = strong_id<struct response_tag>;
using check_id = strong_id<struct check_tag>;
using entry_id = strong_id<struct entry_tag>; ///< of the points ledger

} // namespace dr

template <class Tag> struct std::hash<dr::strong_id<Tag>> {
  std::size_t operator()(const dr::strong_id<Tag>& id) const noexcept { return std::hash<std::int64_t>{}(id.value); }
};
