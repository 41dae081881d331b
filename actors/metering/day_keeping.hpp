// Which of KEPCO's answers are kept, and when a day needs no more asking. Pure.
#pragma once

#include "actors/messages.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace dr::actors {

/// The profile without the quarter hours that have not passed at `now`: those are never kept as known.
day_profile passed_only(const day_profile& profile, korean_day day, time_point now);

/// `newer` where it has values, else `older`.
day_profile merged(const day_profile& older, const day_profile& newer);

/// True once the day ended at least `deadline` ago: a gap that KEPCO shows now stays.
bool gaps_are_final(korean_day day, time_point now, std::chrono::hours deadline);

/// Did KEPCO answer the question about the day (with data, none, or never any), as opposed to failing?
bool answers_the_day(const fetched_day& answer);

/// So long after a day was found without any value it may be asked for again: KEPCO may not know the customer yet.
inline constexpr std::chrono::hours empty_again_after{24};

/// Was an old day that is not closed asked for so lately (`noted`) that it need not be again?
bool asked_lately(korean_day day, time_point noted, time_point now, std::chrono::hours deadline);

/// What to write down of an answer; nothing when it tells nothing new. `known`: what is kept so far, if anything. The
/// day is closed when complete and over, when KEPCO will never give it, or when its gaps are final; a day without any
/// value only when it is found so again, empty_again_after the last time, and KEPCO is known to have `served` the
/// customer.
std::optional<storage::save_profile> what_to_keep(const fetched_day& answer, const storage::stored_day* known,
                                                  bool served, time_point now, std::chrono::hours deadline);

} // namespace dr::actors
