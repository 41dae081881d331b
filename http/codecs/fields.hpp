// Takes the fields of a JSON object one by one and collects everything that is wrong with them.
#pragma once

#include "domain/error.hpp"
#include "domain/time.hpp"
#include "http/codecs/json_reader.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dr::http {

/// How a field was given: not at all, as null, or with a value.
template <class T> using nullable = std::optional<std::optional<T>>;

/// Whether null is the same as leaving the field out, clears it, or is wrong.
enum class null_is : unsigned char { absent, wrong };

/// Reads one object. Each getter returns nothing when the field is absent or wrong; a wrong one is noted. finish()
/// tells all at once. Not copied; `from` must outlive it.
class field_reader {
public:
  explicit field_reader(const json_value& from, null_is nulls = null_is::wrong) : from_(from), nulls_(nulls) {}

  /// UTF-8 of `least` … `most` characters without control characters.
  std::optional<std::string> text(std::string_view name, std::size_t least, std::size_t most);
  std::optional<bool> flag(std::string_view name);
  std::optional<std::int64_t> whole(std::string_view name, std::int64_t least, std::int64_t most);
  /// kW with up to three decimals, as W.
  std::optional<std::int64_t> kilowatts(std::string_view name, std::int64_t least_w, std::int64_t most_w);
  /// RFC 3339; with `plain_date` also a date, which means that day's start in Korea.
  std::optional<time_point> instant(std::string_view name, bool plain_date = false);
  /// Exactly ten digits.
  std::optional<std::string> cust_no(std::string_view name);
  /// One of the names that `parse` knows; `names` says them in the error.
  template <class T, class Parse> std::optional<T> named(std::string_view name, Parse parse, std::string_view names) {
    const auto* v = string_of(name);
    if (v == nullptr) return std::nullopt;
    auto value = parse(std::string_view(v->text));
    if (!value) note(name, "must be " + std::string(names));
    return value;
  }

  /// True when the field is there and null; such a field then counts as read.
  bool is_null(std::string_view name);
  /// True when the field is there at all.
  bool has(std::string_view name) const noexcept { return from_.find(name) != nullptr; }
  /// Wraps a getter so that null means "clear": `clearable(r, "endsAt", [&] { return r.instant("endsAt"); })`.
  template <class Get> auto clearable(std::string_view name, Get get) -> std::optional<decltype(get())> {
    if (is_null(name)) return decltype(get()){};
    auto value = get();
    if (!value) return std::nullopt;
    return value;
  }

  /// The field must be there.
  void require(std::string_view name);
  /// Fields that may be sent back as they were read and change nothing.
  void ignore(std::span<const std::string_view> names) { known_.insert(known_.end(), names.begin(), names.end()); }
  void ignore(std::initializer_list<std::string_view> names) { ignore(std::span(names.begin(), names.size())); }
  /// Read-only fields, refused by name.
  void refuse(std::initializer_list<std::string_view> names);
  void note(std::string_view name, std::string detail);

  /// Refuses what nobody asked for. Fails: invalid, with every wrong field.
  result<void> finish();

private:
  const json_value* given(std::string_view name);
  const json_value* string_of(std::string_view name);

  const json_value& from_;
  null_is nulls_;
  std::vector<std::string_view> known_;
  std::vector<field_error> wrong_;
};

/// One `invalid` error for several wrong fields; its detail names them.
error invalid_fields(std::vector<field_error> wrong);
/// "must be between 1 and 1000".
std::string between(std::int64_t least, std::int64_t most);

} // namespace dr::http
