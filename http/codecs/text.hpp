// Small questions about text that every codec asks. Well-formed UTF-8 itself is checked by the server kit's valid_utf8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dr::http {

/// Characters (code points) in well-formed UTF-8.
std::size_t count_characters(std::string_view utf8) noexcept;
/// True when there is a control character (below U+0020, U+007F, or U+0080 to U+009F).
bool has_control_character(std::string_view utf8) noexcept;
/// True when nothing of it can be seen: white space, joiners and the like, or nothing at all.
bool is_blank(std::string_view utf8) noexcept;
/// The composed form (Unicode NFC), in which all text is kept and looked for: some devices send Hangul in its letters.
/// What is too long to come to `most` characters is left as it is: composing takes a time that grows with the square.
std::string composed(std::string_view utf8, std::size_t most);
/// For comparing without regard to case (Unicode case folding, composed).
std::string folded(std::string_view utf8);
/// True for 1 … `max` characters from '!' to '~'.
bool is_visible_ascii(std::string_view text, std::size_t max) noexcept;
/// Percent-encodes everything but RFC 3986's unreserved characters.
std::string percent_encoded(std::string_view text);
/// Lower-case hex.
std::string to_hex(std::string_view bytes);
/// What somebody sent, fit to be repeated in an answer: at most some hundred bytes, cut between two characters.
std::string shortened(std::string_view utf8);
/// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text) noexcept;

} // namespace dr::http
