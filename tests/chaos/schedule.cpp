#include "tests/chaos/schedule.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace dr::chaos {

namespace {

using namespace std::chrono_literals;

struct fault_habit {
  fault what;
  const char* name;
  milliseconds shortest;
  milliseconds longest;
};

constexpr std::array habits = {fault_habit{fault::server_killed, "server killed", 0ms, 0ms},
                               fault_habit{fault::server_stopped, "server stopped", 0ms, 0ms},
                               fault_habit{fault::server_frozen, "server frozen", 500ms, 2'500ms},
                               fault_habit{fault::server_succeeded, "server succeeded", 500ms, 2'000ms},
                               fault_habit{fault::backend_killed, "backend killed", 0ms, 0ms},
                               fault_habit{fault::postgres_restarted, "postgres restarted", 0ms, 0ms},
                               fault_habit{fault::postgres_stopped, "postgres stopped", 1'000ms, 5'000ms},
                               fault_habit{fault::connections_severed, "connections severed", 0ms, 300ms},
                               fault_habit{fault::connections_slow, "connections slow", 1'000ms, 4'000ms},
                               fault_habit{fault::commit_cut_before, "commit cut before", 0ms, 0ms},
                               fault_habit{fault::commit_cut_after, "commit cut after", 0ms, 0ms},
                               fault_habit{fault::commit_swallowed, "commit swallowed", 0ms, 0ms},
                               fault_habit{fault::kepco_errors, "kepco errors", 1'000ms, 6'000ms},
                               fault_habit{fault::kepco_hangs, "kepco hangs", 1'000ms, 12'000ms},
                               fault_habit{fault::kepco_garbage, "kepco garbage", 1'000ms, 6'000ms},
                               fault_habit{fault::kepco_gaps, "kepco gaps", 1'000ms, 6'000ms},
                               fault_habit{fault::kepco_mixed, "kepco mixed", 2'000ms, 10'000ms},
                               fault_habit{fault::kepco_flaps, "kepco flaps", 3'000ms, 8'000ms},
                               fault_habit{fault::kepco_gone, "kepco gone", 1'000ms, 6'000ms},
                               fault_habit{fault::clients_storm, "clients storm", 0ms, 0ms},
                               fault_habit{fault::actor_killed, "actor killed", 0ms, 0ms}};

constexpr auto first_order = 200ms;
constexpr auto between_faults = 3'500ms; ///< on average; they overlap where they last longer

milliseconds between(dice& with, milliseconds low, milliseconds high) {
  return milliseconds{throw_dice(with, low.count(), high.count())};
}

bool is_wanted(const run_options& options, fault what) {
  return what == fault::actor_killed ? options.kills_actors : !options.only_actors;
}

/// A row of kinds in which each occurs about equally often, and the killed server as often as asked for.
std::vector<fault> kinds(const run_options& options, std::size_t count, dice& with) {
  const auto kills = options.only_actors ? 0 : std::max(0, options.server_kills);
  std::vector<fault> row(static_cast<std::size_t>(kills), fault::server_killed);
  while (row.size() < count)
    for (const auto& habit : habits)
      if (is_wanted(options, habit.what)) row.push_back(habit.what);
  std::shuffle(row.begin(), row.end(), with);
  return row;
}

std::vector<planned_fault> plan_faults(const run_options& options) {
  std::vector<planned_fault> out;
  if (!options.faults) return out;
  auto with = dice_of(options.seed, "faults");
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(1, options.length / between_faults));
  const auto row = kinds(options, count, with);
  const auto apart = options.length / static_cast<std::int64_t>(row.size() + 1);
  auto at = apart;
  for (auto what : row) {
    const auto& habit = habits.at(static_cast<std::size_t>(what));
    out.push_back({at + between(with, 0ms, apart / 2), what, between(with, habit.shortest, habit.longest), with()});
    at += apart;
  }
  return out;
}

void plan_campaigns(const run_options& options, std::vector<planned_step>& out) {
  auto with = dice_of(options.seed, "campaigns");
  int number = 0;
  for (auto at = milliseconds{first_order}; at < options.length; at += between(with, 800ms, 4'000ms)) {
    ++number;
    out.push_back({at, step::order, number, with()});
    const auto over = at + between(with, 2'000ms, 10'000ms);
    if (happens(with, 30)) out.push_back({at + between(with, 500ms, 3'000ms), step::change, number, with()});
    out.push_back({over, happens(with, 12) ? step::cancel : step::end, number, with()});
    if (happens(with, 25)) out.push_back({over + between(with, 2'000ms, 6'000ms), step::recheck, number, with()});
  }
}

void plan_often(const run_options& options, step what, milliseconds shortest, milliseconds longest,
                std::vector<planned_step>& out) {
  auto with = dice_of(options.seed, "step", static_cast<std::int64_t>(what));
  for (auto at = between(with, shortest, longest); at < options.length; at += between(with, shortest, longest))
    out.push_back({at, what, 0, with()});
}

const char* to_string(step what) noexcept {
  constexpr std::array names = {"order",  "change",   "end",    "cancel",  "enrol",
                                "import", "withdraw", "payout", "recheck", "rest"};
  return names.at(static_cast<std::size_t>(what));
}

} // namespace

const char* to_string(fault what) noexcept { return habits.at(static_cast<std::size_t>(what)).name; }

schedule plan(const run_options& options) {
  schedule made;
  made.faults = plan_faults(options);
  plan_campaigns(options, made.steps);
  plan_often(options, step::enrol, 2'000ms, 6'000ms, made.steps);
  plan_often(options, step::import, 6'000ms, 15'000ms, made.steps);
  plan_often(options, step::withdraw, 8'000ms, 20'000ms, made.steps);
  plan_often(options, step::payout, 300ms, 1'500ms, made.steps);
  plan_often(options, step::rest, 15'000ms, 25'000ms, made.steps);
  const auto by_time = [](const auto& a, const auto& b) { return a.at < b.at; };
  std::stable_sort(made.steps.begin(), made.steps.end(), by_time);
  std::stable_sort(made.faults.begin(), made.faults.end(), by_time);
  return made;
}

std::string to_text(const schedule& what) {
  std::ostringstream out;
  for (const auto& f : what.faults)
    out << f.at.count() << " ms: " << to_string(f.what) << " for " << f.lasts.count() << " ms, " << f.dice << '\n';
  for (const auto& s : what.steps)
    out << s.at.count() << " ms: " << to_string(s.what) << " campaign " << s.campaign << ", " << s.dice << '\n';
  return out.str();
}

dice dice_of(std::uint64_t seed, std::string_view name, std::int64_t number) {
  // FNV-1a: the standard's hash may differ from one library to the next, and a seed must mean the same everywhere.
  std::uint64_t mixed = 14695981039346656037ULL;
  const auto add = [&](unsigned char byte) { mixed = (mixed ^ byte) * 1099511628211ULL; };
  for (int shift = 0; shift < 64; shift += 8) add(static_cast<unsigned char>(seed >> shift));
  for (char c : name) add(static_cast<unsigned char>(c));
  for (int shift = 0; shift < 64; shift += 8)
    add(static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> shift));
  return dice(mixed);
}

std::int64_t throw_dice(dice& with, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(with() % static_cast<std::uint64_t>(high - low + 1));
}

bool happens(dice& with, int percent) { return throw_dice(with, 0, 99) < percent; }

} // namespace dr::chaos
