#include "domain/error.hpp"

#include <stdexcept>

namespace dr {

const char* to_string(errc code) noexcept {
  switch (code) {
  case errc::malformed:
    return "malformed";
  case errc::invalid:
    return "invalid";
  case errc::unauthorized:
    return "unauthorized";
  case errc::forbidden:
    return "forbidden";
  case errc::not_found:
    return "not-found";
  case errc::cust_no_taken:
    return "cust-no-taken";
  case errc::answer_frozen:
    return "answer-frozen";
  case errc::campaign_scheduled:
    return "campaign-scheduled";
  case errc::campaign_ended:
    return "campaign-ended";
  case errc::campaign_canceled:
    return "campaign-canceled";
  case errc::insufficient_points:
    return "insufficient-points";
  case errc::user_withdrawn:
    return "user-withdrawn";
  case errc::check_not_settled:
    return "check-not-settled";
  case errc::version_conflict:
    return "version-conflict";
  case errc::key_reused:
    return "key-reused";
  case errc::too_many_requests:
    return "too-many-requests";
  case errc::overloaded:
    return "overloaded";
  case errc::store_unavailable:
    return "store-unavailable";
  case errc::outcome_unknown:
    return "outcome-unknown";
  case errc::timed_out:
    return "timed-out";
  case errc::fenced:
    return "fenced";
  case errc::shutting_down:
    return "shutting-down";
  case errc::internal:
    return "internal";
  }
  return "internal";
}

void throw_exception_from_error(const error& why, const boost::source_location&) {
  throw std::logic_error(std::string("unchecked result: ") + to_string(why.code) + ": " + why.detail);
}

} // namespace dr
