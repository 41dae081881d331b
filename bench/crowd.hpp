// Many customers and one open order to all of them: what most cases begin with.
#pragma once

#include "bench/cases.hpp"

#include <utility>

namespace dr::bench {

/// A database with users 1 … `count` and one running campaign, dispatched to all.
struct crowd {
  crowd(const places& where, int users);
  database data;
  int users;
  std::int64_t campaign = 0;
  std::int64_t first_response = 0; ///< the others follow without gaps

  /// Enrols and dispatches through a server, which is left running (or stopped by `server::stop`).
  void dispatch(server& by);
};

/// A stream of requests that each change one response: all accept in turn, then all deny, and so on.
class answer_stream {
public:
  answer_stream(const crowd& of, request_writer writer)
      : first_(of.first_response), count_(of.users), writer_(std::move(writer)) {}
  void next(std::string& out);
  /// For load_options::next.
  std::function<void(std::int64_t, std::string&)> source() {
    return [this](std::int64_t, std::string& out) { next(out); };
  }
  /// Requests made since the last call.
  std::int64_t take_count() noexcept { return sent_ - std::exchange(counted_, sent_); }

private:
  std::int64_t first_;
  std::int64_t count_;
  std::int64_t sent_ = 0;
  std::int64_t counted_ = 0;
  request_writer writer_;
};

/// Throws when a load had other answers than 2xx, or none.
const load_result& all_good(const load_result& result, const std::string& what);

/// µs of CPU per answer.
double cpu_us_per(const usage& before, const usage& after, std::int64_t answers);

} // namespace dr::bench
