// dr-bench: measures the product against the bare limits of the machine it runs on. script/bench starts it.
#include "bench/cases.hpp"
#include "bench/curves.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <thread>
#include <unistd.h>

namespace dr::bench {
namespace {

struct arguments {
  bool quick = false;
  bool lengthy = false;
  std::string json_file;
  std::string curves_folder;
  std::vector<std::string> compared;
  std::vector<std::string> names;
  std::string postgres;
  std::string database_url;
  std::string commit = "unknown";
};

std::string required_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0')
    throw std::runtime_error(std::string(name) + " is not set; start the bench by script/bench");
  return value;
}

/// Ctrl-C ends the programs that were started, then this one. Call it before any thread is made.
void stop_on_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] {
    int number = 0;
    while (sigwait(&set, &number) != 0) {}
    for (const auto child : children_of(::getpid())) {
      ::kill(-child, SIGKILL);
      ::kill(child, SIGKILL);
    }
    ::_exit(128 + number);
  }).detach();
}

nlohmann::ordered_json read_file(const std::string& file) {
  std::ifstream in(file);
  auto parsed = nlohmann::ordered_json::parse(in, nullptr, false);
  if (parsed.is_discarded()) throw std::runtime_error(file + " cannot be read, or is no JSON");
  return parsed;
}

std::vector<bench_case> chosen(const arguments& a) {
  auto all = all_cases();
  const auto names = a.names.empty() && !a.curves_folder.empty() ? cases_of_curves() : a.names;
  const std::set<std::string> wanted(names.begin(), names.end());
  for (const auto& name : wanted)
    if (std::none_of(all.begin(), all.end(), [&](const bench_case& c) { return c.name == name; }))
      throw std::runtime_error("there is no case " + name + "; see --help");
  if (!wanted.empty()) std::erase_if(all, [&](const bench_case& c) { return !wanted.contains(c.name); });
  return all;
}

/// Every case has its chance; one that fails is a result too. `after_each` may keep what there is.
bool run(bench& on, const std::vector<bench_case>& cases, const std::function<void()>& after_each) {
  bool fine = true;
  for (const auto& one : cases) {
    on.say(one.name + ": " + one.what + " …");
    const auto since = std::chrono::steady_clock::now();
    try {
      one.run(on);
    } catch (const std::exception& why) {
      fine = false;
      case_result failed;
      failed.name = one.name;
      failed.error = why.what();
      on.add(std::move(failed));
    }
    on.say(fmt::format("{}: {:.0f} s", one.name, seconds_since(since)));
    after_each();
  }
  return fine;
}

std::string url_of(const std::filesystem::path& source, const std::string& postgres) {
  auto url = test::run({(source / "script/postgres").string(), "url", postgres});
  url.erase(url.find_last_not_of('\n') + 1);
  return url;
}

int measure(const arguments& a) {
  const auto cases = chosen(a);
  if (a.postgres.empty() && a.database_url.empty())
    throw std::runtime_error("no Postgres is given; start the bench by script/bench");
  const auto source = std::filesystem::path(required_variable("DR_SOURCE_DIR"));
  bench on{{required_variable("DR_BIN_DIR"), source, a.postgres, a.database_url},
           a.quick,
           !a.curves_folder.empty(),
           a.lengthy};
  if (on.where.postgres_url.empty()) on.where.postgres_url = url_of(source, a.postgres);
  if (on.curves) std::filesystem::create_directories(a.curves_folder); // what cannot be written to is said at once
  const auto results = [&] { return to_json(on.results, a.commit, a.quick); };
  const bool fine = run(on, cases, [&] {
    if (on.curves) write_curves(a.curves_folder, on.results, results());
  });
  std::cout << '\n' << to_table(on.results) << std::flush;
  if (!a.json_file.empty()) write_file(a.json_file, results().dump(2) + '\n');
  return fine ? 0 : 1;
}

std::string list_of_cases() {
  std::string text = "Cases:\n";
  for (const auto& one : all_cases()) text += fmt::format("  {:<20} {}\n", one.name, one.what);
  return text;
}

} // namespace

void bench::say(const std::string& text) const { std::cerr << text << std::endl; }

void bench::add(case_result result) {
  std::cerr << "  " << to_line(result) << std::endl;
  results.push_back(std::move(result));
}

std::vector<bench_case> all_cases() {
  return {
      {"answers-rest", "accepts by REST, closed and open loop", answers_by_rest},
      {"isolation-kepco", "answers and dispatch while KEPCO hangs or fails", isolation_from_kepco},
      {"isolation-campaign", "answers and dispatch beside a campaign that crashes", isolation_from_a_crashing_campaign},
      {"recovery-kill", "kill -9 with pending responses, until ready and until the first answer", recovery_from_kill},
      {"recovery-postgres", "Postgres restarted, until the first commit", recovery_of_postgres},
      {"start", "a campaign for many users, until durable, answered and alive", starting_a_campaign},
      {"campaigns", "a campaign beside many open ones", ordering_beside_open_campaigns},
      {"reads", "a summary and a user", reads},
      {"walk", "all responses of a campaign by next", walking_responses},
      {"alerts", "alerts to connected customers", alerts},
      {"answers-ws", "accepts by WebSocket", answers_by_websocket},
      {"settle", "settlement with the metered data in the store", settling},
      {"fetch", "settlement with the metered data fetched from kepco-sim", fetching},
      {"withdrawals", "withdrawals of many users and of one", withdrawals},
      {"idle", "an idle server, and memory by pending response and connected customer", idle},
  };
}

} // namespace dr::bench

int main(int argc, char** argv) {
  using namespace dr::bench;
  arguments a;
  CLI::App app("Measures the product against bare limits in the same run on the same machine; see bench/README.md.");
  app.add_flag("--quick", a.quick, "small and short: proves that everything works, says little about speed");
  app.add_option("--json", a.json_file, "writes the results to this file too");
  app.add_flag("--long", a.lengthy, "also what takes many minutes: settlement for a million users");
  app.add_option(
      "--curves", a.curves_folder,
      "measures how figures grow, with fewer rounds; writes plots, figures.md and curves.json to this folder");
  app.add_option("--compare", a.compared, "compares two such files and measures nothing")->expected(2);
  app.add_option("--postgres", a.postgres, "data folder of the Postgres to use, running (script/postgres)");
  app.add_option("--database-url", a.database_url,
                 "a database of another Postgres in which databases may be made; recovery-postgres needs --postgres");
  app.add_option("--commit", a.commit, "what is measured, for the JSON");
  app.add_option("case", a.names, "only these cases");
  app.footer(list_of_cases());
  CLI11_PARSE(app, argc, argv);
  try {
    if (a.compared.size() == 2) {
      std::cout << compare(read_file(a.compared[0]), read_file(a.compared[1]));
      return 0;
    }
    stop_on_signals();
    return measure(a);
  } catch (const std::exception& why) {
    fmt::print(stderr, "dr-bench: {}\n", why.what());
    return 1;
  }
}
