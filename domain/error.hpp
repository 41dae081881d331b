// The one error type of the project and the result that carries it.
// Adapters (Postgres, JSON, KEPCO, CAF) translate their exceptions into it at their border.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <utility>
#include <vector>

namespace dr {

/// What went wrong, in words that every layer shares. HTTP maps each to a status and a problem type in one function.
enum class errc : unsigned char {
  malformed = 1,       ///< the input cannot be read at all
  invalid,             ///< one or more fields are wrong; see error::fields
  unauthorized,        ///< no or wrong credentials
  forbidden,           ///< known caller, not allowed
  not_found,           ///< no such thing, or none that the caller may know of
  cust_no_taken,       ///< another user has this KEPCO customer number
  answer_frozen,       ///< the response takes no more answers
  campaign_scheduled,  ///< it has not started: cancel it instead
  campaign_ended,      ///< it is over
  campaign_canceled,   ///< it was canceled
  insufficient_points, ///< the balance does not cover the withdrawal
  user_withdrawn,      ///< the user has left the programme
  check_not_settled,   ///< there is no settled reduction check to verify again
  version_conflict,    ///< If-Match names another version
  key_reused,          ///< the idempotency key was used with another body
  too_many_requests,   ///< this caller asks faster than one caller may: try again later
  overloaded,          ///< a bounded queue is full: try again later
  store_unavailable,   ///< storage cannot be reached: try again later
  outcome_unknown,     ///< the write may or may not have happened: ask again
  timed_out,           ///< no answer within the time given
  fenced,              ///< another server process took over the writer lease
  shutting_down,       ///< the server is draining
  internal,            ///< a defect of ours; details are in the log only
};

/// Stable kebab-case name of a code, as in problem types and logs: "answer-frozen".
const char* to_string(errc code) noexcept;

/// One wrong input field: an RFC 6901 pointer (or a query parameter's name) and what is allowed.
struct field_error {
  std::string pointer;
  std::string detail;
  friend bool operator==(const field_error&, const field_error&) = default;
};

/// An error that a person can act on. `detail` never holds internals (SQL, stack, file names).
struct error {
  errc code = errc::internal;
  std::string detail;
  std::vector<field_error> fields;
  friend bool operator==(const error&, const error&) = default;
};

/// Either a value or the error that prevented it. Reading the value of a failed result is a programming error and
/// throws.
template <class T> using result = boost::system::result<T, error>;

/// Shorthand for a failed result.
inline error fail(errc code, std::string detail = {}) { return {code, std::move(detail), {}}; }

/// Shorthand for one wrong field.
inline error invalid_field(std::string pointer, std::string detail) {
  return {errc::invalid, pointer + " " + detail, {{std::move(pointer), std::move(detail)}}};
}

[[noreturn]] void throw_exception_from_error(const error& why, const boost::source_location& where);

} // namespace dr
