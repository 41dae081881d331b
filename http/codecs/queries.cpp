#include "http/codecs/queries.hpp"

#include "http/codecs/fields.hpp"
#include "http/codecs/numbers.hpp"
#include "http/codecs/text.hpp"

#include <algorithm>

namespace dr::http {

void query_reader::note(std::string_view name, std::string detail) {
  wrong_.push_back({std::string(name), std::move(detail)});
}

const std::string* query_reader::take(std::string_view name) {
  known_.push_back(name);
  const std::string* found = nullptr;
  for (const auto& p : query_) {
    if (p.name != name) continue;
    if (found != nullptr) {
      note(name, "is given twice");
      return nullptr;
    }
    found = &p.value;
  }
  if (found != nullptr && name != "page" && name != "size" && name != "after")
    filters_ += (filters_.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(*found);
  return found;
}

std::optional<std::string> query_reader::text(std::string_view name, std::size_t max_characters) {
  const auto* given = take(name);
  if (given == nullptr) return std::nullopt;
  auto text = composed(*given, max_characters);
  if (count_characters(text) <= max_characters && !has_control_character(text)) return text;
  note(name, "must have at most " + std::to_string(max_characters) + " characters, none of them control characters");
  return std::nullopt;
}

std::optional<std::int64_t> query_reader::whole(std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* given = take(name);
  if (given == nullptr) return std::nullopt;
  const auto number = parse_digits(*given);
  if (number && *number >= least && *number <= most) return number;
  note(name, "must be a whole number and " + between(least, most));
  return std::nullopt;
}

std::optional<bool> query_reader::flag(std::string_view name) {
  const auto* given = take(name);
  if (given == nullptr) return std::nullopt;
  if (*given == "true") return true;
  if (*given == "false") return false;
  note(name, "must be true or false");
  return std::nullopt;
}

paging query_reader::page() {
  paging made;
  made.at.size = static_cast<int>(whole("size", 1, max_page_size).value_or(default_page_size));
  const auto number = whole("page", 0, max_page_number);
  const auto after = whole("after", 0, INT64_MAX);
  if (number && after) note("after", "and page exclude each other");
  made.at.number = number.value_or(0);
  made.at.after = after.value_or(0);
  made.keyset = after.has_value();
  made.filters = std::move(filters_);
  return made;
}

result<void> query_reader::finish() {
  for (const auto& p : query_)
    if (std::find(known_.begin(), known_.end(), p.name) == known_.end()) {
      known_.push_back(p.name);
      note(p.name, "is not a parameter of this resource");
    }
  if (wrong_.empty()) return {};
  return invalid_fields(std::move(wrong_));
}

result<void> no_query(const request_context& request) { return query_reader(request).finish(); }

std::optional<std::int64_t> path_id(const request_context& request, std::string_view name) {
  const auto text = request.param(name);
  const auto id = text ? parse_digits(*text) : std::nullopt;
  return id && *id > 0 && text->front() != '0' ? id : std::nullopt;
}

} // namespace dr::http
