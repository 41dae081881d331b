// kepco-sim: KEPCO's metering interface for demos and integration tests, without KEPCO.
#include "config/business_clock.hpp"
#include "config/data_dir.hpp"
#include "config/flags.hpp"
#include "config/load.hpp"
#include "simulator/simulator.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>

namespace {

constexpr std::chrono::milliseconds stop_grace{1'000};

struct arguments {
  std::string config;
  std::string address;
  std::string data_dir;
  std::string recordings;
  std::string port_file;
  std::string service_key;
  std::uint64_t seed = 1;
  std::int64_t lag_minutes = -1;
  bool weekend_shape = false;
};

void declare(CLI::App& app, arguments& a) {
  app.add_option("--config", a.config, "Configuration file, as the server's (DR_CONFIG)");
  app.add_option("--address", a.address, "IP address and port to listen on, port 0 for any free one (DR_SIM_ADDRESS)");
  app.add_option("--data-dir", a.data_dir, "Data folder, for the clock shared with the server (DR_DATA_DIR)");
  app.add_option("--data", a.recordings, "Folder of recorded usage, <custNo>.csv with the header end,kwh");
  app.add_option("--lag", a.lag_minutes,
                 "Minutes after its end until a quarter hour is there; without it the running one is there as a whole")
      ->check(CLI::Range(0, 60 * 24 * 30));
  app.add_flag("--weekend-shape", a.weekend_shape, "Lower usage on Saturdays and Sundays");
  app.add_option("--seed", a.seed, "Seed of the generated usage and of the faults");
  app.add_option("--service-key", a.service_key, "The one service key to take; without it any is taken");
  app.add_option("--port-file", a.port_file, "File to write the port to once it listens");
}

/// Only what the simulator needs is read, so that a wrong setting of the server does not stop it.
dr::result<dr::settings> settings_of(const arguments& a) {
  dr::settings_sources sources;
  auto environment = dr::process_environment();
  for (const auto* name : {"DR_SIM_ADDRESS", "DR_DATA_DIR", "DR_CLOCK_START", "DR_CLOCK_RATE"})
    if (auto found = environment.find(name); found != environment.end()) sources.environment.insert(*found);
  auto file = a.config.empty() ? environment["DR_CONFIG"] : a.config;
  if (!file.empty()) sources.file = file;
  if (!a.address.empty()) sources.flags["sim.address"] = a.address;
  if (!a.data_dir.empty()) sources.flags["data_dir"] = a.data_dir;
  auto loaded = dr::load_settings(sources);
  if (!loaded) return loaded.error();
  return loaded->settings;
}

int refuse(const dr::error& why) {
  std::cerr << "kepco-sim: " << why.detail << '\n';
  return dr::exit_configuration_refused;
}

/// Readers see no file or a whole one.
bool write_port(const std::string& file, std::uint16_t port) {
  auto part = file + ".part";
  {
    std::ofstream out(part);
    out << port << '\n';
    if (!out.flush()) return false;
  }
  return std::rename(part.c_str(), file.c_str()) == 0;
}

int run(const arguments& a, const sigset_t& stop_signals) {
  auto settings = settings_of(a);
  if (!settings) return refuse(settings.error());
  if (auto made = dr::make_data_dir(settings->data_dir); !made) return refuse(made.error());
  auto clock = dr::business_clock::open(settings->clock, dr::clock_anchor_file(*settings));
  if (!clock) return refuse(clock.error());

  dr::sim::simulator_options options;
  options.address = settings->sim.address.host;
  options.port = settings->sim.address.port;
  options.generator = {a.seed, a.weekend_shape};
  if (a.lag_minutes >= 0) options.lag = std::chrono::minutes{a.lag_minutes};
  options.service_key = a.service_key;
  dr::sim::simulator simulator(options, **clock);
  if (!a.recordings.empty()) {
    auto loaded = simulator.meters().load(a.recordings);
    if (!loaded) return refuse(loaded.error());
    spdlog::info("usage of {} customers from {}", *loaded, a.recordings);
  }
  if (auto started = simulator.start(); !started) return refuse(started.error());
  if (!a.port_file.empty() && !write_port(a.port_file, simulator.port()))
    return refuse(dr::fail(dr::errc::invalid, a.port_file + " cannot be written"));
  std::cout << "kepco-sim listens on " << simulator.base_url() << ", clock "
            << ((*clock)->is_virtual() ? "virtual, " : "real, ") << dr::format_rfc3339((*clock)->now()) << std::endl;
  int received = 0;
  sigwait(&stop_signals, &received);
  simulator.stop(stop_grace);
  if (!a.port_file.empty()) std::remove(a.port_file.c_str());
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  // Blocked before any thread is made, so that only sigwait takes them.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGINT);
  sigaddset(&stop_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("kepco-sim"));

  arguments a;
  CLI::App app{"KEPCO simulator: the metering interface with made-up or recorded usage, and with faults on demand"};
  declare(app, a);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(a, stop_signals);
  } catch (const std::exception& e) {
    std::cerr << "kepco-sim: " << e.what() << '\n';
    return 1;
  }
}
