#include "config/business_clock.hpp"

#include "config/data_dir.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace dr {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds look_again_after{1'000};      // how soon a re-anchoring by the other program is noticed
constexpr milliseconds longest_delay = 24h * 36'500; // keeps far deadlines inside every timer's range

time_point world_now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

time_point business_at(const clock_anchor& a, time_point real) {
  if (real <= a.real) return a.business; // the world's clock was set back: stand still rather than run backwards
  const auto elapsed = static_cast<long double>((real - a.real).count());
  return a.business + milliseconds{static_cast<std::int64_t>(std::floor(elapsed * static_cast<long double>(a.rate)))};
}

std::string anchor_text(const clock_anchor& a) {
  char rate[64];
  std::snprintf(rate, sizeof rate, "%.17g", a.rate);
  return "# Ties business time to real time; shared by the server and the simulator. Do not edit while they run.\n"
         "business_ms " +
         std::to_string(a.business.time_since_epoch().count()) + "\nreal_ms " +
         std::to_string(a.real.time_since_epoch().count()) + "\nrate " + rate + "\nend\n";
}

template <class Number> bool read_number(std::string_view text, Number& into) {
  const auto [rest, ec] = std::from_chars(text.data(), text.data() + text.size(), into);
  return ec == std::errc{} && rest == text.data() + text.size();
}

// "end" as the last line tells a whole file from a part of one.
std::optional<clock_anchor> parse_anchor(std::string_view text) {
  std::int64_t business = 0;
  std::int64_t real = 0;
  double rate = 0;
  int seen = 0;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (line == "end") {
      if (seen != 7 || !(rate > 0) || !std::isfinite(rate)) return {};
      return clock_anchor{time_point{milliseconds{business}}, time_point{milliseconds{real}}, rate};
    }
    const auto space = line.find(' ');
    if (space == line.npos) return {};
    const auto name = line.substr(0, space);
    const auto value = line.substr(space + 1);
    if (name == "business_ms" && read_number(value, business))
      seen |= 1;
    else if (name == "real_ms" && read_number(value, real))
      seen |= 2;
    else if (name == "rate" && read_number(value, rate))
      seen |= 4;
    else
      return {};
  }
  return {};
}

result<std::optional<clock_anchor>> read_anchor(const std::filesystem::path& file) {
  auto text = read_small_file(file, 4096);
  if (!text && text.error().code == errc::not_found) return std::optional<clock_anchor>{};
  if (!text) return text.error();
  auto anchor = parse_anchor(*text);
  if (!anchor)
    return fail(errc::invalid, "the clock's anchor file " + file.string() +
                                   " is damaged; remove it only if business time may run backwards");
  return anchor;
}

// What the anchor becomes at a start; nothing: the world's time.
std::optional<clock_anchor> next_anchor(const std::optional<clock_anchor>& before, const clock_settings& wanted,
                                        time_point real) {
  const bool wants_virtual = wanted.start.has_value() || wanted.rate != 1.0;
  if (!before) {
    if (!wants_virtual) return {};
    return clock_anchor{wanted.start.value_or(real), real, wanted.rate};
  }
  const auto present = business_at(*before, real);
  if (!wants_virtual && present <= real) return {}; // forward to the world's time
  const auto target = wanted.start && *wanted.start > present ? *wanted.start : present;
  if (target == present && wanted.rate == before->rate) return before;
  return clock_anchor{target, real, wanted.rate};
}

} // namespace

result<std::unique_ptr<business_clock>> business_clock::open(const clock_settings& wanted,
                                                             std::filesystem::path anchor_file, real_source real) {
  if (!real) real = world_now;
  auto lock = file_lock::wait(anchor_file.string() + ".lock");
  if (!lock) return lock.error();
  auto before = read_anchor(anchor_file);
  if (!before) return before.error();
  auto anchor = next_anchor(*before, wanted, real());
  if (anchor && anchor != *before) {
    if (auto written = write_secret_file(anchor_file, anchor_text(*anchor)); !written) return written.error();
  } else if (!anchor && *before) {
    std::error_code ignored;
    std::filesystem::remove(anchor_file, ignored);
  }
  return std::unique_ptr<business_clock>{new business_clock{anchor, std::move(anchor_file), std::move(real)}};
}

business_clock::business_clock(std::optional<clock_anchor> anchor, std::filesystem::path file, real_source real)
    : file_(std::move(file)), real_(std::move(real)), anchor_(anchor), file_checked_(real_()),
      highest_ms_(std::numeric_limits<std::int64_t>::min()) {}

void business_clock::follow_file(time_point real) const {
  if (real - file_checked_ < look_again_after && real >= file_checked_) return;
  file_checked_ = real;
  if (auto anchor = read_anchor(file_); anchor && *anchor) anchor_ = **anchor;
}

business_clock::reading business_clock::read() const {
  const auto real = real_();
  std::lock_guard hold{mutex_};
  if (!anchor_) return {real, 1.0};
  follow_file(real);
  return {business_at(*anchor_, real), anchor_->rate};
}

time_point business_clock::now() const {
  const auto ms = read().now.time_since_epoch().count();
  auto highest = highest_ms_.load(std::memory_order_relaxed);
  while (highest < ms && !highest_ms_.compare_exchange_weak(highest, ms, std::memory_order_relaxed)) {}
  return time_point{milliseconds{std::max(highest, ms)}};
}

milliseconds business_clock::real_delay_until(time_point at) const {
  if (at <= now()) return milliseconds{0};
  const auto present = read();
  const auto ahead = static_cast<long double>((at - present.now).count());
  if (ahead <= 0) return milliseconds{0};
  const auto delay = std::ceil(ahead / static_cast<long double>(present.rate));
  if (delay >= static_cast<long double>(longest_delay.count())) return longest_delay;
  return milliseconds{static_cast<std::int64_t>(delay)};
}

time_point business_clock::after_real(milliseconds real) const {
  const auto rate = static_cast<long double>(read().rate);
  return now() + milliseconds{static_cast<std::int64_t>(std::floor(static_cast<long double>(real.count()) * rate))};
}

bool business_clock::is_virtual() const {
  std::lock_guard hold{mutex_};
  return anchor_.has_value();
}

double business_clock::rate() const { return read().rate; }

} // namespace dr
