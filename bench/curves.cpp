#include "bench/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

namespace dr::bench {
namespace {

using json = nlohmann::ordered_json;

constexpr double megabyte = 1e6;

enum class taken { ours, bare, rss_mb };

/// Where the points of a series are.
struct source {
  std::string name;                 ///< in the legend
  std::vector<std::string> results; ///< case_result::name
  taken value = taken::ours;
};

struct outline {
  std::string file;
  std::string bench_case;
  std::string title;
  std::string x_param; ///< of case_result::with; a result without it is that of the empty server, x = 0
  axis x;
  axis y;
  std::vector<source> sources;
};

std::vector<outline> curves_of_orders() {
  return {
      {"start",
       "start",
       "Starting a campaign",
       "users",
       {"users", true},
       {"ms", true},
       {{"until all are alive", {"start-alive"}},
        {"until 201", {"start-answered"}},
        {"until durable", {"start-durable"}},
        {"bare INSERT … SELECT", {"start-durable"}, taken::bare}}},
      {"memory-responses",
       "idle",
       "Memory of the server by pending responses",
       "responses",
       {"pending responses"},
       {"RSS, MB"},
       {{"server", {"idle-memory", "memory-pending-response"}, taken::rss_mb}}},
      {"campaigns",
       "campaigns",
       "An order beside open campaigns of 1,000 users",
       "open",
       {"open campaigns", true},
       {"ms"},
       {{"until all are alive", {"campaigns-alive"}},
        {"until 201", {"campaigns-answered"}},
        {"bare INSERT … SELECT", {"campaigns-answered"}, taken::bare}}},
      {"memory-campaigns",
       "campaigns",
       "Memory of the server by open campaigns",
       "open",
       {"open campaigns of 1,000 users"},
       {"RSS, MB"},
       {{"server", {"idle-memory", "campaigns-alive"}, taken::rss_mb}}},
      {"recovery",
       "recovery-kill",
       "From kill -9 to service",
       "pending",
       {"pending responses", true},
       {"ms", true},
       {{"all are alive", {"recovery-kill-revived"}},
        {"first answer", {"recovery-kill-first-answer"}},
        {"ready", {"recovery-kill-ready"}},
        {"bare read of the rows", {"recovery-kill-ready"}, taken::bare}}},
  };
}

std::vector<outline> curves_of_customers() {
  return {
      {"answers",
       "answers-rest",
       "Answers by REST, closed loop",
       "connections",
       {"connections", true},
       {"answers/s"},
       {{"server", {"answers-rest"}}, {"bare writer", {"answers-rest"}, taken::bare}}},
      {"answers-latency",
       "answers-rest",
       "Latency of answers by REST, closed loop",
       "connections",
       {"connections", true},
       {"ms", true},
       {{"p99", {"answers-rest-p99"}},
        {"p50", {"answers-rest-p50"}},
        {"p99, bare writer", {"answers-rest-p99"}, taken::bare},
        {"p50, bare writer", {"answers-rest-p50"}, taken::bare}}},
      {"alerts",
       "alerts",
       "An alert until the last receipt",
       "customers",
       {"connected customers"},
       {"ms"},
       {{"from the commit", {"alerts-last"}},
        {"from the order", {"alerts-last-from-order"}},
        {"bare broadcast", {"alerts-last"}, taken::bare}}},
      {"memory-customers",
       "idle",
       "Memory of the server by connected customers",
       "customers",
       {"connected customers"},
       {"RSS, MB"},
       {{"server", {"idle-memory", "memory-connected-customer"}, taken::rss_mb}}},
      {"settle",
       "settle",
       "Settling a campaign, days in the store",
       "users",
       {"users", true},
       {"users/s"},
       {{"server", {"settle"}}, {"bare reads and SQL", {"settle"}, taken::bare}}},
  };
}

std::vector<outline> outlines() {
  auto all = curves_of_orders();
  for (auto& one : curves_of_customers()) all.push_back(std::move(one));
  return all;
}

std::optional<double> value_of(const case_result& r, taken value) {
  switch (value) {
  case taken::ours:
    return r.ours;
  case taken::bare:
    return r.bare;
  case taken::rss_mb:
    return r.rss_bytes ? std::optional(static_cast<double>(*r.rss_bytes) / megabyte) : std::nullopt;
  }
  return std::nullopt;
}

plot_series points_of(const source& from, const std::string& x_param, const std::vector<case_result>& results) {
  plot_series out{from.name, {}, from.value == taken::bare};
  for (const auto& r : results) {
    if (!r.error.empty() || std::find(from.results.begin(), from.results.end(), r.name) == from.results.end()) continue;
    if (const auto y = value_of(r, from.value)) out.points.emplace_back(r.with.value(x_param, 0.0), *y);
  }
  std::sort(out.points.begin(), out.points.end());
  return out;
}

std::string table_of(const plot& of) {
  std::map<double, std::vector<std::string>> rows;
  std::string text = "| " + of.x.title + " |";
  std::string rule = "\n|---|";
  for (std::size_t i = 0; i < of.all.size(); ++i) {
    text += fmt::format(" {} |", of.all[i].name);
    rule += "---|";
    for (const auto& [x, y] : of.all[i].points) {
      auto& row = rows[x];
      row.resize(of.all.size());
      row[i] = short_number(y);
    }
  }
  text += rule + "\n";
  for (const auto& [x, cells] : rows) {
    text += fmt::format("| {} |", short_number(x));
    for (const auto& cell : cells) text += fmt::format(" {} |", cell);
    text += "\n";
  }
  return text;
}

json to_json(const curve& one) {
  json out{{"file", one.file + ".svg"},
           {"title", one.drawn.title},
           {"x", one.drawn.x.title},
           {"y", one.drawn.y.title},
           {"series", json::array()}};
  for (const auto& s : one.drawn.all) out["series"].push_back({{"name", s.name}, {"points", s.points}});
  return out;
}

} // namespace

std::vector<std::string> cases_of_curves() {
  std::set<std::string> names;
  for (const auto& one : outlines()) names.insert(one.bench_case);
  return {names.begin(), names.end()};
}

std::vector<curve> curves_of(const std::vector<case_result>& results) {
  std::vector<curve> all;
  for (const auto& one : outlines()) {
    curve drawn{one.file, {one.title, one.x, one.y}};
    bool measured = false; // the empty server alone makes no curve
    for (const auto& from : one.sources) {
      auto points = points_of(from, one.x_param, results);
      if (points.points.empty()) continue;
      measured = measured || points.points.back().first > 0;
      drawn.drawn.all.push_back(std::move(points));
    }
    if (measured) all.push_back(std::move(drawn));
  }
  return all;
}

std::string to_markdown(const std::vector<curve>& curves, const json& run) {
  const auto& machine = run.at("machine");
  auto text = fmt::format("# The figures behind the curves\n\nWritten by `script/bench --curves` at {} for commit {} "
                          "on: {}, {} cores, {} of "
                          "memory, {}; load average at the end {}.{}\n",
                          run.at("at").get<std::string>(), run.at("commit").get<std::string>(),
                          machine.at("cpu").get<std::string>(), machine.at("cores").get<unsigned>(),
                          machine.at("memory").get<std::string>(), machine.at("kernel").get<std::string>(),
                          machine.at("load").get<double>(),
                          run.at("quick").get<bool>() ? " A quick run: these figures say nothing about speed." : "");
  for (const auto& one : curves)
    text += fmt::format("\n## {0}\n\n![{0}]({1}.svg)\n\nIn {2}:\n\n{3}", one.drawn.title, one.file, one.drawn.y.title,
                        table_of(one.drawn));
  return text;
}

void write_curves(const std::filesystem::path& folder, const std::vector<case_result>& results, json run) {
  std::filesystem::create_directories(folder);
  const auto curves = curves_of(results);
  for (const auto& one : curves) write_file(folder / (one.file + ".svg"), to_svg(one.drawn));
  write_file(folder / "figures.md", to_markdown(curves, run));
  run["curves"] = json::array();
  for (const auto& one : curves) run["curves"].push_back(to_json(one));
  write_file(folder / "curves.json", run.dump(2) + "\n");
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  if (!out.flush()) throw std::runtime_error(file.string() + " cannot be written");
}

} // namespace dr::bench
