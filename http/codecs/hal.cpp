#include "http/codecs/hal.hpp"

namespace dr::http {

namespace {

std::string page_path(const collection_place& place, const paging& at, const std::string& which) {
  return place.path + "?" + at.filters + (at.filters.empty() ? "" : "&") + which + (which.empty() ? "" : "&") +
         "size=" + std::to_string(at.at.size);
}

} // namespace

collection_writer::collection_writer(const collection_place& place, const paging& at, std::size_t items)
    : place_(place), at_(at) {
  constexpr std::size_t envelope = 1'024;
  constexpr std::size_t item = 512; // a response has some 420 bytes
  text_.reserve(envelope + item * items);
  out_.begin_object().key("_embedded").begin_object().key(place.name).begin_array();
}

std::string collection_writer::finish(const storage::page_end& end) {
  const auto size = static_cast<std::int64_t>(at_.at.size);
  const auto pages = end.total ? (*end.total + size - 1) / size : 0;
  const auto link = [&](const char* name, const std::string& which) {
    write_link(out_, name, place_.origin, page_path(place_, at_, which));
  };
  out_.end_array().end_object();
  out_.key("_links").begin_object();
  write_link(out_, "self", place_.origin, place_.target);
  link("first", "");
  if (!at_.keyset && at_.at.number > 0) link("prev", "page=" + std::to_string(at_.at.number - 1));
  if (end.more && last_id_ > 0) link("next", "after=" + std::to_string(last_id_));
  if (!at_.keyset && end.total && pages > 0) link("last", "page=" + std::to_string(pages - 1));
  out_.end_object();
  out_.key("page").begin_object().field("size", size);
  if (!at_.keyset && end.total) out_.field("totalElements", *end.total).field("totalPages", pages);
  if (!at_.keyset) out_.field("number", at_.at.number);
  out_.end_object().end_object();
  return std::move(text_);
}

} // namespace dr::http
