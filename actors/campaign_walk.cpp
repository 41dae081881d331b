// How a campaign reaches its customers: page by page through the stored responses, so that nobody waits for the whole
// list.
#include "actors/campaign.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace dr::actors {

namespace {

/// Pages that may lie in the registry before the next is read (1.3 million responses).
constexpr int pages_ahead_max = 256;
constexpr std::chrono::milliseconds walk_retry{500};

} // namespace

void campaign_state::start_walk(bool dispatch) {
  auto& w = walk_of(dispatch);
  bool reading = w && w->reading;
  w = walk{{}, w ? w->ahead : 0, reading}; // a running one begins anew: customers hear twice rather than never
  if (!reading) read_page(dispatch);
}

void campaign_state::read_page(bool dispatch) {
  auto& w = walk_of(dispatch);
  if (!w || w->reading || w->ahead >= pages_ahead_max) return;
  w->reading = true;
  read(
      self, world->store, world->read_timeout(),
      [wanted = id, after = w->after, limit = w->limit](storage::reader& r) {
        return r.dispatched(wanted, after, limit);
      },
      [this, dispatch, after = w->after](std::vector<storage::dispatched_response> rows) {
        auto& now = walk_of(dispatch);
        now->reading = false;
        if (now->after != after) return read_page(dispatch); // it began anew meanwhile
        page_read(dispatch, std::move(rows));
      },
      [this, dispatch](const error& why) {
        walk_of(dispatch)->reading = false;
        spdlog::warn("campaign {} could not read its responses ({}); trying again", id.value, why.detail);
        self->delayed_send(self, walk_retry, walk_due{dispatch});
      },
      row.open() ? urgency::leading : urgency::prompt); // of one that is over nobody waits for an alert
}

void campaign_state::page_read(bool dispatch, std::vector<storage::dispatched_response> rows) {
  auto& w = walk_of(dispatch);
  bool last = std::ssize(rows) < w->limit;
  w->limit = std::min(2 * w->limit, dispatch_page);
  if (!rows.empty()) {
    w->after = rows.back().id;
    auto now = shared_row();
    if (row.open()) self->send(world->hub, alert_users{now, rows});
    if (dispatch) {
      ++w->ahead;
      self->send(world->registry, responses_dispatched{now, std::move(rows)});
    }
  }
  if (!last) return read_page(dispatch);
  w.reset();
  if (!dispatching && !alerting && std::exchange(change_untold, false) && row.open())
    self->send(world->hub, campaign_noticed{campaign_notice_kind::changed, shared_row()});
  if (jobs.empty()) settle_down();
}

} // namespace dr::actors
