// A histogram of latencies: log-linear buckets, so that every value from a microsecond to an hour is kept within 1 %.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace dr::bench {

/// Counts times in microseconds. Copyable; for one thread.
class histogram {
public:
  void add(std::chrono::nanoseconds took) noexcept {
    const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count() / 1000));
    ++buckets_[bucket_of(us)];
    ++count_;
    highest_ = std::max(highest_, us);
  }
  void add(const histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    highest_ = std::max(highest_, other.highest_);
  }

  std::uint64_t count() const noexcept { return count_; }
  double max_ms() const noexcept { return static_cast<double>(highest_) / 1000; }
  /// The time in ms that the given share (0 … 1) of all values does not exceed; 0 without any.
  double quantile_ms(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_) + 0.5);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= wanted && seen > 0) return static_cast<double>(std::min(top_of(i), highest_)) / 1000;
    }
    return max_ms();
  }

private:
  static constexpr unsigned linear_bits = 7; ///< 128 buckets for each doubling
  static constexpr std::uint64_t linear = std::uint64_t{1} << linear_bits;
  static constexpr std::size_t doublings = 32 - linear_bits; ///< up to 2^32 µs, more than an hour

  static std::size_t bucket_of(std::uint64_t us) noexcept {
    us = std::min<std::uint64_t>(us, UINT32_MAX);
    if (us < linear) return us;
    const auto shift = static_cast<unsigned>(std::bit_width(us)) - linear_bits - 1;
    return (shift + 1) * linear + ((us >> shift) - linear);
  }
  /// The largest value of a bucket.
  static std::uint64_t top_of(std::size_t bucket) noexcept {
    if (bucket < linear) return bucket;
    const auto shift = bucket / linear - 1;
    return (((bucket % linear) + linear + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (doublings + 1) * linear> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t highest_ = 0;
};

} // namespace dr::bench
