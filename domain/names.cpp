// The words for every enumeration that crosses a border (API, storage, logs).
#include "domain/baseline_method.hpp"
#include "domain/campaign.hpp"
#include "domain/check.hpp"
#include "domain/response.hpp"
#include "domain/user.hpp"

#include <array>

namespace dr {

namespace {

/// The value whose name is `text`; a switch in to_string stays the only list of names.
template <class Enum, std::size_t N, class Name>
std::optional<Enum> find_named(const std::array<Enum, N>& values, std::string_view text, Name name) noexcept {
  for (auto value : values)
    if (text == name(value)) return value;
  return std::nullopt;
}

} // namespace

std::string_view to_string(baseline_method method) noexcept {
  switch (method) {
  case baseline_method::max_4_5:
    return "max-4-5";
  case baseline_method::mid_6_10:
    return "mid-6-10";
  case baseline_method::mid_4_6:
    return "mid-4-6";
  case baseline_method::mid_8_10:
    return "mid-8-10";
  }
  return "unknown";
}

std::optional<baseline_method> parse_baseline_method(std::string_view text) noexcept {
  return find_named(all_baseline_methods, text, [](auto value) { return to_string(value); });
}

const char* to_string(campaign_status status) noexcept {
  switch (status) {
  case campaign_status::scheduled:
    return "scheduled";
  case campaign_status::running:
    return "running";
  case campaign_status::end:
    return "end";
  case campaign_status::canceled:
    return "canceled";
  }
  return "unknown";
}

std::optional<campaign_status> parse_campaign_status(std::string_view text) noexcept {
  static constexpr std::array all{campaign_status::scheduled, campaign_status::running, campaign_status::end,
                                  campaign_status::canceled};
  return find_named(all, text, [](auto value) { return to_string(value); });
}

const char* to_string(settlement_status status) noexcept {
  switch (status) {
  case settlement_status::none:
    return "none";
  case settlement_status::verifying:
    return "verifying";
  case settlement_status::settled:
    return "settled";
  }
  return "unknown";
}

const char* to_string(answer value) noexcept {
  switch (value) {
  case answer::ignore:
    return "ignore";
  case answer::accept:
    return "accept";
  case answer::deny:
    return "deny";
  }
  return "unknown";
}

std::optional<answer> parse_answer(std::string_view text) noexcept {
  static constexpr std::array all{answer::ignore, answer::accept, answer::deny};
  return find_named(all, text, [](auto value) { return to_string(value); });
}

const char* to_string(verification value) noexcept {
  switch (value) {
  case verification::none:
    return "none";
  case verification::pending:
    return "pending";
  case verification::real:
    return "real";
  case verification::unreal:
    return "unreal";
  case verification::unverifiable:
    return "unverifiable";
  }
  return "unknown";
}

const char* to_string(check_quality quality) noexcept {
  switch (quality) {
  case check_quality::final_:
    return "final";
  case check_quality::estimated:
    return "estimated";
  case check_quality::unverifiable:
    return "unverifiable";
  }
  return "unknown";
}

const char* to_string(entry_kind kind) noexcept {
  switch (kind) {
  case entry_kind::opening:
    return "opening";
  case entry_kind::credit:
    return "credit";
  case entry_kind::withdrawal:
    return "withdrawal";
  case entry_kind::reversal:
    return "reversal";
  }
  return "unknown";
}

} // namespace dr
