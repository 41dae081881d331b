// What an import answers, and how a chunk's part of it is kept with the chunk.
#pragma once

#include "domain/error.hpp"
#include "storage/writes.hpp"

#include <string>
#include <string_view>

namespace dr::http {

/// `{created, updated, errors:[{line, field, detail}]}`
std::string to_json(const storage::imported& what);
/// The same read back. Fails: invalid.
result<storage::imported> parse_imported(std::string_view json);
/// Everything that makes a chunk what it is, for its hash.
std::string fingerprint(const std::vector<storage::import_row>& rows);

} // namespace dr::http
