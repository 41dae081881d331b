// Does the plan's faults to the world, and undoes what lasts. Faults that take long strike in the background.
#pragma once

#include "tests/chaos/customer.hpp"
#include "tests/chaos/world.hpp"

#include <functional>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace dr::chaos {

/// strike(), tend() and end_all() are for one thread.
class fault_driver {
public:
  fault_driver(world& on, phase& run);
  ~fault_driver();

  void strike(const planned_fault& what);
  /// Undoes what has lasted long enough. Call it often.
  void tend();
  /// Ends every fault, and waits for those in the background.
  void end_all();

  const std::map<std::string, std::int64_t>& struck() const noexcept { return struck_; }
  /// What went wrong in doing it, for example a fenced server that did not leave.
  const std::vector<std::string>& complaints() const noexcept { return complaints_; }

private:
  void strike_server(const planned_fault& what);
  void strike_storage(const planned_fault& what);
  void strike_kepco(const planned_fault& what);
  void in_background(std::function<void()> what);
  void later(milliseconds delay, std::function<void()> what);
  void keep_server();
  void collect(bool all);

  world& world_;
  phase& run_;
  std::multimap<steady::time_point, std::function<void()>> undo_;
  std::vector<std::future<void>> background_;
  std::map<std::string, std::int64_t> struck_;
  std::vector<std::string> complaints_;
  std::atomic<bool> done_{false};
  std::thread keeper_; ///< starts a server that died again, as its launcher would
};

} // namespace dr::chaos
