#include "bench/report.hpp"

#include "demo/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <sys/utsname.h>
#include <thread>

namespace dr::bench {
namespace {

using json = nlohmann::ordered_json;

/// Three significant digits, and whole thousands.
std::string figure(double value) {
  if (value == 0) return "0";
  if (std::fabs(value) >= 1000) return fmt::format("{:.0f}", value);
  const auto digits = 2 - static_cast<int>(std::floor(std::log10(std::fabs(value))));
  return fmt::format("{:.{}f}", value, std::clamp(digits, 0, 4));
}

template <class T> json or_null(const std::optional<T>& value) { return value ? json(*value) : json(nullptr); }

std::string first_value(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key))
      return line.substr(line.find(':') + 1 + line.substr(line.find(':') + 1).find_first_not_of(" \t"));
  return {};
}

json machine() {
  utsname names{};
  ::uname(&names);
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  return {{"cpu", first_value("/proc/cpuinfo", "model name")},
          {"cores", std::thread::hardware_concurrency()},
          {"memory", first_value("/proc/meminfo", "MemTotal")},
          {"kernel", std::string(names.sysname) + " " + names.release},
          {"load", load}};
}

std::string now_text() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

json to_json(const case_result& r) {
  json out{{"name", r.name}, {"params", r.with}, {"unit", r.unit}};
  if (!r.error.empty()) {
    out["error"] = r.error;
    return out;
  }
  out["ours"] = r.ours;
  out["bare"] = or_null(r.bare);
  out["ratio"] = or_null(r.ratio());
  out["spread"] = r.spread;
  out["cpu_us"] = or_null(r.cpu_us);
  out["rss_bytes"] = or_null(r.rss_bytes);
  out["goal"] = r.goals.empty() ? json(nullptr) : json(r.goal_text());
  out["met"] = or_null(r.met());
  return out;
}

std::string text_of(const json& with) {
  std::string text;
  for (const auto& [name, value] : with.items()) {
    text += (text.empty() ? "" : " ") + name + "=";
    text += value.is_string() ? value.get<std::string>() : value.dump();
  }
  return text;
}

const char* verdict(const std::optional<bool>& met) { return !met ? "" : *met ? "yes" : "NO"; }

std::string number_text(const json& value) { return value.is_number() ? figure(value.get<double>()) : ""; }

const json& cases_of(const json& file) {
  const auto found = file.find("cases");
  if (found == file.end() || !found->is_array()) throw std::runtime_error("this is no file that script/bench wrote");
  return *found;
}

} // namespace

double series::median() const {
  if (values_.empty()) return 0;
  auto sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const auto middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double series::spread() const {
  if (values_.size() < 2 || median() == 0) return 0;
  const auto [low, high] = std::minmax_element(values_.begin(), values_.end());
  return (*high - *low) / median();
}

double series::median_ratio(const series& other) const {
  series ratios;
  for (std::size_t i = 0; i < values_.size(); ++i) ratios.add(values_[i] / other.values_.at(i));
  return ratios.median();
}

std::optional<double> case_result::ratio() const {
  if (paired) return paired;
  return bare && *bare > 0 ? std::optional(ours / *bare) : std::nullopt;
}

std::string case_result::goal_text() const {
  std::string text;
  for (const auto& g : goals) {
    const bool of_ratio = g.figure == goal::of::ratio;
    text += fmt::format("{}{} {} {:g}{}", text.empty() ? "" : ", ", of_ratio ? "ratio" : "ours",
                        g.side == goal::bound::at_least ? "≥" : "≤", g.limit, of_ratio ? "" : " " + unit);
  }
  return text;
}

std::optional<bool> case_result::met() const {
  if (goals.empty() || !error.empty()) return std::nullopt;
  return std::all_of(goals.begin(), goals.end(), [&](const goal& g) {
    const auto value = g.figure == goal::of::ours ? std::optional(ours) : ratio();
    if (!value) return false;
    return g.side == goal::bound::at_least ? *value >= g.limit : *value <= g.limit;
  });
}

json to_json(const std::vector<case_result>& results, const std::string& commit, bool quick) {
  json out{{"machine", machine()}, {"commit", commit}, {"at", now_text()}, {"quick", quick}, {"cases", json::array()}};
  for (const auto& r : results) out["cases"].push_back(to_json(r));
  return out;
}

std::string to_line(const case_result& r) {
  auto text = r.name + (r.with.empty() ? "" : " ") + text_of(r.with) + ": ";
  if (!r.error.empty()) return text + "FAILED: " + r.error;
  text += figure(r.ours) + " " + r.unit;
  if (r.bare) text += fmt::format(", bare {}, ratio {}", figure(*r.bare), figure(*r.ratio()));
  if (r.met()) text += fmt::format(" (goal {}: {})", r.goal_text(), *r.met() ? "met" : "NOT met");
  return text;
}

std::string to_table(const std::vector<case_result>& results) {
  std::vector<std::vector<std::string>> rows{
      {"case", "with", "ours", "bare", "unit", "ratio", "spread", "CPU µs", "RSS MB", "goal", "met"}};
  for (const auto& r : results) {
    if (!r.error.empty()) {
      rows.push_back({r.name, text_of(r.with), "FAILED", "", "", "", "", "", "", r.error.substr(0, 80), "NO"});
      continue;
    }
    const auto optional = [](const std::optional<double>& value) { return value ? figure(*value) : std::string(); };
    rows.push_back({r.name, text_of(r.with), figure(r.ours), optional(r.bare), r.unit, optional(r.ratio()),
                    r.spread > 0 ? fmt::format("{:.0f} %", r.spread * 100) : "", optional(r.cpu_us),
                    r.rss_bytes ? figure(static_cast<double>(*r.rss_bytes) / 1e6) : "", r.goal_text(),
                    verdict(r.met())});
  }
  return demo::render_table(rows);
}

std::string compare(const json& before, const json& after) {
  std::vector<std::vector<std::string>> rows{
      {"case", "with", "unit", "before", "after", "after/before", "ratio before", "ratio after", "goal", "met"}};
  const auto& old_cases = cases_of(before);
  for (const auto& now : cases_of(after)) {
    const auto was = std::find_if(old_cases.begin(), old_cases.end(), [&](const json& c) {
      return c.at("name") == now.at("name") && c.at("params") == now.at("params");
    });
    const auto of = [&](const char* name) { return was == old_cases.end() ? json(nullptr) : was->value(name, json()); };
    const auto old_value = of("ours");
    const auto value = now.value("ours", json());
    std::string change;
    if (old_value.is_number() && value.is_number() && old_value.get<double>() != 0)
      change = figure(value.get<double>() / old_value.get<double>());
    const auto goal_text = now.value("goal", json());
    const auto met = now.value("met", json());
    rows.push_back({now.at("name").get<std::string>(), text_of(now.at("params")), now.value("unit", ""),
                    number_text(old_value), number_text(value), change, number_text(of("ratio")),
                    number_text(now.value("ratio", json())), goal_text.is_string() ? goal_text.get<std::string>() : "",
                    met.is_boolean() ? verdict(met.get<bool>()) : ""});
  }
  return demo::render_table(rows);
}

} // namespace dr::bench
