// The course of one handover from a server to its successor, as the launcher sees it. Pure: told what happened and what
// time it is, it says what to do next.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace dr {

struct handover_limits {
  std::chrono::milliseconds prepare{60'000}; ///< for the successor to be prepared; then the old server goes on
  std::chrono::milliseconds release{10'000}; ///< for the old one to answer what is under way; then it is killed
  std::chrono::milliseconds leave{20'000};   ///< for the old one to end after that; then it is killed
  std::chrono::milliseconds ready{60'000};   ///< for the new one to be ready once the old one has let go
};

class handover {
public:
  using time_point = std::chrono::steady_clock::time_point;
  /// What the launcher does next. switch_over: tell the old server to hand over and the successor to take over;
  /// abandon: end the successor, the old server goes on as if nothing had happened; kill_old: the old server had its
  /// time; finish: all is over, see outcome().
  enum class step : std::uint8_t { wait, switch_over, abandon, kill_old, finish };

  /// Begins when the successor has been started.
  handover(const handover_limits& limits, time_point now);

  /// What the successor says: why it is not prepared yet, or why it will not start. It is repeated in the outcome.
  void remark(std::string why) { remark_ = std::move(why); }
  step prepared(time_point now);
  /// The old server has answered what was under way and writes no more.
  step released(time_point now);
  /// The successor has the lease and begins to answer.
  void serving(time_point now);
  /// The present server is ready: it counts once the successor serves.
  step ready(time_point now);
  /// `how` in words: "was ended by signal 9".
  step successor_ended(const std::string& how);
  /// The server that handed over has ended (or there was none when it was switched over).
  step old_ended();
  /// Looks at the deadlines.
  step tick(time_point now);
  /// When to look at them; nothing when there is none.
  std::optional<time_point> due() const;

  /// Past the point of no return: the old server has been told to hand over.
  bool switched() const { return stage_ == stage::switched; }
  bool succeeded() const { return failure_.empty(); }
  /// A sentence for people; after abandon or finish.
  std::string outcome() const;

private:
  enum class stage : std::uint8_t { preparing, switched, over };
  step end_when_complete();
  step give_up(std::string why);

  handover_limits limits_;
  stage stage_ = stage::preparing;
  time_point began_;
  time_point prepared_{};
  std::optional<time_point> serving_;
  std::optional<time_point> ready_;
  bool old_gone_ = false;
  std::optional<time_point> old_due_; ///< when the old server is killed
  std::optional<time_point> new_due_; ///< when the successor should be prepared, or ready
  std::string remark_;
  std::string killed_; ///< why the old server was killed
  std::string failure_;
};

} // namespace dr
