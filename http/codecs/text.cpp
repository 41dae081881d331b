#include "http/codecs/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utf8proc.h>

namespace dr::http {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

bool is_unreserved(unsigned char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool is_ascii(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80U; });
}

std::string mapped(std::string_view utf8, int how) {
  utf8proc_uint8_t* made = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()), static_cast<utf8proc_ssize_t>(utf8.size()),
                   &made, static_cast<utf8proc_option_t>(how | UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(made, &std::free);
  if (size < 0) return std::string(utf8);
  return {reinterpret_cast<const char*>(made), static_cast<std::size_t>(size)};
}

bool is_invisible(utf8proc_int32_t character) noexcept {
  if (utf8proc_get_property(character)->ignorable) return true;
  switch (utf8proc_category(character)) {
  case UTF8PROC_CATEGORY_ZS:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP:
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
    return true;
  default:
    return character == 0x2800; // the Braille pattern without dots
  }
}

} // namespace

bool is_blank(std::string_view utf8) noexcept {
  while (!utf8.empty()) {
    utf8proc_int32_t character = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                                       static_cast<utf8proc_ssize_t>(utf8.size()), &character);
    if (size <= 0 || !is_invisible(character)) return false;
    utf8.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

std::string composed(std::string_view utf8, std::size_t most) {
  constexpr std::size_t pieces = 4; // of one character, at most
  if (is_ascii(utf8) || count_characters(utf8) > pieces * most) return std::string(utf8);
  return mapped(utf8, 0);
}

std::string folded(std::string_view utf8) { return mapped(utf8, UTF8PROC_CASEFOLD); }

std::size_t count_characters(std::string_view utf8) noexcept {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; // every byte but the continuations begins a character
  }));
}

bool has_control_character(std::string_view utf8) noexcept {
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x20U || c == 0x7FU) return true;
    // U+0080 … U+009F are C2 80 … C2 9F
    if (c == 0xC2U && i + 1 < utf8.size() && static_cast<unsigned char>(utf8[i + 1]) < 0xA0U) return true;
  }
  return false;
}

bool is_visible_ascii(std::string_view text, std::size_t max) noexcept {
  return !text.empty() && text.size() <= max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(byte)) {
      out += c;
    } else {
      out += '%';
      out += static_cast<char>(std::toupper(hex_digits[byte >> 4U]));
      out += static_cast<char>(std::toupper(hex_digits[byte & 15U]));
    }
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += hex_digits[byte >> 4U];
    out += hex_digits[byte & 15U];
  }
  return out;
}

std::string shortened(std::string_view utf8) {
  constexpr std::size_t most = 100;
  if (utf8.size() <= most) return std::string(utf8);
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(utf8[end]) & 0xC0U) == 0x80U) --end;
  return std::string(utf8.substr(0, end)) + "…";
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

} // namespace dr::http
