#include "http/codecs/json_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace dr::http {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Length of the well-formed UTF-8 sequence at the start of `text`, or 0.
std::size_t sequence_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  const std::size_t length = first < 0x80U ? 1 : first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  if (first < 0x80U) return 1;
  if (first < 0xC2U || first > 0xF4U || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  const auto second = byte(1);
  if (first == 0xE0U && second < 0xA0U) return 0;
  if (first == 0xEDU && second > 0x9FU) return 0;
  if (first == 0xF0U && second < 0x90U) return 0;
  if (first == 0xF4U && second > 0x8FU) return 0;
  return length;
}

bool is_special(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20U || byte == 0x7FU || c == '"' || c == '\\';
}

/// How many bytes at the start of `text` go out as they are.
std::size_t clean_length(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    const bool ascii = static_cast<unsigned char>(text[i]) < 0x80U;
    const auto length = ascii ? (is_special(text[i]) ? 0 : 1) : sequence_length(text.substr(i));
    if (length == 0) break;
    i += length;
  }
  return i;
}

/// Makes the text longer and returns where the new bytes go: what is written there is one step instead of many.
char* grow(std::string& out, std::size_t bytes) {
  const auto before = out.size();
  out.resize(before + bytes);
  return out.data() + before;
}

void append_escape(std::string& out, char c) {
  switch (c) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\r':
    out += "\\r";
    return;
  case '\t':
    out += "\\t";
    return;
  default:
    break;
  }
  constexpr char digits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += digits[byte >> 4U];
  out += digits[byte & 15U];
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  const auto clean = clean_length(text);
  if (clean == text.size()) { // nearly always
    auto* to = grow(out, text.size() + 2);
    *to++ = '"';
    to = std::copy(text.begin(), text.end(), to);
    *to = '"';
    return;
  }
  out += '"';
  for (auto rest = text; !rest.empty();) {
    const auto plain = clean_length(rest);
    out += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    if (is_special(rest.front()))
      append_escape(out, rest.front());
    else
      out += replacement;
    rest.remove_prefix(1);
  }
  out += '"';
}

/// Makes the text longer for a value or key, with the comma before it; returns where it goes.
char* json_writer::room_for(std::size_t bytes) {
  if (!comma_) return grow(out_, bytes);
  auto* to = grow(out_, bytes + 1);
  *to = ',';
  return to + 1;
}

json_writer& json_writer::open(char bracket) {
  *room_for(1) = bracket;
  comma_ = false;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

json_writer& json_writer::key(std::string_view name) {
  auto* to = room_for(name.size() + 3);
  *to++ = '"';
  to = std::copy(name.begin(), name.end(), to); // one of ours: nothing to escape
  *to++ = '"';
  *to = ':';
  comma_ = false;
  return *this;
}

json_writer& json_writer::value(std::string_view text) {
  if (comma_) out_ += ',';
  append_json_string(out_, text);
  comma_ = true;
  return *this;
}

json_writer& json_writer::value(double number) {
  if (!std::isfinite(number)) return null();
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed, 3);
  return raw(std::string_view(digits.data(), static_cast<std::size_t>(end.ptr - digits.data())));
}

json_writer& json_writer::raw(std::string_view json) {
  if (comma_) out_ += ',';
  out_ += json;
  comma_ = true;
  return *this;
}

json_writer& json_writer::raw(std::initializer_list<std::string_view> pieces) {
  std::size_t bytes = 0;
  for (const auto piece : pieces) bytes += piece.size();
  auto* to = room_for(bytes);
  for (const auto piece : pieces) to = std::copy(piece.begin(), piece.end(), to);
  comma_ = true;
  return *this;
}

json_writer& json_writer::kilowatts(std::string_view name, std::int64_t watts) {
  return key(name).raw(format_kilowatts(watts));
}

} // namespace dr::http
