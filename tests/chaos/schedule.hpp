// The plan of a run, made from a seed: what the operator does when, which faults strike when. The same seed and options
// make the same plan. What a customer does is drawn from the seed as well, by customer and campaign (see dice_of).
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace dr::chaos {

using std::chrono::milliseconds;

enum class fault : unsigned char {
  server_killed,       ///< SIGKILL, then a new start
  server_stopped,      ///< SIGTERM, then a new start
  server_frozen,       ///< SIGSTOP for a while
  server_succeeded,    ///< SIGSTOP, and a successor on another data folder meanwhile; the sleeper wakes up fenced
  backend_killed,      ///< kill -9 of one backend: Postgres restarts all of them
  postgres_restarted,  ///< immediate, as after a power failure
  postgres_stopped,    ///< for a while
  connections_severed, ///< all between server and Postgres, at once
  connections_slow,    ///< every piece of data is held back for a while
  commit_cut_before,   ///< a COMMIT never arrives
  commit_cut_after,    ///< a COMMIT arrives, its answer does not
  commit_swallowed,    ///< the same, and the connection stays open: only the watchdog helps
  kepco_errors,        ///< every call fails
  kepco_hangs,         ///< every call hangs
  kepco_garbage,       ///< HTML, nonsense, truncated answers
  kepco_gaps,          ///< values are missing
  kepco_mixed,         ///< a bit of everything
  kepco_flaps,         ///< down and up every second
  kepco_gone,          ///< nobody listens
  clients_storm,       ///< all customers break off and come back at once
  actor_killed         ///< one of the server's services (needs the server that takes orders for it)
};
const char* to_string(fault what) noexcept;

struct planned_fault {
  milliseconds at{};
  fault what = fault::server_killed;
  milliseconds lasts{}; ///< zero for what strikes at once
  std::uint64_t dice = 0;
};

enum class step : unsigned char {
  order,    ///< a campaign
  change,   ///< of its terms
  end,      ///< of it
  cancel,   ///< it
  enrol,    ///< one user
  import,   ///< a list
  withdraw, ///< a user from the programme
  payout,   ///< points out
  recheck,  ///< a settled check again
  rest      ///< everybody waits until nothing is in flight; counts are compared
};

struct planned_step {
  milliseconds at{};
  step what = step::order;
  int campaign = 0; ///< which of the run's campaigns, from 1
  std::uint64_t dice = 0;
};

struct run_options {
  std::uint64_t seed = 1;
  milliseconds length{60'000}; ///< of the time with faults
  int customers = 24;
  bool faults = true;
  int server_kills = 5;      ///< at least
  bool kills_actors = false; ///< the server takes orders to kill its own actors
  bool only_actors = false;  ///< no other faults
};

struct schedule {
  std::vector<planned_step> steps;   ///< in order of time
  std::vector<planned_fault> faults; ///< in order of time
};

schedule plan(const run_options& options);
/// A line for each entry, for people and for comparing two plans.
std::string to_text(const schedule& what);

using dice = std::mt19937_64;
/// Dice that depend on nothing but the seed, a name, and a number.
dice dice_of(std::uint64_t seed, std::string_view name, std::int64_t number = 0);
/// From `low` to `high`, both included.
std::int64_t throw_dice(dice& with, std::int64_t low, std::int64_t high);
/// True in `percent` of a hundred throws.
bool happens(dice& with, int percent);

} // namespace dr::chaos
