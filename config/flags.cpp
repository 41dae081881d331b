#include "config/flags.hpp"

#include "config/table.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace dr {

void add_setting_flags(CLI::App& app, settings_sources& into) {
  if (const char* file = std::getenv("DR_CONFIG"); file && *file) into.file = file;
  app.add_option_function<std::string>(
         "--config", [&into](const std::string& file) { into.file = file; },
         "configuration file in TOML (or DR_CONFIG)")
      ->type_name("FILE")
      ->group("Settings");
  for (const auto& row : setting_table())
    app.add_option_function<std::string>(
           row.flag(), [&into, key = row.key](const std::string& value) { into.flags[key] = value; },
           row.help + " (or " + row.environment_name() + ")")
        ->type_name("VALUE")
        ->group("Settings");
}

} // namespace dr
