// What the handlers share.
#pragma once

#include "http/answers.hpp"
#include "http/codecs/etag.hpp"
#include "http/codecs/queries.hpp"
#include "http/commands.hpp"
#include "http/handlers/handlers.hpp"
#include "http/idempotency.hpp"
#include "http/reads.hpp"

namespace dr::http::handlers {

/// The id in the path as a strong id. Fails: not_found when it can be none.
template <class Id> result<Id> id_of(const call& c) {
  if (const auto number = path_id(c.http)) return Id{*number};
  return fail(errc::not_found);
}

/// The version that If-Match demands. Fails as expected_version().
inline result<std::optional<std::int64_t>> demanded_version(const call& c) {
  const auto header = c.http.header("If-Match");
  if (!header) return std::optional<std::int64_t>{};
  if (c.http.is_repeated("If-Match")) return invalid_field("If-Match", "must be given once");
  return expected_version(*header);
}

/// For changes that take no version with them: compares before. Fails: version_conflict.
inline result<void> compare_version(const call& c, std::int64_t present) {
  const auto demanded = demanded_version(c);
  if (!demanded) return demanded.error();
  if (*demanded && **demanded != present) return fail(errc::version_conflict);
  return {};
}

} // namespace dr::http::handlers
