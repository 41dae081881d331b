// What a process has used: CPU time and memory, from /proc.
#pragma once

#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace dr::bench {

struct usage {
  double cpu_s = 0;           ///< user and system time since its start
  std::int64_t rss_bytes = 0; ///< resident now
};

/// Of one process; zeros when it is gone.
usage usage_of(pid_t pid);
/// The CPU seconds of a process and its children (Postgres and its backends); children that have ended count as far as
/// they were waited for.
double cpu_s_of_family(pid_t parent);
std::vector<pid_t> children_of(pid_t parent);
/// 0 when it is gone.
pid_t parent_of(pid_t child);

} // namespace dr::bench
