#include "http/codecs/fields.hpp"

#include "http/codecs/numbers.hpp"
#include "http/codecs/text.hpp"
#include "http/server/request.hpp"

#include <algorithm>

namespace dr::http {

namespace {

using json_kind = json_value::kind;
using namespace std::chrono_literals;

// Instants outside of these years are typing errors, and arithmetic on them could overflow.
constexpr time_point earliest = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
constexpr time_point latest = std::chrono::sys_days{std::chrono::year{2200} / 1 / 1};

/// RFC 6901: '~' and '/' inside a name are escaped.
std::string pointer_to(std::string_view name) {
  std::string out = "/";
  for (const char c : shortened(name)) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

} // namespace

std::string between(std::int64_t least, std::int64_t most) {
  return "must be between " + std::to_string(least) + " and " + std::to_string(most);
}

error invalid_fields(std::vector<field_error> wrong) {
  std::string detail;
  for (const auto& field : wrong) {
    if (detail.size() > 500) {
      detail += " …";
      break;
    }
    detail += (detail.empty() ? "" : "; ") + field.pointer + " " + field.detail;
  }
  return {errc::invalid, detail + ".", std::move(wrong)};
}

void field_reader::note(std::string_view name, std::string detail) {
  wrong_.push_back({pointer_to(name), std::move(detail)});
}

const json_value* field_reader::given(std::string_view name) {
  known_.push_back(name);
  const auto* v = from_.find(name);
  if (v == nullptr || !v->is(json_kind::null)) return v;
  if (nulls_ == null_is::wrong) note(name, "must not be null");
  return nullptr;
}

const json_value* field_reader::string_of(std::string_view name) {
  const auto* v = given(name);
  if (v == nullptr) return nullptr;
  if (v->is(json_kind::string)) return v;
  note(name, "must be a string");
  return nullptr;
}

std::optional<std::string> field_reader::text(std::string_view name, std::size_t least, std::size_t most) {
  const auto* v = string_of(name);
  if (v == nullptr) return std::nullopt;
  auto text = composed(v->text, most);
  const auto length = count_characters(text);
  if (!valid_utf8(v->text))
    note(name, "must be UTF-8");
  else if (length < least || length > most)
    note(name, "must have " + std::to_string(least) + " to " + std::to_string(most) + " characters");
  else if (has_control_character(text))
    note(name, "must not hold control characters");
  else if (least > 0 && is_blank(text))
    note(name, "must not be blank");
  else
    return text;
  return std::nullopt;
}

std::optional<bool> field_reader::flag(std::string_view name) {
  const auto* v = given(name);
  if (v == nullptr) return std::nullopt;
  if (v->is(json_kind::boolean)) return v->truth;
  note(name, "must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> field_reader::whole(std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* v = given(name);
  if (v == nullptr) return std::nullopt;
  const auto number = v->is(json_kind::number) ? parse_whole(v->text) : std::nullopt;
  if (number && *number >= least && *number <= most) return number;
  note(name, (number ? "" : "must be a whole number and ") + between(least, most));
  return std::nullopt;
}

std::optional<std::int64_t> field_reader::kilowatts(std::string_view name, std::int64_t least_w, std::int64_t most_w) {
  const auto* v = given(name);
  if (v == nullptr) return std::nullopt;
  const auto range = "must be between " + format_kilowatts(least_w) + " and " + format_kilowatts(most_w);
  if (!v->is(json_kind::number)) {
    note(name, "must be a number and " + range);
    return std::nullopt;
  }
  const auto watts = parse_thousandths(v->text);
  if (watts && *watts >= least_w && *watts <= most_w) return watts;
  note(name, watts ? range : range + " with at most three decimals");
  return std::nullopt;
}

std::optional<time_point> field_reader::instant(std::string_view name, bool plain_date) {
  const auto* v = string_of(name);
  if (v == nullptr) return std::nullopt;
  auto at = parse_rfc3339(v->text);
  if (!at && plain_date)
    if (const auto day = parse_day(v->text)) at = start_of(*day);
  if (at && *at >= earliest && *at < latest) return at;
  note(name, at           ? "must lie in the years 2000 to 2199"
             : plain_date ? "must be an RFC 3339 time or a date such as 2026-11-22"
                          : "must be an RFC 3339 time such as 2026-11-22T07:26:00Z");
  return std::nullopt;
}

std::optional<std::string> field_reader::cust_no(std::string_view name) {
  const auto* v = string_of(name);
  if (v == nullptr) return std::nullopt;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (v->text.size() == 10 && std::all_of(v->text.begin(), v->text.end(), digit)) return v->text;
  note(name, "must be KEPCO's ten digits");
  return std::nullopt;
}

bool field_reader::is_null(std::string_view name) {
  const auto* v = from_.find(name);
  if (v == nullptr || !v->is(json_kind::null)) return false;
  known_.push_back(name);
  return true;
}

void field_reader::require(std::string_view name) {
  const auto* v = from_.find(name);
  if (v == nullptr || (v->is(json_kind::null) && nulls_ == null_is::absent)) note(name, "is required");
}

void field_reader::refuse(std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    known_.push_back(name);
    if (has(name)) note(name, "is read-only");
  }
}

result<void> field_reader::finish() {
  for (const auto& member : from_.members)
    if (std::find(known_.begin(), known_.end(), member.name) == known_.end())
      note(member.name, "is not a field of this resource");
  if (wrong_.empty()) return {};
  return invalid_fields(std::move(wrong_));
}

} // namespace dr::http
