#include "tests/chaos/fault_driver.hpp"

#include <array>

namespace dr::chaos {

namespace {

using namespace std::chrono_literals;
using trap = test::tcp_gate::trap;

constexpr auto slow_piece = 30ms;
constexpr auto flap_every = 1'000ms;
constexpr std::array actors = {"store", "registry", "push_hub", "kepco_gate", "verification"};

json kepco_fault(fault what) {
  switch (what) {
  case fault::kepco_errors:
    return {{"errorRate", 1}};
  case fault::kepco_hangs:
    return {{"hangRate", 1}};
  case fault::kepco_garbage:
    return {{"garbageRate", 0.5}, {"truncateRate", 0.5}};
  case fault::kepco_gaps:
    return {{"missingRate", 0.3}};
  default:
    return {{"errorRate", 0.2},   {"hangRate", 0.05},    {"truncateRate", 0.1},
            {"garbageRate", 0.1}, {"missingRate", 0.05}, {"latencyMs", 20}};
  }
}

} // namespace

fault_driver::fault_driver(world& on, phase& run) : world_(on), run_(run), keeper_([this] { keep_server(); }) {}

fault_driver::~fault_driver() {
  done_ = true;
  keeper_.join();
  collect(true);
}

void fault_driver::keep_server() {
  while (!done_) {
    world_.tend_server();
    test::pause_between_looks();
  }
}

void fault_driver::in_background(std::function<void()> what) {
  background_.push_back(std::async(std::launch::async, std::move(what)));
}

/// Takes in what has ended, or waits for all.
void fault_driver::collect(bool all) {
  std::erase_if(background_, [&](std::future<void>& one) {
    if (!all && one.wait_for(0ms) != std::future_status::ready) return false;
    try {
      one.get();
    } catch (const std::exception& why) {
      complaints_.emplace_back(why.what());
    }
    return true;
  });
}

void fault_driver::later(milliseconds delay, std::function<void()> what) {
  undo_.emplace(steady::now() + delay, std::move(what));
}

void fault_driver::tend() {
  collect(false);
  while (!undo_.empty() && undo_.begin()->first <= steady::now()) {
    auto what = std::move(undo_.begin()->second);
    undo_.erase(undo_.begin());
    what();
  }
}

void fault_driver::end_all() {
  collect(true);
  undo_.clear();
  world_.heal();
}

void fault_driver::strike(const planned_fault& what) {
  ++struck_[to_string(what.what)];
  if (what.what <= fault::server_succeeded) return strike_server(what);
  if (what.what <= fault::commit_swallowed) return strike_storage(what);
  if (what.what <= fault::kepco_gone) return strike_kepco(what);
  if (what.what == fault::clients_storm) return run_.storm();
  world_.kill_actor(actors.at(what.dice % actors.size()));
}

void fault_driver::strike_server(const planned_fault& what) {
  if (what.what == fault::server_killed) return in_background([this] { world_.kill_server(); });
  if (what.what == fault::server_stopped) return in_background([this] { world_.stop_server(); });
  if (what.what == fault::server_succeeded)
    return in_background([this, lasts = what.lasts] { world_.succeed_server(lasts); });
  in_background([this] { world_.freeze_server(); });
  later(what.lasts, [this] { in_background([this] { world_.thaw_server(); }); });
}

void fault_driver::strike_storage(const planned_fault& what) {
  auto& gate = world_.gate();
  // A transaction ends with the one; answers alone are stored and committed by the other.
  const auto* commit = what.dice % 2 == 0 ? "COMMIT" : "end_hot_batch";
  switch (what.what) {
  case fault::backend_killed:
    return in_background([this, luck = what.dice] { world_.kill_backend(luck); });
  case fault::postgres_restarted:
    return in_background([this] { world_.restart_postgres(); });
  case fault::postgres_stopped:
    in_background([this] { world_.stop_postgres(); });
    return later(what.lasts, [this] { in_background([this] { world_.start_postgres(); }); });
  case fault::connections_severed:
    gate.shut();
    return later(what.lasts, [&gate] { gate.open(); });
  case fault::connections_slow:
    gate.delay(slow_piece);
    return later(what.lasts, [&gate] { gate.delay(0ms); });
  case fault::commit_cut_before:
    return gate.set(trap::cut_before, commit);
  case fault::commit_cut_after:
    return gate.set(trap::cut_after, commit);
  default:
    return gate.set(trap::swallow_answer, commit);
  }
}

void fault_driver::strike_kepco(const planned_fault& what) {
  if (what.what == fault::kepco_gone) {
    world_.stop_kepco();
    return later(what.lasts, [this] { in_background([this] { world_.start_kepco(); }); });
  }
  if (what.what == fault::kepco_flaps) {
    for (auto at = milliseconds{0}; at < what.lasts; at += 2 * flap_every) {
      later(at, [this] { in_background([this] { world_.set_kepco_faults({{"down", true}}); }); });
      later(at + flap_every, [this] { in_background([this] { world_.set_kepco_faults(json::object()); }); });
    }
    return;
  }
  in_background([this, what] { world_.set_kepco_faults(kepco_fault(what.what)); });
  later(what.lasts, [this] { in_background([this] { world_.set_kepco_faults(json::object()); }); });
}

} // namespace dr::chaos
