// The process's allocator.
#pragma once

namespace dr {

/// From now on memory that was freed goes back to the system within some ten seconds, also while the server idles. By
/// threads of the allocator's own, so it is for the process that serves, not for one that forks. Logs a failure.
void return_freed_memory() noexcept;

} // namespace dr
