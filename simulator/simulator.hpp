// The KEPCO simulator as one object: a world of meters behind KEPCO's HTTP interface, with its faults and its counts.
// kepco-sim wraps it in a program; tests run it in their own process.
#pragma once

#include "domain/clock.hpp"
#include "domain/error.hpp"
#include "simulator/faults.hpp"
#include "simulator/model.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace dr::sim {

struct simulator_options {
  std::string address = "127.0.0.1"; ///< IPv4 or IPv6 literal
  std::uint16_t port = 0;            ///< 0: any free port
  unsigned io_threads = 2;
  generator_options generator;
  std::optional<std::chrono::minutes> lag; ///< none: the running quarter hour is there as a whole
  std::string service_key;                 ///< the one key taken; empty: any that is not empty
  std::chrono::milliseconds hang{60'000};  ///< real time after which a hanging call is cut off
};

/// Answers GET and POST of /OpenAPI/<operation>.do as KEPCO does, and under /_sim/:
/// POST and DELETE reductions (`?custNo=` for one customer's), POST sites, PUT and GET faults, GET stats.
class simulator {
public:
  /// `time` must outlive the simulator.
  simulator(simulator_options options, const clock& time);
  /// Stops at once.
  ~simulator();
  simulator(const simulator&) = delete;
  simulator& operator=(const simulator&) = delete;

  /// The meters, to be set up before or while it runs.
  model& meters() noexcept;
  /// The faults, as PUT /_sim/faults sets them.
  fault_dice& dice() noexcept;

  /// Listens. Fails: invalid (address in use or none of this machine).
  result<void> start();
  /// Lets calls under way finish for at most `grace`, then cuts them off. Repeating it does nothing.
  void stop(std::chrono::milliseconds grace);

  std::uint16_t port() const noexcept;
  /// "http://127.0.0.1:11080/OpenAPI": what a client is to be configured with.
  std::string base_url() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace dr::sim
