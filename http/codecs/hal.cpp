#include "http/codecs/hal.hpp"

namespace dr::http {

namespace {

std::string page_path(const collection_place& place, const paging& at, const std::string& which) {
  return place.path + "?" + at.filters + (at.filters.empty() ? "" : "&") + which + (which.empty() ? "" : "&") +
         "size=" + std::to_string(at.at.size);
}

} // namespace

void finish_collection(json_writer& out, const collection_place& place, const paging& at,
                       std::optional<std::int64_t> total, bool more, std::int64_t last_id) {
  const auto size = static_cast<std::int64_t>(at.at.size);
  const auto pages = total ? (*total + size - 1) / size : 0;
  out.key("_links").begin_object();
  write_link(out, "self", place.origin, place.target);
  write_link(out, "first", place.origin, page_path(place, at, ""));
  if (!at.keyset && at.at.number > 0)
    write_link(out, "prev", place.origin, page_path(place, at, "page=" + std::to_string(at.at.number - 1)));
  if (more && last_id > 0)
    write_link(out, "next", place.origin, page_path(place, at, "after=" + std::to_string(last_id)));
  if (!at.keyset && total && pages > 0)
    write_link(out, "last", place.origin, page_path(place, at, "page=" + std::to_string(pages - 1)));
  out.end_object();
  out.key("page").begin_object().field("size", size);
  if (!at.keyset && total) out.field("totalElements", *total).field("totalPages", pages);
  if (!at.keyset) out.field("number", at.at.number);
  out.end_object().end_object();
}

} // namespace dr::http
