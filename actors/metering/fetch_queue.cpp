#include "actors/metering/fetch_queue.hpp"

namespace dr::actors {

namespace {

/// Askers of one customer-day; more is no ordinary use.
constexpr std::size_t askers_max = 1000;

} // namespace

bool fetch_queue::join(entry& found, const fetch_day& what, const fetch_promise& asker) {
  if (found.askers.size() >= askers_max) return false;
  found.askers.emplace_back(asker);
  if (what.priority == fetch_priority::check && found.priority == fetch_priority::history && !found.running) {
    checks_.splice(checks_.end(), history_, found.place);
    found.priority = fetch_priority::check;
  }
  return true;
}

bool fetch_queue::add(const fetch_day& what, const fetch_promise& asker, gate_time now) {
  fetch_key key{what.cust_no, what.day};
  if (auto found = entries_.find(key); found != entries_.end()) return join(found->second, what, asker);
  auto room = what.priority == fetch_priority::check ? most_ : most_ / 2;
  if (queued() >= room) return false;
  auto& waiting = line_of(what.priority);
  entry fresh{{kept_promise<fetched_day>{asker}}, what.priority, false, now, waiting.insert(waiting.end(), key)};
  entries_.emplace(std::move(key), std::move(fresh));
  return true;
}

std::optional<fetch_key> fetch_queue::start_next(bool history_too) {
  auto* waiting = !checks_.empty() ? &checks_ : history_too && !history_.empty() ? &history_ : nullptr;
  if (!waiting) return std::nullopt;
  auto key = std::move(waiting->front());
  waiting->pop_front();
  entries_.at(key).running = true;
  return key;
}

void fetch_queue::put_back(const fetch_key& key) {
  auto found = entries_.find(key);
  if (found == entries_.end()) return;
  auto& waiting = line_of(found->second.priority);
  found->second.running = false;
  found->second.place = waiting.insert(waiting.begin(), key);
}

bool fetch_queue::runs_for_history(const fetch_key& key) const {
  auto found = entries_.find(key);
  return found != entries_.end() && found->second.running && found->second.priority == fetch_priority::history;
}

void fetch_queue::answer(const fetch_key& key, const fetched_day& with) {
  auto found = entries_.find(key);
  if (found == entries_.end()) return;
  auto askers = std::move(found->second.askers);
  if (!found->second.running) line_of(found->second.priority).erase(found->second.place);
  entries_.erase(found);
  for (auto& asker : askers) asker.deliver(with);
}

void fetch_queue::refuse_queued(const meter_error& why) {
  for (auto* waiting : {&checks_, &history_})
    while (!waiting->empty()) {
      auto key = waiting->front();
      answer(key, {key.cust_no, key.day, {}, why});
    }
}

void fetch_queue::refuse_customer(const std::string& cust_no, const meter_error& why) {
  std::vector<fetch_key> theirs;
  for (auto at = entries_.lower_bound({cust_no, korean_day::min()}); at != entries_.end(); ++at) {
    if (at->first.cust_no != cust_no) break;
    if (!at->second.running) theirs.push_back(at->first);
  }
  for (const auto& key : theirs) answer(key, {key.cust_no, key.day, {}, why});
}

void fetch_queue::refuse_older(gate_time since, const meter_error& why) {
  refuse_older(checks_, since, why);
  refuse_older(history_, since, why);
}

void fetch_queue::refuse_older(line& waiting, gate_time since, const meter_error& why) {
  // Only a promoted question can stand behind a younger one; it is found once the younger one is gone.
  while (!waiting.empty() && entries_.at(waiting.front()).since <= since) {
    auto key = waiting.front();
    answer(key, {key.cust_no, key.day, {}, why});
  }
}

void fetch_queue::abandon(const caf::error& why) {
  auto all = std::move(entries_);
  entries_.clear();
  checks_.clear();
  history_.clear();
  for (auto& [key, waiting] : all)
    for (auto& asker : waiting.askers) asker.deliver(why);
}

} // namespace dr::actors
