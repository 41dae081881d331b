// How many files and sockets the process may have open.
#pragma once

namespace dr {

/// Raises the soft limit of open files (RLIMIT_NOFILE) to the hard one, so that customers are not refused by a default
/// of 1,024 that nobody chose. Safe for us: nothing here calls select(), which cannot take descriptors above 1,023.
/// Logs a failure; the limit then stays.
void use_all_open_files() noexcept;

} // namespace dr
