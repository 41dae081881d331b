// The simulated world of meters: sites with their usage, who reduces when, and what KEPCO has of it by now.
#pragma once

#include "domain/clock.hpp"
#include "domain/error.hpp"
#include "domain/profile.hpp"
#include "simulator/generator.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace dr::sim {

/// A site that uses less for a while: `reduced_w` less in every quarter hour that [from, to) touches.
struct reduction {
  std::string cust_no;
  std::optional<time_point> from; ///< none: since always
  std::optional<time_point> to;   ///< none: for ever
  std::int64_t reduced_w = 0;
  friend bool operator==(const reduction&, const reduction&) = default;
};

/// What is set about a site; absent fields keep what they are.
struct site_change {
  std::string cust_no;
  std::optional<std::int64_t> base_w;     ///< mean power
  std::optional<korean_day> consent_from; ///< earlier days are refused
  /// What it gets instead of every answer: a place in garbage_names plus one; 0: an answer.
  std::optional<std::uint64_t> poison = {};
};

/// Thread-safe.
class model {
public:
  static constexpr std::size_t max_reductions = 1'000'000;
  static constexpr std::size_t max_reductions_of_site = 1'000;
  static constexpr std::size_t max_sites = 1'000'000;

  /// `lag`: how long after its end a quarter hour is there; none: the running quarter hour is there as a whole.
  model(generator_options options, std::optional<std::chrono::minutes> lag) : options_(options), lag_(lag) {}

  /// Reads every <custNo>.csv of a folder: header `end,kwh`, then lines such as `2013-09-23T14:15,85.25`, the quarter
  /// hour's end in Korean time. Returns the number of customers. Fails: invalid with file and line.
  result<std::size_t> load(const std::filesystem::path& folder);

  /// Sets sites, all or none. Fails: overloaded.
  result<void> change_sites(const std::vector<site_change>& changes);

  /// Registers reductions, all or none; several of one site add up, an identical one counts once. Returns how many are
  /// registered now. Fails: overloaded.
  result<std::size_t> add(const std::vector<reduction>& more);
  /// Forgets all reductions, or one customer's; returns how many.
  std::size_t clear_reductions(const std::optional<std::string>& cust_no);

  /// What KEPCO has of a customer's day at `now`: missing where it is not there yet (see `lag`; `lag_override` replaces
  /// it; with `spread` each quarter hour comes up to so much later still, always by the same). Never below zero.
  /// Nothing at all: nothing.
  std::optional<day_profile> day(const std::string& cust_no, korean_day day, time_point now,
                                 std::optional<std::chrono::minutes> lag_override,
                                 std::chrono::minutes spread = std::chrono::minutes{0}) const;

  /// From when on the customer may be read; none: always.
  std::optional<korean_day> consent_from(const std::string& cust_no) const;

  /// What the customer gets instead of an answer; 0: an answer.
  std::uint64_t poison_of(const std::string& cust_no) const;

  /// The customers that were set up by files, sites or reductions, ascending, at most `most`.
  std::vector<std::string> known_customers(std::size_t most) const;

private:
  struct site {
    std::optional<std::int64_t> base_w;
    std::optional<korean_day> consent_from;
    std::uint64_t poison = 0;
    std::vector<reduction> reductions;
  };
  std::optional<day_profile> metered(const std::string& cust_no, const site* known, korean_day day) const;

  const generator_options options_;
  const std::optional<std::chrono::minutes> lag_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, site> sites_;
  std::unordered_map<std::string, std::map<korean_day, day_profile>> recorded_; ///< from files
  std::size_t reductions_ = 0;
};

/// True for a KEPCO customer number: ten digits.
bool is_cust_no(std::string_view text) noexcept;

} // namespace dr::sim
