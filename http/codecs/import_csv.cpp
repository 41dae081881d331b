#include "http/codecs/import_csv.hpp"

#include "http/codecs/commands.hpp"
#include "http/codecs/fields.hpp"
#include "http/codecs/numbers.hpp"
#include "http/codecs/text.hpp"
#include "http/server/request.hpp"

#include <csv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

namespace dr::http {

namespace {

constexpr std::array<std::string_view, 6> column_names{"name", "capacity", "custNo", "point", "baselineMethod", "saa"};
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

error broken(int line, const std::string& why) {
  return fail(errc::malformed, "Line " + std::to_string(line) + " " + why + ".");
}

} // namespace

struct import_reader::impl {
  csv_parser parser{};
  std::vector<std::size_t> columns; ///< index into column_names by position; empty: the header is not read yet
  std::vector<std::string> cells;
  std::vector<storage::import_row> rows;
  std::vector<storage::imported::line_error> errors;
  std::string head; ///< the first bytes, until a byte order mark can be told
  bool begun = false;
  int line = 1;     ///< of the bytes being read
  int row_line = 1; ///< where the present row began
  bool in_row = false;
  bool after_return = false; ///< a line feed now belongs to the line's end that was counted
  std::size_t row_bytes = 0;
  std::optional<error> failure;

  impl() {
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) throw std::bad_alloc();
  }
  ~impl() { csv_free(&parser); }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  static void on_cell(void* data, std::size_t size, void* self) {
    static_cast<impl*>(self)->cells.emplace_back(static_cast<const char*>(data), size);
  }
  static void on_row(int, void* self) { static_cast<impl*>(self)->end_row(); }

  void end_row() {
    in_row = false;
    row_bytes = 0;
    if (failure) return;
    if (columns.empty())
      read_header();
    else
      read_row();
    cells.clear();
  }
  void read_header();
  void read_row();
  bool wrong(std::string_view column, std::string detail) {
    errors.push_back({row_line, std::string(column), std::move(detail)});
    return false;
  }
  bool take(storage::import_row& row, std::string_view column, const std::string& text);
  result<void> parse_line(std::string_view bytes);
};

void import_reader::impl::read_header() {
  std::vector<field_error> bad;
  for (const auto& cell : cells) {
    const auto known = std::find(column_names.begin(), column_names.end(), trimmed(cell));
    const auto index = static_cast<std::size_t>(known - column_names.begin());
    if (known == column_names.end())
      bad.push_back({valid_utf8(cell) ? cell.substr(0, 100) : "?", "is not a column of the customer list"});
    else if (std::find(columns.begin(), columns.end(), index) != columns.end())
      bad.push_back({cell, "is there twice"});
    else
      columns.push_back(index);
  }
  for (const std::size_t needed : {0U, 1U})
    if (bad.empty() && std::find(columns.begin(), columns.end(), needed) == columns.end())
      bad.push_back({std::string(column_names[needed]), "is a required column"});
  if (!bad.empty()) failure = invalid_fields(std::move(bad));
}

bool import_reader::impl::take(storage::import_row& row, std::string_view column, const std::string& text) {
  const auto value = trimmed(text);
  if (column == "name") {
    if (!valid_utf8(value)) return wrong(column, "must be UTF-8");
    row.name = composed(value, max_name_characters);
    const auto length = count_characters(row.name);
    if (length < 1 || length > max_name_characters) return wrong(column, "must have 1 to 200 characters");
    if (has_control_character(row.name)) return wrong(column, "must not hold control characters");
    return !is_blank(row.name) || wrong(column, "must not be blank");
  }
  if (column == "capacity") {
    const auto watts = parse_thousandths(value);
    if (!watts || *watts < min_capacity_w || *watts > max_capacity_w)
      return wrong(column, "must be a number between 1 and 1000000 with at most three decimals");
    row.capacity_w = *watts;
    return true;
  }
  if (value.empty()) return true; // the other columns may be left empty
  if (column == "custNo") {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (value.size() != 10 || !std::all_of(value.begin(), value.end(), digit))
      return wrong(column, "must be KEPCO's ten digits");
    row.cust_no = value;
  } else if (column == "point") {
    const auto points = parse_digits(value);
    if (!points || *points < 0 || *points > max_points) return wrong(column, between(0, max_points));
    row.opening_points = *points;
  } else if (column == "baselineMethod") {
    row.method = parse_baseline_method(value);
    if (!row.method) return wrong(column, "must be max-4-5, mid-6-10, mid-4-6 or mid-8-10");
  } else if (value == "true" || value == "false") {
    row.saa = value == "true";
  } else {
    return wrong(column, "must be true or false");
  }
  return true;
}

void import_reader::impl::read_row() {
  if (cells.size() != columns.size()) {
    wrong("", "has " + std::to_string(cells.size()) + " fields instead of " + std::to_string(columns.size()));
    return;
  }
  storage::import_row row;
  row.line = row_line;
  bool fine = true;
  for (std::size_t i = 0; i < cells.size(); ++i) fine = take(row, column_names[columns[i]], cells[i]) && fine;
  if (fine) rows.push_back(std::move(row));
}

/// Bytes up to and with one carriage return or line feed, so that a row's callback fires while `line` still counts it.
result<void> import_reader::impl::parse_line(std::string_view bytes) {
  const bool second_half = std::exchange(after_return, bytes.ends_with('\r')) && bytes == "\n";
  if (!in_row && bytes.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    in_row = true;
    row_line = line;
  }
  if (in_row) row_bytes += bytes.size();
  if (row_bytes > max_row_bytes) return broken(row_line, "is too long");
  if (csv_parse(&parser, bytes.data(), bytes.size(), on_cell, on_row, this) != bytes.size())
    return csv_error(&parser) == CSV_EPARSE ? broken(line, "has a misplaced quotation mark")
                                            : fail(errc::overloaded, "Out of memory.");
  if (failure) return *failure;
  if ((bytes.ends_with('\n') || bytes.ends_with('\r')) && !second_half) ++line;
  return {};
}

import_reader::import_reader() : impl_(std::make_unique<impl>()) {}
import_reader::~import_reader() = default;

result<void> import_reader::feed(std::string_view bytes) {
  auto& me = *impl_;
  if (me.failure) return *me.failure;
  std::string joined;
  if (!me.begun) {
    me.head += bytes;
    if (me.head.size() < byte_order_mark.size() && byte_order_mark.starts_with(me.head)) return {};
    me.begun = true;
    joined = std::move(me.head);
    bytes = joined;
    if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  }
  while (!bytes.empty()) {
    const auto end = bytes.find_first_of("\r\n");
    const auto part = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
    if (auto fine = me.parse_line(part); !fine) {
      me.failure = fine.error();
      return fine;
    }
    bytes.remove_prefix(part.size());
  }
  return {};
}

result<void> import_reader::finish() {
  auto& me = *impl_;
  if (!me.begun && !me.head.empty()) {
    me.begun = true;
    if (auto fine = me.parse_line(me.head); !fine) me.failure = fine.error();
  }
  if (!me.failure && csv_fini(&me.parser, impl::on_cell, impl::on_row, impl_.get()) != 0 && !me.failure)
    me.failure = broken(me.row_line, "ends inside of quotation marks");
  if (!me.failure && me.columns.empty())
    me.failure = fail(errc::malformed, "The list is empty; its first line names the columns: name,capacity,custNo.");
  if (me.failure) return *me.failure;
  return {};
}

std::vector<storage::import_row>& import_reader::rows() noexcept { return impl_->rows; }
std::vector<storage::imported::line_error>& import_reader::errors() noexcept { return impl_->errors; }

} // namespace dr::http
