// drplatform: the command line.
#include "app/commands.hpp"
#include "app/launcher_link.hpp"
#include "app/serve.hpp"
#include "app/verify.hpp"
#include "config/flags.hpp"
#include "config/load.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <functional>

namespace {

/// Everything behind the subcommand's name: `up` hands it on to `serve`.
std::vector<std::string> arguments_after(const std::string& name, int argc, char** argv) {
  std::vector<std::string> all(argv + 1, argv + argc);
  const auto at = std::find(all.begin(), all.end(), name);
  return at == all.end() ? std::vector<std::string>{} : std::vector<std::string>(at + 1, all.end());
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("The DR Platform: a server for electricity demand-response aggregators.\n"
               "Every setting of config/drplatform.toml is also a DR_* variable and a flag of each subcommand.");
  app.require_subcommand(1);
  app.set_version_flag("--version", dr::version());

  dr::settings_sources sources;
  std::function<int(const dr::loaded_settings&)> run;
  const auto add = [&](const char* name, const char* help, std::function<int(const dr::loaded_settings&)> what) {
    auto* command = app.add_subcommand(name, help);
    dr::add_setting_flags(*command, sources);
    command->callback([&run, what = std::move(what)] { run = what; });
    return command;
  };
  bool without_simulator = false;
  bool rotate = false;
  bool only_if_running = false;
  add("serve", "Run the server until it is told to stop",
      [](const dr::loaded_settings& loaded) { return dr::serve(loaded); });
  add("up", "Run the server (and the KEPCO simulator), restarting it when it dies",
      [&](const dr::loaded_settings& loaded) {
        auto arguments = arguments_after("up", argc, argv);
        std::erase(arguments, "--no-simulator");
        return dr::up(loaded.settings, sources, arguments, !without_simulator && !loaded.settings.kepco.base_url_given);
      })
      ->add_flag("--no-simulator", without_simulator, "do not start kepco-sim");
  add("restart", "Put this program in the place of the server that `up` runs, without losing a request",
      [&](const dr::loaded_settings& loaded) { return dr::restart(loaded.settings, only_if_running); })
      ->add_flag("--if-running", only_if_running, "say nothing when none runs; the exit status is 69 then");
  add("migrate", "Bring the database schema up to date",
      [](const dr::loaded_settings& loaded) { return dr::migrate(loaded.settings); });
  bool as_json = false;
  add("verify", "Compute every balance and settlement anew and name what differs; changes nothing",
      [&](const dr::loaded_settings& loaded) { return dr::verify(loaded, as_json); })
      ->add_flag("--json", as_json, "print one JSON object instead of text");
  add("token", "Show where the admin token is, or make a new one", [&](const dr::loaded_settings& loaded) {
    return dr::admin_token(loaded.settings, rotate);
  })->add_flag("--rotate", rotate, "make a new token; the old one ends with the next start of the server");
  bool for_scripts = false;
  add("config", "Print the configuration in effect, secrets masked",
      [&](const dr::loaded_settings& loaded) { return dr::show_configuration(loaded, for_scripts); })
      ->add_flag("--for-scripts", for_scripts,
                 "print the data folder and, on a second line, the database's address with its password; nothing else");
  CLI11_PARSE(app, argc, argv);

  sources.environment = dr::process_environment();
  const auto loaded = dr::load_settings(sources);
  if (!loaded) {
    fmt::print(stderr, "drplatform: the configuration is refused:\n{}\n", loaded.error().detail);
    dr::launcher_link::inherited().say(dr::launcher_words::refused, loaded.error().detail);
    return dr::exit_configuration_refused;
  }
  return run(*loaded);
}
