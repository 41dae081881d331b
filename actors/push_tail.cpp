// The console's live events: read from the log behind the last one told, so that they come in order and without gaps.
#include "actors/ask.hpp"
#include "actors/push_hub.hpp"

#include <algorithm>

namespace dr::actors {

namespace {

/// Less than half of what may wait in a console's socket, and between two of them always a pause: a burst of answers
/// must not make a console that reads steadily look like one that does not.
constexpr int tail_page = 100;
constexpr std::chrono::milliseconds tail_pause{25};
constexpr std::chrono::milliseconds pause_in_burst{10};
constexpr std::chrono::milliseconds look_again_for_events{500};
/// A console that connected while the end of the log was still being looked for may need so many older events.
constexpr std::int64_t repeated = 100;

} // namespace

void push_hub_state::find_tail() {
  tail_busy = true;
  read(
      self, store, read_timeout, [](storage::reader& from) { return from.last_events(1); },
      [this](const std::vector<event>& newest) {
        auto there = newest.empty() ? 0 : newest.back().seq;
        last_seq = std::max(last_seq, there);
        told_seq = admins.empty() ? there : std::max<std::int64_t>(0, there - repeated);
        tail_known = true;
        tail_busy = false;
        read_tail();
      },
      [this](const error&) { self->delayed_send(self, look_again_for_events, tail_due{}); });
}

/// Reads what there is behind the last event told, then pauses: a burst is read in pages, not event by event.
void push_hub_state::read_tail() {
  if (tail_busy) return;
  if (!tail_known) return find_tail();
  // Whoever connects later has these in its snapshot.
  if (admins.empty()) told_seq = std::max(told_seq, last_seq);
  if (told_seq >= last_seq) return;
  tail_busy = true;
  storage::event_filter filter;
  filter.after = told_seq;
  filter.limit = tail_page;
  read(
      self, store, read_timeout, [filter](storage::reader& from) { return from.events(filter); },
      [this](const std::vector<event>& events) {
        for (const auto& e : events) {
          tell_admins(encoder->admin_event(e), e.seq);
          told_seq = e.seq;
        }
        bool more = std::ssize(events) == tail_page;
        self->delayed_send(self, more ? pause_in_burst : tail_pause, tail_due{});
      },
      [this](const error&) { self->delayed_send(self, look_again_for_events, tail_due{}); });
}

void push_hub_state::tell_admins(std::string text, std::int64_t event_seq) {
  push_frame frame{std::make_shared<const std::string>(std::move(text)), {}, event_seq};
  for (const auto& sink : admins) sink->push(frame);
}

} // namespace dr::actors
