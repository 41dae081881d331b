#include "app/commands.hpp"

#include "app/launcher.hpp"
#include "app/restart.hpp"
#include "config/data_dir.hpp"
#include "config/flags.hpp"
#include "config/table.hpp"
#include "http/tokens.hpp"
#include "storage/postgres/postgres_database.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace dr {
namespace {

int say_no(const error& why) {
  fmt::print(stderr, "drplatform: {}\n", why.detail);
  return exit_configuration_refused;
}

/// What flags say to the server the simulator hears by variables: it has no such flags.
std::vector<std::string> simulator_environment(const settings_sources& from) {
  std::vector<std::string> made;
  if (from.file) made.push_back("DR_CONFIG=" + from.file->string());
  for (const auto* key : {"sim.address", "data_dir", "clock.start", "clock.rate"})
    if (const auto flag = from.flags.find(key); flag != from.flags.end())
      made.push_back(find_setting(key)->environment_name() + "=" + flag->second);
  return made;
}

} // namespace

int up(const settings& s, const settings_sources& from, const std::vector<std::string>& arguments,
       bool with_simulator) {
  if (auto made = make_data_dir(s.data_dir); !made) return say_no(made.error());
  launcher_options options;
  options.http_address = s.http.address;
  options.data_dir = s.data_dir;
  options.server_command = {own_executable(), "serve"};
  options.server_command.insert(options.server_command.end(), arguments.begin(), arguments.end());
  if (with_simulator) {
    const auto simulator = std::filesystem::path(own_executable()).parent_path() / "kepco-sim";
    options.simulator_command = {simulator.string()};
    options.simulator_address = s.sim.address;
    options.simulator_environment = simulator_environment(from);
  }
  options.auth_off = s.auth == auth_mode::off;
  // A little longer than the server gives itself; with no time for requests at all it still has to let go in order.
  constexpr std::chrono::seconds grace{5};
  options.stop_timeout = s.actors.stop_timeout + s.http.drain_timeout + grace;
  options.handover.leave = options.stop_timeout;
  options.handover.release = std::max(s.http.drain_timeout, std::chrono::milliseconds{500});
  return run_launcher(options);
}

int restart(const settings& s, bool only_if_running) {
  return restart_server(s.data_dir, own_executable(), only_if_running);
}

int migrate(const settings& s) {
  if (s.database.url.empty()) return say_no(fail(errc::invalid, "no database is given: set DR_DATABASE_URL"));
  const auto database = storage::make_postgres_database({.url = s.database.url.reveal()});
  const auto applied = database->migrate();
  if (!applied) return say_no(applied.error());
  if (applied->empty()) fmt::print("The schema is up to date.\n");
  for (const auto number : *applied) fmt::print("Applied migration V{:03}.\n", number);
  return 0;
}

int show_configuration(const loaded_settings& loaded, bool for_scripts) {
  const auto& s = loaded.settings;
  if (for_scripts) {
    fmt::print("{}\n{}\n", s.data_dir.string(), s.database.url.reveal());
    return 0;
  }
  fmt::print("{}", describe(s));
  for (const auto& warning : loaded.warnings) fmt::print(stderr, "warning: {}\n", warning);
  return 0;
}

int admin_token(const settings& s, bool rotate) {
  const auto file = admin_token_file(s);
  if (auto made = make_data_dir(s.data_dir); !made) return say_no(made.error());
  if (rotate) {
    if (auto written = write_secret_file(file, http::new_admin_token() + "\n"); !written)
      return say_no(written.error());
    fmt::print("A new admin token is in {}. Restart the server to use it; the old one is refused from then on.\n",
               file.string());
    return 0;
  }
  if (auto token = http::load_or_make_admin_token(file); !token) return say_no(token.error());
  fmt::print("The admin token is in {}.\n", file.string());
  return 0;
}

} // namespace dr
