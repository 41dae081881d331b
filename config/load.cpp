#include "config/load.hpp"

#include "config/holidays.hpp"
#include "config/parse.hpp"
#include "config/table.hpp"
#include "config/toml_file.hpp"

#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace dr {

namespace {

namespace fs = std::filesystem;

enum layer : int { by_default = 0, by_file, by_environment, by_flag };

struct loading {
  settings_sources from;
  loaded_settings made;
  error wrong{errc::invalid, {}, {}};
  std::map<std::string, layer> set_by;

  layer layer_of(const std::string& key) const {
    const auto found = set_by.find(key);
    return found == set_by.end() ? by_default : found->second;
  }
  void refuse(const std::string& key, const std::string& why) { wrong.fields.push_back({key, why}); }
};

void apply(loading& l, const setting_row& row, const std::string& text, layer by, const std::string& source) {
  if (row.set(l.made.settings, text)) {
    l.set_by[row.key] = by;
    return;
  }
  const auto shown = row.hidden ? std::string("(hidden)") : "\"" + text.substr(0, 200) + "\"";
  l.refuse(row.key, "= " + shown + " (from " + source + "): must be " + row.range);
}

void apply_file(loading& l) {
  if (!l.from.file) return;
  auto raw = read_toml_file(*l.from.file);
  if (!raw) {
    l.wrong.detail = raw.error().detail;
    l.wrong.fields = raw.error().fields;
    if (l.wrong.fields.empty()) l.refuse("file", raw.error().detail);
    return;
  }
  std::vector<std::string> known{"programmes", "baselines"};
  for (const auto& row : setting_table()) known.push_back(row.key);
  for (const auto& value : raw->values) {
    const auto source = l.from.file->string() + " line " + std::to_string(value.line);
    if (const auto* row = find_setting(value.key)) {
      apply(l, *row, value.text, by_file, source);
    } else {
      const auto near = nearest_name(value.key, known, 4);
      l.refuse(value.key, "is not a known setting (" + source + ")" + (near ? "; did you mean " + *near + "?" : ""));
    }
  }
  auto& holidays = l.made.settings.holidays_file;
  if (l.layer_of("holidays_file") == by_file && !holidays.empty() && holidays.is_relative())
    holidays = fs::absolute(*l.from.file).parent_path() / holidays;
  if (raw->programmes) l.made.settings.programmes = std::move(*raw->programmes);
  if (raw->baselines) l.made.settings.baselines = std::move(*raw->baselines);
}

void apply_environment(loading& l) {
  std::vector<std::string> known;
  for (const auto& row : setting_table()) {
    known.push_back(row.environment_name());
    const auto found = l.from.environment.find(known.back());
    if (found != l.from.environment.end() && !found->second.empty())
      apply(l, row, found->second, by_environment, found->first);
  }
  for (const auto& [name, value] : l.from.environment) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (const auto near = nearest_name(name, known, 2))
      l.made.warnings.push_back("the environment variable " + name + " is not known; did you mean " + *near + "?");
  }
}

void apply_flags(loading& l) {
  for (const auto& [key, value] : l.from.flags) {
    if (const auto* row = find_setting(key))
      apply(l, *row, value, by_flag, row->flag());
    else
      l.refuse(key, "is not a known setting (given as a flag)");
  }
}

// The simulator's quick ways must not leak to a real KEPCO because they stand in the shipped file.
void make_safe(loading& l, const std::string& key, const std::string& safe) {
  const auto own = l.layer_of(key);
  const auto* row = find_setting(key);
  if (own != by_default && own >= l.layer_of("kepco.base_url")) {
    if (row->get(l.made.settings) == row->get(settings{}))
      l.made.warnings.push_back(key + " is " + row->get(l.made.settings) +
                                ", which is meant for the simulator; for a real KEPCO it is " + safe);
    return;
  }
  if (own != by_default && row->get(l.made.settings) != safe)
    l.made.warnings.push_back(key + " is " + safe + " because kepco.base_url is not the simulator; set it by " +
                              row->environment_name() + " if you want it otherwise");
  row->set(l.made.settings, safe);
}

void settle_kepco(loading& l) {
  auto& s = l.made.settings;
  s.kepco.base_url_given = !s.kepco.base_url.empty();
  if (!s.kepco.base_url_given) {
    auto at = s.sim.address;
    if (at.host == "0.0.0.0") at.host = "127.0.0.1";
    if (at.host == "::") at.host = "::1";
    s.kepco.base_url = "http://" + at.text() + "/OpenAPI";
  }
  std::string host;
  parse_base_url(s.kepco.base_url, host);
  s.kepco.simulated =
      host == "localhost" || endpoint{host, 0}.loopback() || endpoint{host, 0} == endpoint{s.sim.address.host, 0};
  if (s.kepco.simulated) {
    if (s.kepco.base_url_given && !s.kepco.service_key.empty())
      l.made.warnings.push_back(
          "kepco.base_url is on this machine and so taken for a simulator, though a service key is "
          "given; if it leads to KEPCO, set metering.lag_minutes = 60, metering.ask_early = false "
          "and users.assign_cust_no = false");
    return;
  }
  make_safe(l, "metering.lag_minutes", "60");
  make_safe(l, "metering.ask_early", "false");
  make_safe(l, "users.assign_cust_no", "false");
  if (s.kepco.service_key.empty())
    l.made.warnings.push_back(
        "kepco.service_key is empty, and KEPCO answers only to a key; give it as DR_KEPCO_SERVICE_KEY");
}

void settle_paths(loading& l) {
  auto& s = l.made.settings;
  s.data_dir = fs::absolute(s.data_dir).lexically_normal();
  if (!s.data_dir.has_filename()) s.data_dir = s.data_dir.parent_path(); // "var/" is "var"
  if (!s.holidays_file.empty()) s.holidays_file = fs::absolute(s.holidays_file).lexically_normal();
  auto days = s.holidays_file.empty() ? parse_holidays(shipped_holidays(), "the compiled-in calendar")
                                      : read_holidays(s.holidays_file);
  if (days)
    s.holidays = std::move(*days);
  else
    l.refuse("holidays_file", "= \"" + s.holidays_file.string() + "\": " + days.error().detail);
}

// Whenever a campaign can start, each method must have figures in force.
void check_baselines(loading& l) {
  const auto& s = l.made.settings;
  const auto first = std::ranges::min(s.programmes, {}, &programme::effective_from).effective_from;
  for (const auto method : all_baseline_methods) {
    const auto in_force = [&](const baseline_edition& e) { return e.method == method && e.effective_from <= first; };
    if (!std::ranges::any_of(s.baselines, in_force))
      l.refuse("baselines", "must hold an edition of " + std::string(to_string(method)) + " in force on " +
                                format_day(first) + ", when the first programme comes into force");
  }
}

void check_together(loading& l) {
  const auto& s = l.made.settings;
  if (s.auth == auth_mode::off && !s.http.address.loopback())
    l.refuse("auth",
             "= \"off\": allowed only when http.address is a loopback address, and it is " + s.http.address.text());
  check_baselines(l);
  if (s.ws.silent <= s.ws.ping) l.refuse("ws.silent_s", "must be longer than ws.ping_s");
  if (s.metering.retry_max < s.metering.retry_min)
    l.refuse("metering.retry_max_s", "must be at least metering.retry_min_s");
  if (s.actors.backoff_max < s.actors.backoff_min)
    l.refuse("actors.backoff_max_s", "must be at least actors.backoff_min_s");
  if (s.http.address == s.sim.address && s.http.address.port != 0)
    l.refuse("sim.address", "must differ from http.address, which is " + s.http.address.text() + " too");
}

} // namespace

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> found;
  for (char** entry = environ; entry && *entry; ++entry) {
    const char* equals = std::strchr(*entry, '=');
    if (equals && std::strncmp(*entry, "DR_", 3) == 0)
      found.emplace(std::string(*entry, static_cast<std::size_t>(equals - *entry)), equals + 1);
  }
  return found;
}

result<loaded_settings> load_settings(const settings_sources& sources) {
  loading l{sources, {}, {errc::invalid, {}, {}}, {}};
  l.made.settings.programmes = shipped_programmes();
  l.made.settings.baselines = shipped_baselines();
  apply_file(l);
  apply_environment(l);
  apply_flags(l);
  if (l.wrong.fields.empty()) {
    settle_kepco(l);
    settle_paths(l);
    check_together(l);
  }
  if (l.wrong.fields.empty()) return l.made;
  if (l.wrong.detail.empty())
    for (const auto& field : l.wrong.fields)
      l.wrong.detail += (l.wrong.detail.empty() ? "" : "\n") + field.pointer + " " + field.detail;
  return l.wrong;
}

std::string describe(const settings& s) {
  std::string text;
  for (const auto& row : setting_table()) text += row.key + " = " + row.get(s) + "\n";
  text += "programmes =";
  for (const auto& p : s.programmes) text += " " + p.code + "@" + format_day(p.effective_from);
  text += "\nbaselines =";
  for (const auto& b : s.baselines) text += " " + std::string(to_string(b.method)) + "@" + format_day(b.effective_from);
  text += "\nholidays = " + std::to_string(s.holidays.size()) + " days";
  if (!s.holidays.empty()) text += ", " + format_day(s.holidays.front()) + " to " + format_day(s.holidays.back());
  return text + "\n";
}

} // namespace dr
