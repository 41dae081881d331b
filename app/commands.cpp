#include "app/commands.hpp"

#include "app/launcher.hpp"
#include "app/restart.hpp"
#include "config/data_dir.hpp"
#include "config/flags.hpp"
#include "http/tokens.hpp"
#include "storage/postgres/postgres_database.hpp"

#include <fmt/format.h>

namespace dr {
namespace {

int say_no(const error& why) {
  fmt::print(stderr, "drplatform: {}\n", why.detail);
  return exit_configuration_refused;
}

} // namespace

int up(const settings& s, const std::vector<std::string>& arguments, bool with_simulator) {
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
  }
  options.auth_off = s.auth == auth_mode::off;
  options.handover.release = s.http.drain_timeout;
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
