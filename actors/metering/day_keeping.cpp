#include "actors/metering/day_keeping.hpp"

namespace dr::actors {

day_profile passed_only(const day_profile& profile, korean_day day, time_point now) {
  auto kept = profile;
  auto passed = (now - start_of(day)) / quarter_hour;
  for (auto i = std::max<std::int64_t>(passed, 0); i < quarters_per_day; ++i)
    kept.wh[static_cast<std::size_t>(i)] = day_profile::missing;
  return kept;
}

day_profile merged(const day_profile& older, const day_profile& newer) {
  auto both = newer;
  for (std::size_t i = 0; i < both.wh.size(); ++i)
    if (both.wh[i] == day_profile::missing) both.wh[i] = older.wh[i];
  return both;
}

bool gaps_are_final(korean_day day, time_point now, std::chrono::hours deadline) {
  return start_of(day + std::chrono::days{1}) + deadline <= now;
}

bool asked_lately(korean_day day, time_point noted, time_point now, std::chrono::hours deadline) {
  return gaps_are_final(day, now, deadline) && now < noted + empty_again_after;
}

bool answers_the_day(const fetched_day& answer) {
  if (!answer.failure) return true;
  return answer.failure->code == meter_errc::no_data || answer.failure->code == meter_errc::no_consent;
}

std::optional<storage::save_profile> what_to_keep(const fetched_day& answer, const storage::stored_day* known,
                                                  bool served, time_point now, std::chrono::hours deadline) {
  if (!answers_the_day(answer)) return std::nullopt;
  storage::stored_day before = known ? *known : storage::stored_day{};
  auto profile = answer.failure ? day_profile{} : passed_only(answer.profile, answer.day, now);
  auto together = merged(before.profile, profile);
  bool never = answer.failure && answer.failure->code == meter_errc::no_consent;
  bool old = gaps_are_final(answer.day, now, deadline);
  bool again = known && known->fetched_at + empty_again_after <= now;
  bool said = together != day_profile{} || (again && served);
  bool closed = before.closed || never || together.complete() || (old && said);
  // An old day without values is written down, for the time when it may be asked for again.
  bool renewed = old && (!known || (again && together == day_profile{}));
  if (!renewed && together == before.profile && closed == before.closed) return std::nullopt;
  return storage::save_profile{answer.cust_no, answer.day, profile, closed, now};
}

} // namespace dr::actors
