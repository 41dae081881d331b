// Strong entity tags made from a row's version, and the conditions that clients attach to them.
#pragma once

#include "domain/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dr::http {

/// `"7"`; with `derived` (text in the representation that the row's version does not cover, such as a user's present
/// name in its response) `"7-1f3a…"`.
std::string make_etag(std::int64_t version, std::string_view derived = {});
/// If-None-Match: true when the representation with this tag need not be sent again.
bool none_match_hits(std::string_view header, std::string_view etag);
/// If-Match on a write: the version it names; nothing for "*". Fails: version_conflict when it can match no version (a
/// weak or foreign tag), invalid for more than one tag.
result<std::optional<std::int64_t>> expected_version(std::string_view header);

} // namespace dr::http
