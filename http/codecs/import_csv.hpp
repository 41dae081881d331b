// Reads a customer list (CSV, RFC 4180, UTF-8) as a stream, in bounded memory.
#pragma once

#include "domain/error.hpp"
#include "storage/writes.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace dr::http {

/// Columns by the header line, in any order: name, capacity (kW), custNo, point, baselineMethod, saa. The first two are
/// needed. A row that cannot be taken becomes a line error, and the others go on.
class import_reader {
public:
  static constexpr std::size_t max_row_bytes = 16 * 1024;

  import_reader();
  ~import_reader();
  import_reader(const import_reader&) = delete;
  import_reader& operator=(const import_reader&) = delete;

  /// Takes the next bytes. Fails: malformed (broken quoting, a row beyond max_row_bytes, not UTF-8 header), invalid (an
  /// unknown, repeated or missing column). After a failure rows read before it can still be taken.
  result<void> feed(std::string_view bytes);
  /// Tells that the input is over. Fails as feed, also when there was no header.
  result<void> finish();
  /// Rows read so far, in order; the caller takes them (and so keeps memory bounded).
  std::vector<storage::import_row>& rows() noexcept;
  std::vector<storage::imported::line_error>& errors() noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace dr::http
