#include "app/handover.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace dr {

namespace {

std::string seconds(std::chrono::steady_clock::duration span) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", std::chrono::duration<double>(span).count());
  return text;
}

} // namespace

handover::handover(const handover_limits& limits, time_point now)
    : limits_(limits), began_(now), new_due_(now + limits.prepare) {}

handover::step handover::give_up(std::string why) {
  stage_ = stage::over;
  failure_ = "The running server goes on as before: " + std::move(why);
  if (!remark_.empty()) failure_ += ": " + remark_;
  new_due_.reset();
  return step::abandon;
}

handover::step handover::prepared(time_point now) {
  if (stage_ != stage::preparing) return step::wait;
  stage_ = stage::switched;
  prepared_ = now;
  remark_.clear();
  old_due_ = now + limits_.release;
  new_due_ = now + limits_.release + limits_.ready;
  return step::switch_over;
}

handover::step handover::released(time_point now) {
  if (switched() && !old_gone_) old_due_ = now + limits_.leave;
  return step::wait;
}

void handover::serving(time_point now) {
  if (switched() && !serving_) serving_ = now;
}

handover::step handover::ready(time_point now) {
  if (!switched() || !serving_) return step::wait;
  if (!ready_) ready_ = now;
  new_due_.reset();
  return end_when_complete();
}

handover::step handover::successor_ended(const std::string& how) {
  if (stage_ == stage::preparing) return give_up("the new server " + how + " before it was prepared");
  if (switched() && failure_.empty()) {
    failure_ = "The server was replaced, but the new one " + how + " while it took over, and was started again";
    if (!remark_.empty()) failure_ += " (" + remark_ + ")";
  }
  return step::wait;
}

handover::step handover::old_ended() {
  old_gone_ = true;
  old_due_.reset();
  return switched() ? end_when_complete() : step::wait;
}

handover::step handover::tick(time_point now) {
  if (old_due_ && now >= *old_due_) {
    killed_ = serving_ ? "did not end in time" : "did not let go within " + seconds(limits_.release);
    old_due_.reset();
    return step::kill_old;
  }
  if (!new_due_ || now < *new_due_) return step::wait;
  if (stage_ == stage::preparing) return give_up("the new server was not prepared within " + seconds(limits_.prepare));
  new_due_.reset();
  failure_ =
      "The server was replaced, but the new one is not ready after " + seconds(now - prepared_) + "; its log says why";
  ready_ = now;
  return end_when_complete();
}

handover::step handover::end_when_complete() {
  if (!ready_ || !old_gone_) return step::wait;
  stage_ = stage::over;
  return step::finish;
}

std::optional<handover::time_point> handover::due() const {
  if (old_due_ && new_due_) return std::min(*old_due_, *new_due_);
  return old_due_ ? old_due_ : new_due_;
}

std::string handover::outcome() const {
  if (!succeeded()) return failure_ + ".";
  std::string text = "The server was replaced: prepared in " + seconds(prepared_ - began_) + ", ";
  if (serving_) text += "took over in " + seconds(*serving_ - prepared_) + ", ";
  text += "ready after " + seconds(*ready_ - began_);
  if (!killed_.empty()) text += "; the old server " + killed_ + " and was killed";
  return text + ".";
}

} // namespace dr
