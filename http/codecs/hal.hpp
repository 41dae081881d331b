// HAL collections: items written straight into the text, links that keep the filters, totals where they were counted.
#pragma once

#include "http/codecs/entities.hpp"
#include "http/codecs/queries.hpp"
#include "storage/store.hpp"

#include <string>
#include <string_view>

namespace dr::http {

/// A collection as a client sees it.
struct collection_place {
  std::string origin; ///< "http://host"
  std::string path;   ///< "/users"
  std::string name;   ///< the key under _embedded, "users"
  std::string target; ///< the request target as sent, for `self`
};

/// `_links` and `page`, and the closing brace. `last_id`: of the last item shown, 0 for none.
void finish_collection(json_writer& out, const collection_place& place, const paging& at,
                       std::optional<std::int64_t> total, bool more, std::int64_t last_id);

/// The whole collection document.
template <class T, class Write>
std::string write_collection(const collection_place& place, const paging& at, const storage::page<T>& rows, Write write,
                             std::int64_t last_id) {
  std::string text;
  text.reserve(256 + rows.items.size() * 600);
  json_writer out(text);
  out.begin_object().key("_embedded").begin_object().key(place.name).begin_array();
  for (const auto& row : rows.items) write(out, row, &place.origin);
  out.end_array().end_object();
  finish_collection(out, place, at, rows.total, rows.more, last_id);
  return text;
}

} // namespace dr::http
