// A campaign's statement as CSV (RFC 4180, UTF-8), row by row.
#pragma once

#include "storage/store.hpp"

#include <string>
#include <string_view>

namespace dr::http {

/// The header line, with CRLF.
std::string statement_header();
/// Appends one row, with CRLF.
void append_statement_row(std::string& out, const storage::statement_row& row);
/// Appends one text field, quoted where needed. A text that a spreadsheet would run as a formula (it begins with one
/// of = + - @, a tab or a return) gets an apostrophe in front.
void append_csv_text(std::string& out, std::string_view text);

} // namespace dr::http
