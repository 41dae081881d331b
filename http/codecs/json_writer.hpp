// Writes JSON straight into a text: no tree is built, so a page of a thousand rows costs its bytes and nothing more.
#pragma once

#include "domain/time.hpp"
#include "http/codecs/numbers.hpp"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace dr::http {

/// Appends a JSON string literal; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends to a text that must outlive it. The caller keeps begin and end in balance.
class json_writer {
public:
  explicit json_writer(std::string& out) : out_(out) {}

  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }
  /// `name` is taken as it is: one of our own, without anything to escape.
  json_writer& key(std::string_view name);

  json_writer& value(std::string_view text);
  json_writer& value(const char* text) { return value(std::string_view(text)); }
  json_writer& value(const std::string& text) { return value(std::string_view(text)); }
  json_writer& value(std::same_as<bool> auto truth) { return raw(truth ? "true" : "false"); }
  json_writer& value(std::integral auto number) requires(!std::same_as<decltype(number), bool>) {
    return raw(digits(number).view());
  }
  json_writer& value(double number);
  json_writer& value(time_point at) { return value(format_rfc3339(at)); }
  json_writer& null() { return raw("null"); }
  /// Ready JSON, taken as it is.
  json_writer& raw(std::string_view json);
  /// The same from pieces, put together.
  json_writer& raw(std::initializer_list<std::string_view> pieces);

  template <class T> json_writer& field(std::string_view name, const T& what) { return key(name).value(what); }
  /// Nothing is written as null.
  template <class T> json_writer& field(std::string_view name, const std::optional<T>& what) {
    return what ? key(name).value(*what) : key(name).null();
  }
  /// A power in W as a number of kW.
  json_writer& kilowatts(std::string_view name, std::int64_t watts);

private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  char* room_for(std::size_t bytes);

  std::string& out_;
  bool comma_ = false; ///< a value stands right before
};

} // namespace dr::http
