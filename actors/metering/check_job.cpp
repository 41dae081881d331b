#include "actors/metering/check_job.hpp"

#include "actors/errors.hpp"
#include "actors/house.hpp"
#include "actors/metering/kepco_gate.hpp"

#include <caf/all.hpp>

namespace dr::actors {

namespace {

using job = caf::stateful_actor<check_job_state>;

void go_on(job* self);

void answered(job* self, const fetched_day& answer) {
  auto& s = self->state;
  s.work->learn(answer, s.clock->now());
  if (--s.outstanding == 0) go_on(self);
}

void ask(job* self, const std::vector<korean_day>& days) {
  auto& s = self->state;
  s.outstanding = static_cast<int>(days.size());
  for (auto day : days)
    self->request(s.gate, caf::infinite, fetch_day{s.work->cust_no(), day, fetch_priority::check})
        .then([self](const fetched_day& answer) { answered(self, answer); },
              [self, day](const caf::error& why) {
                meter_error failure{meter_errc::unavailable, "not asked: " + from_caf(why).detail};
                answered(self, {self->state.work->cust_no(), day, {}, std::move(failure)});
              });
}

void go_on(job* self) {
  auto& s = self->state;
  auto step = s.work->next(s.clock->now());
  if (const auto* wanted = std::get_if<ask_days>(&step)) return ask(self, wanted->days);
  self->send(s.parent, check_decided{s.work->id(), s.work->attempts(), std::move(step), s.work->take_days()});
}

} // namespace

void check_job(job* self, check_work work, ask_days first, check_parent_actor parent, kepco_gate_actor gate,
               clock_ptr clock) {
  house_rules(self, check_job_state::name);
  self->state.work.emplace(std::move(work));
  self->state.parent = std::move(parent);
  self->state.gate = std::move(gate);
  self->state.clock = std::move(clock);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  self->monitor(self->state.parent);
  ask(self, first.days);
}

} // namespace dr::actors
