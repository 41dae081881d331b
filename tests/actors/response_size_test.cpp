// A million pending responses must fit: what one costs, with its place in the registry.
#include "actor_world.hpp"
#include "actors/entities.hpp"

#include <malloc.h>

using namespace dr;
using namespace dr::actor_test;

namespace {

std::size_t heap_bytes() {
  auto now = ::mallinfo2();
  return now.uordblks + now.hblkhd;
}

} // namespace

TEST_CASE(
    "a pending response costs at most 1.3 kB before its first message and 1.6 kB after, with its place in the registry",
    "[actors]") {
  constexpr std::int64_t count = 20'000;
  actor_world world([](settings& s) { s.actors.spawn_batch = 1'000; });
  auto of = std::make_shared<campaign>(world.start_campaign());
  auto registry = caf::actor_cast<registry_base>(world.all.registry);
  auto before = heap_bytes();
  if (before == 0) return; // an allocator (a sanitizer's) that does not count
  {
    responses_dispatched page{of, {}};
    for (std::int64_t i = 1; i <= count; ++i) page.responses.push_back({{i}, {i}, 100'000, answer::ignore, 1});
    caf::anon_send(registry, std::move(page));
    world.run();
  }
  CHECK(world.alive()["responses"] == count);
  auto asleep = (heap_bytes() - before) / count;
  // Awake: each has handled a message.
  caf::anon_send(registry, terms_changed{of});
  world.run();
  auto awake = (heap_bytes() - before) / count;
  WARN("bytes per pending response: " << asleep << " before its first message, " << awake << " after");
  CHECK(asleep <= 1'300);
  CHECK(awake <= 1'600);
}
