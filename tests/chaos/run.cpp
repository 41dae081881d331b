#include "tests/chaos/run.hpp"

#include "tests/chaos/control_room.hpp"
#include "tests/chaos/fault_driver.hpp"
#include "tests/chaos/world.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

namespace dr::chaos {

namespace {

using namespace std::chrono_literals;
using test::eventually;

constexpr double clock_rate = 300;
constexpr local_day first_day = 20'635; ///< 1 July 2026, where the world's clock begins
constexpr int sites_per_customer = 4;   ///< the rest are for those who come later
constexpr auto rest_patience = 90s;
constexpr auto close_patience = 180s;
constexpr auto alert_patience = 15s;
constexpr auto counts_patience = 15s;

int days_of(milliseconds length) {
  // The rests take as long again as the plan, and the quiet end its time as well.
  const auto business_s = std::chrono::duration<double>(3 * length + 10min).count() * clock_rate;
  return static_cast<int>(business_s / 86'400) + 3;
}

class chaos_run {
public:
  explicit chaos_run(const run_setup& setup);
  run_result result();

private:
  void say(const std::string& what) const;
  void begin();
  void follow_plan();
  void rest();
  void alert_all();
  void close();
  bool knows(std::int64_t user, std::int64_t campaign) const;
  run_result sum_up(const final_state& said) const;
  void report(const run_result& made) const;

  const run_setup& setup_;
  schedule plan_;
  test::scratch_folder folder_;
  meters meters_;
  history history_;
  phase phase_;
  world world_;
  fault_driver faults_;
  control_room room_;
  std::vector<std::unique_ptr<customer>> customers_;
  findings found_;
};

world_options world_of(const run_setup& setup, const meters& sites, const std::filesystem::path& folder) {
  sites.write(folder / "meters");
  world_options made;
  made.server_program = setup.server_program;
  made.variables = setup.variables;
  made.clock_rate = clock_rate;
  made.meters = folder / "meters";
  return made;
}

chaos_run::chaos_run(const run_setup& setup)
    : setup_(setup), plan_(plan(setup.options)),
      meters_(setup.options.seed, setup.options.customers * sites_per_customer, first_day,
              days_of(setup.options.length)),
      world_(world_of(setup, meters_, folder_.path())), faults_(world_, phase_),
      room_(world_.port(), setup.options.seed, clock_rate, meters_, phase_, history_) {}

void chaos_run::say(const std::string& what) const {
  if (setup_.talks) std::cerr << what << std::endl;
}

void chaos_run::begin() {
  world_.wait_ready(60s);
  const auto users = room_.enrol_first(setup_.options.customers);
  for (std::size_t i = 0; i < users.size(); ++i)
    customers_.push_back(std::make_unique<customer>(
        customer_setup{users[i], world_.port(), setup_.options.seed, i % 4 != 3}, phase_, history_));
}

/// Steps and faults by one clock, which stands still while everybody rests.
void chaos_run::follow_plan() {
  auto began = steady::now();
  std::size_t next_step = 0;
  std::size_t next_fault = 0;
  auto spoken = steady::now();
  while (next_step < plan_.steps.size() || next_fault < plan_.faults.size() ||
         steady::now() - began < setup_.options.length) {
    const auto now = std::chrono::duration_cast<milliseconds>(steady::now() - began);
    faults_.tend();
    if (next_fault < plan_.faults.size() && plan_.faults[next_fault].at <= now) {
      const auto& fault = plan_.faults[next_fault++];
      say(std::to_string(now.count()) + " ms: " + to_string(fault.what));
      faults_.strike(fault);
    } else if (next_step < plan_.steps.size() && plan_.steps[next_step].at <= now) {
      const auto& step = plan_.steps[next_step++];
      if (step.what != step::rest) {
        room_.take(step);
        continue;
      }
      const auto paused = steady::now();
      rest();
      began += steady::now() - paused;
    } else {
      test::pause_between_looks();
    }
    if (steady::now() - spoken > 10s) {
      spoken = steady::now();
      say(std::to_string(now.count() / 1'000) + " of " + std::to_string(setup_.options.length.count() / 1'000) + " s");
    }
  }
}

void chaos_run::rest() {
  say("resting");
  phase_.set(phase::at::resting);
  faults_.end_all();
  world_.wait_ready(rest_patience);
  eventually(
      "nothing is in flight", [&] { return phase_.under_way() == 0; }, rest_patience);
  room_.insist_on_unknown(rest_patience);
  room_.compare_counts(counts_patience);
  phase_.set(phase::at::busy);
}

bool chaos_run::knows(std::int64_t user, std::int64_t campaign) const {
  const auto one = std::ranges::find_if(customers_, [&](const auto& c) { return c->user() == user; });
  return one == customers_.end() || (*one)->knows(campaign); // users without a simulated customer hear nothing
}

/// One more alert to everybody: whoever has it has all that went before.
void chaos_run::alert_all() {
  const auto [campaign, users] = room_.order_last();
  const auto give_up = steady::now() + alert_patience;
  for (auto user : users) {
    while (!knows(user, campaign) && steady::now() < give_up) test::pause_between_looks();
    if (!knows(user, campaign))
      found_.add(promises::alerts, "user ", user, " never heard of the last campaign, ", campaign);
  }
}

void chaos_run::close() {
  say("ending all faults");
  phase_.set(phase::at::closing);
  faults_.end_all();
  world_.wait_ready(rest_patience);
  room_.resolve(close_patience);
  alert_all();
  room_.close(close_patience);
  phase_.set(phase::at::over);
  for (auto& one : customers_) one->join();
}

run_result chaos_run::sum_up(const final_state& said) const {
  run_result made;
  made.faults = faults_.struck();
  for (const auto& op : history_.operations())
    ++made.operations[std::string(to_string(op.kind)) + " " + to_string(op.result())];
  made.sessions = static_cast<std::int64_t>(history_.sessions().size());
  for (const auto& one : history_.sessions()) made.messages += static_cast<std::int64_t>(one.messages.size());
  made.events = static_cast<std::int64_t>(said.events.size());
  made.checks = static_cast<std::int64_t>(said.checks.size());
  made.server_starts = world_.server_starts();
  return made;
}

void chaos_run::report(const run_result& made) const {
  if (setup_.report.empty() || made.found.all().empty()) return;
  std::filesystem::create_directories(setup_.report);
  history_.write(setup_.report / "history.jsonl");
  std::ofstream(setup_.report / "server.log") << world_.server_log();
  std::ofstream(setup_.report / "plan.txt") << to_text(plan_);
  std::ofstream(setup_.report / "findings.txt") << to_text(made);
}

run_result chaos_run::result() {
  const auto give_up = [&] { // nothing may wait for a run that is given up
    phase_.set(phase::at::over);
    std::filesystem::create_directories(setup_.report.empty() ? folder_.path() / "report" : setup_.report);
    if (!setup_.report.empty()) {
      std::ofstream(setup_.report / "server.log") << world_.server_log();
      std::ofstream(setup_.report / "plan.txt") << to_text(plan_);
    }
  };
  try {
    begin();
    follow_plan();
    close();
  } catch (...) {
    give_up();
    throw;
  }
  say("judging");
  const auto said = read_final_state([this](const std::string& path) { return room_.get(path); });
  auto made = sum_up(said);
  const auto source = test::required_variable("DR_SOURCE_DIR");
  const auto usage = [this](const std::string& cust_no, local_day day) -> const quarters& {
    return meters_.usage(cust_no, day);
  };
  judge(history_, said, settlement_model(usage, read_holidays(source + "/config/holidays.txt")), found_);
  try {
    world_.audit();
  } catch (const std::exception& why) {
    found_.add(promises::audit, why.what());
  }
  for (const auto& complaint : faults_.complaints()) found_.add(promises::contract, complaint);
  made.found = found_;
  report(made);
  return made;
}

} // namespace

run_result carry_out(const run_setup& setup) { return chaos_run(setup).result(); }

std::string to_text(const run_result& result) {
  std::ostringstream out;
  out << "faults:";
  for (const auto& [name, count] : result.faults) out << ' ' << name << ' ' << count << ';';
  out << "\noperations:";
  for (const auto& [name, count] : result.operations) out << ' ' << name << ' ' << count << ';';
  out << "\n"
      << result.sessions << " sessions, " << result.messages << " messages to customers, " << result.events
      << " events, " << result.checks << " checks, " << result.server_starts << " starts of the server\n";
  for (const auto& one : result.found.all()) out << "BROKEN " << one.promise << ": " << one.what << '\n';
  out << (result.found.all().empty() ? "every promise was kept\n" : "promises were broken\n");
  return out.str();
}

} // namespace dr::chaos
