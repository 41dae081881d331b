#include "app/succession.hpp"

#include "app/launcher_console.hpp"
#include "app/launcher_link.hpp"
#include "app/restart.hpp"

#include <csignal>
#include <cstdio>

namespace dr {

namespace {

bool is_running(const std::optional<launcher_child>& one) { return one && one->running(); }

} // namespace

succession::succession(const handover_limits& limits, launcher_child& server,
                       std::function<launcher_child(const std::string&)> make, std::function<void()> on_serving)
    : limits_(limits), server_(server), make_(std::move(make)), on_serving_(std::move(on_serving)) {}

bool succession::under_way() const { return course_ || is_running(successor_) || is_running(leaving_); }

void succession::tell(const std::string& text) const {
  std::fprintf(stderr, "%s\n", text.c_str());
  asker_.send(std::string(restart_words::progress) + text);
}

void succession::begin(const std::string& program, channel asker) {
  if (under_way()) {
    asker.send(std::string(restart_words::failed) + "a restart is under way already");
    return;
  }
  asker_ = std::move(asker);
  tell("Starting a new server beside the running one …");
  const auto now = clock::now();
  course_.emplace(limits_, now);
  leaving_.reset();
  successor_.emplace(make_(program));
  successor_->start_as_successor(now);
  if (!successor_->running()) act(course_->successor_ended("could not be started"));
}

void succession::hear() {
  hear(server_);
  if (leaving_) hear(*leaving_);
  if (successor_) hear(*successor_);
}

void succession::hear(launcher_child& one) {
  channel::message said;
  for (;;) {
    const auto what = one.line().receive(said, std::chrono::milliseconds{0});
    if (what == channel::outcome::ended) one.hang_up();
    if (what != channel::outcome::message) return;
    if (!course_) continue;
    const auto now = clock::now();
    const bool leaving = leaving_ && &one == &*leaving_;
    if (said.text == launcher_words::released && leaving) {
      act(course_->released(now));
    } else if (said.text.starts_with(launcher_words::note)) {
      course_->remark(said.text.substr(launcher_words::note.size()));
    } else if (said.text.starts_with(launcher_words::refused)) {
      course_->remark(said.text.substr(launcher_words::refused.size()));
    } else if (said.text == launcher_words::serving && course_->switched() && !leaving) {
      course_->serving(now);
      on_serving_();
    } else if (said.text == launcher_words::prepared && successor_ && &one == &*successor_) {
      return act(course_->prepared(now)); // the successor is the server now
    }
  }
}

void succession::act(handover::step next) {
  switch (next) {
  case handover::step::wait:
    return;
  case handover::step::switch_over:
    return switch_over();
  case handover::step::abandon:
    if (successor_) successor_->signal(SIGKILL);
    return finish();
  case handover::step::kill_old:
    tell("The old server does not let go; it is killed.");
    leaving_->signal(SIGKILL);
    return;
  case handover::step::finish:
    return finish();
  }
}

void succession::switch_over() {
  tell("The new server is prepared; the old one hands over …");
  auto way = channel::make_pair(); // none: no connection changes hands, and the old server's are closed
  const auto patience = std::to_string(limits_.release.count());
  server_.line().send(std::string(launcher_words::hand_over) + patience, way ? way->first.descriptor() : -1);
  successor_->line().send(std::string(launcher_words::take_over) + patience, way ? way->second.descriptor() : -1);
  if (server_.running()) leaving_.emplace(std::move(server_));
  server_ = std::move(*successor_);
  successor_.reset();
  if (!leaving_) act(course_->old_ended());
}

void succession::finish() {
  const auto how = course_->outcome();
  const bool good = course_->succeeded();
  course_.reset();
  std::fprintf(stderr, "%s\n", how.c_str());
  asker_.send(std::string(good ? restart_words::done : restart_words::failed) + how);
  asker_ = {};
}

bool succession::bury(pid_t pid, int status) {
  if (is_running(successor_) && successor_->pid() == pid) {
    hear(*successor_);             // its last words
    if (!successor_) return false; // it was prepared, and so is the server that has died
    successor_->signal(SIGKILL);   // what it left behind in its group
    successor_->died(clock::now());
    if (course_) act(course_->successor_ended(how_it_ended(status)));
    return true;
  }
  if (is_running(leaving_) && leaving_->pid() == pid) {
    hear(*leaving_);
    leaving_->signal(SIGKILL);
    leaving_->died(clock::now());
    if (course_) act(course_->old_ended());
    return true;
  }
  return false;
}

void succession::server_ended(const std::string& how) {
  if (course_ && course_->switched()) act(course_->successor_ended(how));
}

void succession::server_ready() {
  if (course_) act(course_->ready(clock::now()));
}

void succession::look_at_deadlines() {
  if (course_) act(course_->tick(clock::now()));
}

std::optional<succession::clock::time_point> succession::due() const { return course_ ? course_->due() : std::nullopt; }

void succession::cancel(const std::function<void(launcher_child&)>& stop) {
  course_.reset();
  asker_.send(std::string(restart_words::failed) + "the launcher was told to stop");
  if (successor_) stop(*successor_);
  if (leaving_) stop(*leaving_);
}

} // namespace dr
