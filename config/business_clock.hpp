// The one clock of business time: the world's, or a virtual one that server and simulator share through an anchor file.
#pragma once

#include "config/settings.hpp"
#include "domain/clock.hpp"
#include "domain/error.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace dr {

/// A point where business and real time are tied together; from there business time runs at `rate`.
struct clock_anchor {
  time_point business{};
  time_point real{};
  double rate = 1.0;
  friend bool operator==(const clock_anchor&, const clock_anchor&) = default;
};

/// Thread-safe. Virtual when a start or a rate other than 1 is configured, or when an earlier virtual time is still
/// ahead of the world's. The anchor file is kept over restarts: business time never runs backwards on one data folder.
class business_clock final : public clock {
public:
  using real_source = std::function<time_point()>;

  /// Opens the clock of a data folder (which exists). The first process makes the anchor, later ones join it; a changed
  /// rate re-anchors at the present business instant, a later start jumps forward, an earlier one is ignored.
  /// Fails: invalid when the anchor file cannot be read, internal when it cannot be written.
  static result<std::unique_ptr<business_clock>> open(const clock_settings& wanted, std::filesystem::path anchor_file,
                                                      real_source real = {});

  time_point now() const override;
  std::chrono::milliseconds real_delay_until(time_point at) const override;
  time_point after_real(std::chrono::milliseconds real) const override;
  bool is_virtual() const override;
  /// Business seconds per real second.
  double rate() const;

private:
  business_clock(std::optional<clock_anchor> anchor, std::filesystem::path file, real_source real);
  struct reading {
    time_point now;
    double rate;
  };
  reading read() const;
  void follow_file(time_point real) const;

  std::filesystem::path file_;
  real_source real_;
  mutable std::mutex mutex_;
  mutable std::optional<clock_anchor> anchor_;   ///< none: the world's time
  mutable time_point file_checked_{};            ///< real instant at which the file was last looked at
  mutable std::atomic<std::int64_t> highest_ms_; ///< what now() has given; it never gives less
};

} // namespace dr
