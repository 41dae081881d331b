// The load generator for HTTP: keep-alive connections to a loopback port, no pipelining, one thread, bounded in count
// and time.
#pragma once

#include "bench/histogram.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace dr::bench {

struct load_options {
  std::uint16_t port = 0; ///< on 127.0.0.1
  int connections = 1;
  /// Appends the bytes of request number `index` (0, 1, 2 …) to the empty `out`.
  std::function<void(std::int64_t index, std::string& out)> next;
  std::chrono::milliseconds warm_up{300}; ///< answers of this time are not counted
  std::chrono::milliseconds time{3'000};  ///< the counted time
  /// 0: closed loop, each connection asks again as soon as it has its answer. Else requests per second (open loop):
  /// request n is due at n / per_s whatever the answers do, and its latency counts from when it was due, so that a
  /// stalled server cannot hide the requests it kept from being sent.
  double per_s = 0;
  std::int64_t at_most = 0; ///< requests altogether; 0: as many as the time allows
  /// Called for every answer, if set; `body` is valid during the call.
  std::function<void(std::int64_t index, unsigned status, std::string_view body)> answered;
};

struct load_result {
  histogram latency;                         ///< of answers 2xx in the counted time
  std::int64_t sent = 0;                     ///< requests begun, the uncounted ones too
  std::map<unsigned, std::int64_t> statuses; ///< all answers by status; 0: the connection broke
  double seconds = 0;                        ///< of the counted time
  double per_s() const { return seconds > 0 ? static_cast<double>(latency.count()) / seconds : 0; }
  std::int64_t ok() const;     ///< 2xx, the uncounted ones too
  std::int64_t failed() const; ///< all others
};

/// Runs the load to its end, with every answer awaited (ten seconds at most). A broken connection is made again.
/// Throws std::runtime_error when nothing listens.
load_result run_load(const load_options& options);

/// "METHOD target HTTP/1.1" with the header fields that every request of the bench carries.
class request_writer {
public:
  /// `token`: sent as bearer token; empty: none.
  request_writer(std::uint16_t port, const std::string& token);
  /// Appends one request; with a body as application/json. `extra`: header lines, each ending in CR LF.
  void write(std::string& out, std::string_view method, std::string_view target, std::string_view body = {},
             std::string_view extra = {}) const;

private:
  std::string fields_;
};

} // namespace dr::bench
