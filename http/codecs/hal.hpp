// HAL collections: items written straight into the text, links that keep the filters, totals where they were counted.
#pragma once

#include "http/codecs/entities.hpp"
#include "http/codecs/queries.hpp"
#include "storage/store.hpp"

#include <cstddef>
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

/// A collection document that grows item by item.
class collection_writer {
public:
  /// Makes room for so many items. `place` and `at` must outlive it.
  collection_writer(const collection_place& place, const paging& at, std::size_t items);
  collection_writer(const collection_writer&) = delete;
  collection_writer& operator=(const collection_writer&) = delete;
  template <class T, class Write> void add(const T& row, Write write, std::int64_t id) {
    write(out_, row, &place_.origin);
    last_id_ = id;
  }
  /// Adds `_links` and `page`, and gives the document away.
  std::string finish(const storage::page_end& end);

private:
  const collection_place& place_;
  const paging& at_;
  std::string text_;
  json_writer out_{text_};
  std::int64_t last_id_ = 0;
};

/// The whole collection document.
template <class T, class Write, class IdOf>
std::string write_collection(const collection_place& place, const paging& at, const storage::page<T>& rows, Write write,
                             IdOf id_of) {
  collection_writer document(place, at, rows.items.size());
  for (const auto& row : rows.items) document.add(row, write, id_of(row));
  return document.finish(rows);
}

} // namespace dr::http
