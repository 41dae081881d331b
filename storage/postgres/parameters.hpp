// Values on their way to Postgres, as text.
#pragma once

#include "domain/time.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dr::storage {

/// A text that Postgres cannot keep (it holds a NUL).
class unstorable_text : public std::runtime_error {
public:
  unstorable_text() : std::runtime_error("a text holds a NUL character") {}
};

/// The literal of a Postgres array, element by element: {1,NULL,"a \"b\""}.
class array_literal {
public:
  array_literal& add(std::int64_t value);
  array_literal& add(std::string_view text);
  array_literal& add_flag(bool value);
  array_literal& add(time_point at) { return add(std::int64_t{at.time_since_epoch().count()}); }
  array_literal& add_null();
  template <class T> array_literal& add(const std::optional<T>& value) { return value ? add(*value) : add_null(); }
  /// An id or number where 0 means none.
  array_literal& add_nonzero(std::int64_t value) { return value ? add(value) : add_null(); }
  /// A text where empty means none.
  array_literal& add_nonempty(std::string_view text) { return text.empty() ? add_null() : add(text); }
  std::string take();

private:
  void separate();
  std::string text_ = "{";
};

/// The elements of a container as an array, by a function of each.
template <class Container, class Value> array_literal array_of(const Container& from, const Value& value) {
  array_literal out;
  for (const auto& one : from) out.add(value(one));
  return out;
}

/// A statement's text with each of its placeholders, $1 and on, replaced by what `by` makes of the number.
std::string replace_placeholders(std::string_view sql, const std::function<std::string(std::size_t number)>& by);

/// The parameters of one statement, in order.
class parameters {
public:
  parameters& add(std::int64_t value);
  parameters& add(std::string_view text);
  parameters& add_flag(bool value);
  parameters& add(time_point at) { return add(std::int64_t{at.time_since_epoch().count()}); }
  parameters& add_null();
  template <class T> parameters& add(const std::optional<T>& value) { return value ? add(*value) : add_null(); }
  parameters& add_nonzero(std::int64_t value) { return value ? add(value) : add_null(); }
  parameters& add(array_literal& array);
  /// All of the others, behind these.
  parameters& append(parameters others);
  std::size_t size() const noexcept { return values_.size(); }
  /// For the client library; valid as long as this is.
  std::vector<const char*> pointers() const;

private:
  std::vector<std::optional<std::string>> values_;
};

} // namespace dr::storage
