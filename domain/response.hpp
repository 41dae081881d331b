// A response: one user's answer to one campaign.
#pragma once

#include "domain/campaign.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace dr {

enum class answer : unsigned char { ignore = 0, accept = 1, deny = 2 };
/// "ignore", "accept", "deny".
const char* to_string(answer value) noexcept;
std::optional<answer> parse_answer(std::string_view text) noexcept;

enum class verification : unsigned char { none = 0, pending, real, unreal, unverifiable };
/// "none", "pending", "real", "unreal", "unverifiable".
const char* to_string(verification value) noexcept;

struct response {
  response_id id;
  campaign_id campaign;
  user_id user;
  std::string user_name;                  ///< the user's present name
  std::int64_t capacity_w = 0;            ///< frozen at dispatch
  baseline_choice baseline;               ///< the user's choice within the programme's rules, frozen at dispatch
  dr::answer answer = dr::answer::ignore; ///< the present answer; a broken accept is turned to deny
  bool turned = false;                    ///< true when settlement turned it: it was `accept` when frozen
  std::optional<time_point> answered_at;  ///< of the customer's choice; a turned response keeps it
  std::optional<time_point> delivered_at;
  dr::verification verification = dr::verification::none;
  std::int64_t expected_points = 0; ///< derived by the store with expected_points(campaign, capacity_w)
  std::int64_t version = 1;
  /// The answer as it stood when the campaign ended.
  dr::answer frozen_answer() const noexcept { return turned ? dr::answer::accept : answer; }
  friend bool operator==(const response&, const response&) = default;
};

/// May the response be answered now? Repeating the present answer, or the frozen one of a turned response, is always
/// fine and changes nothing. Fails: answer_frozen, with a detail that says why (past respondBy, ended, canceled);
/// invalid for going back to `ignore`.
result<void> may_answer(const campaign& c, const response& r, answer wanted, time_point now);

} // namespace dr
