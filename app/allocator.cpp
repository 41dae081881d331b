#include "app/allocator.hpp"

#ifdef DR_JEMALLOC
#include <spdlog/spdlog.h>

#include <jemalloc/jemalloc.h>
#endif

namespace dr {

void return_freed_memory() noexcept {
#ifdef DR_JEMALLOC
  bool on = true;
  if (const int failed = mallctl("background_thread", nullptr, nullptr, &on, sizeof on); failed != 0)
    spdlog::warn("the allocator has no threads of its own (error {}): memory is given back only under load", failed);
#endif
}

} // namespace dr
