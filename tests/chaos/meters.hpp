// The customers' meters: what everybody really uses in every quarter hour of the run. Made from the seed, written to
// files for kepco-sim, and read by the model that judges the settlements. It never changes during a run.
#pragma once

#include "tests/chaos/schedule.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dr::chaos {

/// Days since 1970 in Korean local time.
using local_day = std::int64_t;
constexpr int quarters_of_day = 96;
using quarters = std::array<std::int64_t, quarters_of_day>; ///< Wh

/// The Korean day and quarter hour of an instant (seconds since 1970, UTC).
struct local_quarter {
  local_day day = 0;
  int quarter = 0;
};
local_quarter local_quarter_of(std::int64_t unix_seconds) noexcept;
/// 0 Monday … 6 Sunday.
int weekday_of(local_day day) noexcept;
/// "2026-07-01".
std::string to_text(local_day day);

struct site {
  std::string cust_no; ///< ten digits
  std::int64_t capacity_w = 0;
};

class meters {
public:
  /// `count` sites. Their days begin 60 before the run's first one, when nobody has a reason to save yet, and go on for
  /// `days` from there.
  meters(std::uint64_t seed, int count, local_day run_begins, int days);

  const std::vector<site>& sites() const noexcept { return sites_; }
  /// Throws out_of_range for what was not made.
  const quarters& usage(const std::string& cust_no, local_day day) const;
  /// <custNo>.csv for each site.
  void write(const std::filesystem::path& folder) const;

private:
  std::vector<site> sites_;
  std::map<std::string, std::map<local_day, quarters>> usage_;
};

} // namespace dr::chaos
