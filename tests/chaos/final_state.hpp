// Everything the product says about itself when a run is over, read through its API.
#pragma once

#include "tests/chaos/history.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace dr::chaos {

struct final_state {
  std::map<std::int64_t, json> users;
  std::map<std::int64_t, json> campaigns;
  std::map<std::int64_t, json> responses;
  std::map<std::int64_t, json> checks;               ///< by response
  std::map<std::int64_t, std::vector<json>> ledgers; ///< by user, oldest first
  std::map<std::int64_t, json> summaries;            ///< by campaign
  std::vector<json> events;                          ///< oldest first
};

/// Reads by GET; `get` gives the body of a path and throws when there is none.
final_state read_final_state(const std::function<json(const std::string&)>& get);

/// All items of a list, walked by its next links.
std::vector<json> read_list(const std::function<json(const std::string&)>& get, const std::string& path);

/// Milliseconds since 1970 of an RFC 3339 time in UTC; throws for anything else.
std::int64_t instant_ms(const json& text);

} // namespace dr::chaos
