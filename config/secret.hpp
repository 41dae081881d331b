// A text that must never be seen: printing it prints stars.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace dr {

/// Holds a password, key or URL with credentials. Only reveal() gives it away; do that at the place of use, never to
/// log.
class secret {
public:
  secret() = default;
  explicit secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }
  /// "(none)" or "(set, hidden)".
  const char* masked() const noexcept { return value_.empty() ? "(none)" : "(set, hidden)"; }
  friend bool operator==(const secret&, const secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const secret& s) { return out << s.masked(); }

private:
  std::string value_;
};

} // namespace dr
