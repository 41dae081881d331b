// Where metered days come from: KEPCO, or a fake of it. Actors see this interface only.
#pragma once

#include "domain/profile.hpp"
#include "domain/time.hpp"

#include <boost/system/result.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace dr {

/// Why a metered day could not be had.
enum class meter_errc : unsigned char {
  unavailable = 1, ///< KEPCO is down: openapi-4001, HTTP 5xx, no connection. Retry.
  no_data,         ///< openapi-9001: nothing there for this customer and day (yet). Retry until the deadline.
  no_consent,      ///< the day lies before the customer's consent. Never retry.
  timed_out,       ///< no whole answer within the call's time. Retry.
  garbage,         ///< not an answer to what was asked: truncated, HTML, a bare header, another customer or day. Retry.
  refused,         ///< KEPCO refuses us: bad key, bad parameter, HTTP 4xx. An operator must look.
  not_configured   ///< no KEPCO address or service key is configured
};

/// Stable kebab-case name: "no-data".
constexpr const char* to_string(meter_errc code) noexcept {
  switch (code) {
  case meter_errc::unavailable:
    return "unavailable";
  case meter_errc::no_data:
    return "no-data";
  case meter_errc::no_consent:
    return "no-consent";
  case meter_errc::timed_out:
    return "timed-out";
  case meter_errc::garbage:
    return "garbage";
  case meter_errc::refused:
    return "refused";
  case meter_errc::not_configured:
    return "not-configured";
  }
  return "unknown";
}

/// `detail` is one bounded line for operators; it never holds the service key.
struct meter_error {
  meter_errc code = meter_errc::unavailable;
  std::string detail;
  friend bool operator==(const meter_error&, const meter_error&) = default;
};

template <class T> using meter_result = boost::system::result<T, meter_error>;

/// Reading the value of a failed answer is a programming error.
[[noreturn]] inline void throw_exception_from_error(const meter_error& why, const boost::source_location&) {
  throw std::logic_error(std::string("value of a failed meter answer read: ") + to_string(why.code));
}

/// A source of metered days. One instance serves one thread.
class meter_source {
public:
  meter_source() = default;
  meter_source(const meter_source&) = delete;
  meter_source& operator=(const meter_source&) = delete;
  virtual ~meter_source() = default;

  /// Asks for one customer's day (`cust_no`: ten digits) and blocks until it is there or its call's time is over.
  /// Quarter hours without a value stay day_profile::missing. Never throws.
  virtual meter_result<day_profile> day(const std::string& cust_no, korean_day day) = 0;
};

/// Makes one source per thread; may be called from any thread.
using meter_source_factory = std::function<std::unique_ptr<meter_source>()>;

} // namespace dr
