// RFC 9457 problem documents: the one place that turns an error into a status and words for a client.
#pragma once

#include "domain/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dr::http {

/// What a client is told about an error.
struct problem {
  unsigned status = 500;
  std::string type; ///< the last part of "/problems/…"
  std::string title;
  std::string detail;
  std::vector<field_error> fields;
};

/// The problem that stands for an error. Details of internal errors are left out.
problem problem_of(const error& why);
/// The problem that stands for a bare HTTP status (404, 405, 413 …).
problem problem_of_status(unsigned status, std::string_view detail = {});
/// As `application/problem+json`. `instance` is the path asked for; empty: left out.
std::string to_json(const problem& p, std::string_view instance);

inline constexpr const char* problem_type = "application/problem+json";
/// Seconds for Retry-After of a 503.
inline constexpr int retry_after_s = 2;

} // namespace dr::http
