// dr-bench-faulty: drplatform with parts that crash on demand. The file named by DR_BENCH_FAULT_FILE says what:
// "campaign 7" ends that campaign's actor as soon as it lives, "look 7" only looks for it as often, "kepco" throws in
// every call to KEPCO; empty or absent: nothing is wrong.
#include "actors/interfaces.hpp"
#include "actors/registry.hpp"
#include "app/serve.hpp"
#include "config/load.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

namespace {

using namespace std::chrono_literals;
namespace actors = dr::actors;

constexpr auto look_every = 2ms;

struct faults {
  /// The campaign to look for, 0 for none, and whether it is to crash.
  struct victim {
    std::int64_t campaign = 0;
    bool crash = false;
  };

  std::string file;
  std::atomic<bool> kepco{false};
  std::atomic<bool> stop{false};

  victim read() {
    std::string what;
    std::int64_t id = 0;
    std::ifstream(file) >> what >> id;
    kepco = what == "kepco";
    return {what == "campaign" || what == "look" ? id : 0, what == "campaign"};
  }
};

/// Looks for the actor, and ends it at once if it is to crash, whatever it is doing; its registry takes that for a
/// crash.
void reach(caf::scoped_actor& self, const actors::registry_actor& registry, faults::victim whom) {
  self->request(caf::actor_cast<caf::actor>(registry), 1s,
                actors::find_entity{actors::entity_kind::campaign, whom.campaign})
      .receive(
          [&](const actors::found_entity& found) {
            if (found.who && whom.crash) caf::anon_send_exit(found.who, caf::exit_reason::kill);
          },
          [](const caf::error&) {}); // the registry is being restarted
}

void make_trouble(faults& of, caf::actor_system& system, const actors::registry_actor& registry) {
  caf::scoped_actor self(system);
  while (!of.stop) {
    if (const auto victim = of.read(); victim.campaign != 0) reach(self, registry, victim);
    std::this_thread::sleep_for(look_every);
  }
}

/// KEPCO as it is, or a call that throws.
class brittle_source : public dr::meter_source {
public:
  brittle_source(std::unique_ptr<dr::meter_source> real, const faults& of) : real_(std::move(real)), faults_(of) {}
  dr::meter_result<dr::day_profile> day(const std::string& cust_no, dr::korean_day day) override {
    if (faults_.kepco) throw std::runtime_error("crashed on purpose");
    return real_->day(cust_no, day);
  }

private:
  std::unique_ptr<dr::meter_source> real_;
  const faults& faults_;
};

} // namespace

int main() {
  const char* file = std::getenv("DR_BENCH_FAULT_FILE");
  dr::settings_sources sources;
  sources.environment = dr::process_environment();
  sources.environment.erase("DR_BENCH_FAULT_FILE");
  const auto loaded = dr::load_settings(sources);
  if (!loaded || file == nullptr) {
    std::cerr << (loaded ? "DR_BENCH_FAULT_FILE is not set" : loaded.error().detail) << '\n';
    return EXIT_FAILURE;
  }
  faults all;
  all.file = file;
  std::thread troublemaker;
  dr::serve_parts parts;
  parts.meter_source = [&all](dr::meter_source_factory make) -> dr::meter_source_factory {
    return [&all, make = std::move(make)] { return std::make_unique<brittle_source>(make(), all); };
  };
  parts.started = [&](caf::actor_system& system, const actors::services& services) {
    troublemaker = std::thread([&all, &system, registry = services.registry] { make_trouble(all, system, registry); });
  };
  parts.stopping = [&] {
    all.stop = true;
    troublemaker.join();
  };
  return dr::serve(*loaded, parts);
}
