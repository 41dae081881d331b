// A reduction check: the record of one verification.
#pragma once

#include "domain/baseline_method.hpp"
#include "domain/ids.hpp"
#include "domain/response.hpp"
#include "domain/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace dr {

/// How far the figures can be trusted. `unverifiable`: no hour could be evaluated, nothing is credited.
enum class check_quality : unsigned char { final_ = 1, estimated, unverifiable };
/// "final", "estimated", "unverifiable".
const char* to_string(check_quality quality) noexcept;

/// Energy credited in one quarter hour; what an overlapping campaign can no longer credit.
struct credited_quarter {
  time_point from{};
  std::int64_t wh = 0;
  friend bool operator==(const credited_quarter&, const credited_quarter&) = default;
};

struct reduction_check {
  check_id id;
  campaign_id campaign;
  user_id user;
  std::string user_name; ///< the user's present name
  response_id response;
  int revision = 1;                                ///< grows with every recheck; the id stays
  dr::answer response_answer = dr::answer::accept; ///< the answer the check was made for
  bool is_real = false;
  std::int64_t adjust_points = 0; ///< points credited by this revision
  baseline_choice baseline;       ///< the method used (saa: true only if an adjustment was really applied)
  std::int64_t baseline_wh = 0;
  std::int64_t metered_wh = 0;
  std::int64_t reduction_wh = 0; ///< signed
  std::int64_t credited_wh = 0;
  check_quality quality = check_quality::final_;
  std::string detail;                   ///< in words: which hours were left out, why it is not real, what capped it
  std::vector<credited_quarter> spread; ///< credited_wh by quarter hour
  time_point checked_at{};
  std::int64_t version = 1;
  friend bool operator==(const reduction_check&, const reduction_check&) = default;
};

} // namespace dr
