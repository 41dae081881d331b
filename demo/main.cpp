// dr-demo: plays one campaign with simulated customers against a running server and shows who was credited what, and
// why.
#include "config/flags.hpp"
#include "config/load.hpp"
#include "demo/api_client.hpp"
#include "demo/customer.hpp"
#include "demo/table.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/url/parse.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>

namespace dr::demo {
namespace {

using json = nlohmann::json;
using namespace std::chrono_literals;

struct options {
  std::string server = "http://127.0.0.1:8080";
  std::string simulator = "http://127.0.0.1:11080";
  std::string token_file = "var/admin.token";
  int customers = 12;
  int patience_s = 110;
};

constexpr std::array<const char*, 12> names{"한빛제강",   "서울냉동창고", "부산시멘트", "대구섬유",
                                            "인천주물",   "광주유리",     "울산화학",   "제주리조트",
                                            "수원반도체", "강릉리조트 ⛷", "전주제지",   "행복아파트 101동"};

/// Of every six customers three reduce, one cheats, one denies and one ignores.
behaviour behaviour_of(int index) {
  switch (index % 6) {
  case 3:
    return behaviour::cheats;
  case 4:
    return behaviour::denies;
  case 5:
    return behaviour::ignores;
  default:
    return behaviour::reduces;
  }
}

const char* describe(behaviour acts) {
  switch (acts) {
  case behaviour::reduces:
    return "accepts and reduces";
  case behaviour::cheats:
    return "accepts, does not reduce";
  case behaviour::denies:
    return "denies";
  case behaviour::ignores:
    return "does not answer";
  }
  return "";
}

std::string read_token(const std::string& file) {
  std::string token;
  std::ifstream(file) >> token;
  return token;
}

/// Runs the customers' sockets until `met` holds. Throws api_error when it does not within the patience left.
class stage {
public:
  explicit stage(int patience_s) : deadline_(std::chrono::steady_clock::now() + std::chrono::seconds(patience_s)) {}

  boost::asio::io_context& io() { return io_; }

  template <class Condition> void until(const std::string& what, Condition met) {
    while (!met()) {
      if (std::chrono::steady_clock::now() > deadline_) throw api_error("gave up waiting until " + what);
      io_.restart();
      io_.run_for(100ms);
    }
  }

private:
  boost::asio::io_context io_;
  std::chrono::steady_clock::time_point deadline_;
};

/// A server that runs without access control answers everybody.
bool takes_tokens(const std::string& origin) {
  try {
    api_client(origin, "").get("/overview");
    return false;
  } catch (const api_error&) {
    return true; // whatever is wrong with a server that cannot be reached is said by the next call
  }
}

/// Enrols the customers of the demo, or finds those of an earlier run by their names, and gives each a token where the
/// server takes tokens.
std::vector<customer> enrol(const api_client& server, int count, bool with_tokens) {
  std::vector<customer> all;
  for (int i = 0; i < count; ++i) {
    customer c;
    c.name = fmt::format("데모 {} {}", i + 1, names[static_cast<std::size_t>(i) % names.size()]);
    c.acts = behaviour_of(i);
    c.capacity_kw = 100 + 25 * (i % 8);
    CURL* curl = curl_easy_init();
    char* escaped = curl_easy_escape(curl, c.name.c_str(), static_cast<int>(c.name.size()));
    const auto known = server.get(std::string("/users?enrolled=true&size=1&q=") + escaped).at("_embedded").at("users");
    curl_free(escaped);
    curl_easy_cleanup(curl);
    const auto user = known.empty() ? server.post("/users", {{"name", c.name}, {"capacity", c.capacity_kw}}) : known[0];
    c.id = user.at("id").get<std::int64_t>();
    c.capacity_kw = user.at("capacity").get<double>();
    if (user.contains("custNo") && user["custNo"].is_string()) c.cust_no = user["custNo"].get<std::string>();
    if (with_tokens)
      c.token = server.post(fmt::format("/users/{}/token", c.id), nullptr).at("token").get<std::string>();
    all.push_back(std::move(c));
  }
  return all;
}

/// Tells the simulator who really reduces, from the campaign's start on; what an earlier run told it is forgotten.
void plan_reductions(const api_client& simulator, const std::vector<customer>& all, const std::string& from) {
  for (const auto& c : all) {
    simulator.remove("/_sim/reductions?custNo=" + c.cust_no);
    if (c.acts == behaviour::reduces)
      simulator.post("/_sim/reductions", {{"custNo", c.cust_no}, {"from", from}, {"kw", c.capacity_kw * 0.95}});
  }
}

std::string kwh(const json& wh) { return wh.is_number() ? fmt::format("{:.1f}", wh.get<double>() / 1000.0) : "-"; }

std::string reason(const customer& c, const json* check) {
  if (c.acts == behaviour::denies) return "denied the order";
  if (c.acts == behaviour::ignores) return "did not answer";
  if (check == nullptr) return "no reduction check";
  const auto detail = check->value("detail", "");
  return detail.empty() ? "reduced as promised" : detail;
}

void print_result(const api_client& server, const std::vector<customer>& all, std::int64_t campaign) {
  std::map<std::int64_t, json> checks;
  const auto listed = server.get(fmt::format("/kepcos?drId={}&size=1000", campaign));
  for (const auto& check : listed.at("_embedded").at("kepcos")) checks[check.at("userId").get<std::int64_t>()] = check;
  std::vector<std::vector<std::string>> rows{{"customer", "capacity kW", "behaviour", "answer now", "baseline kWh",
                                              "metered kWh", "points", "balance", "why"}};
  for (const auto& c : all) {
    const auto found = checks.find(c.id);
    const json* check = found == checks.end() ? nullptr : &found->second;
    const auto response =
        server.get(fmt::format("/responses?drId={}&userId={}", campaign, c.id)).at("_embedded").at("responses").at(0);
    rows.push_back({c.name, fmt::format("{:g}", c.capacity_kw), describe(c.acts),
                    response.at("answer").get<std::string>(), check ? kwh(check->at("baselineWh")) : "-",
                    check ? kwh(check->at("meteredWh")) : "-", check ? check->at("adjustPoint").dump() : "0",
                    server.get(fmt::format("/users/{}", c.id)).at("point").dump(), reason(c, check)});
  }
  fmt::print("\n{}\n", render_table(rows));
}

/// On a virtual clock the order lasts a quarter hour of business time or more; on the real one it ends at once.
void let_it_run(stage& on, const api_client& server) {
  const auto health = server.get("/health");
  if (health.value("clock", "real") != "virtual") return;
  fmt::print("the clock is virtual: the order runs for thirty seconds, much longer in business time …\n");
  const auto until = std::chrono::steady_clock::now() + 30s;
  on.until("the order has run", [&] { return std::chrono::steady_clock::now() >= until; });
}

void settle(stage& on, const api_client& server, std::int64_t campaign) {
  std::string last;
  on.until("every check is settled", [&] {
    const auto summary = server.get(fmt::format("/drs/{}/summary", campaign));
    const auto& v = summary.at("verification");
    const auto line =
        fmt::format("verification: {} pending, {} real, {} unreal, {} unverifiable", v.at("pending").dump(),
                    v.at("real").dump(), v.at("unreal").dump(), v.at("unverifiable").dump());
    if (line != last) fmt::print("{}\n", line);
    last = line;
    return summary.at("settlement") == "settled";
  });
}

/// The demo's order goes to everybody who is enrolled: only where nobody's real load is meant.
void require_a_playground(const api_client& server, const api_client& simulator) {
  if (!server.get("/health").at("kepco").at("simulated").get<bool>())
    throw api_error("this server works with a real KEPCO, and the demo's order would go to its real customers; run the "
                    "demo on a server of its own: DR_DATA_DIR=/tmp/dr-demo script/server");
  simulator.get("/_sim/stats");
}

void play(const options& opt) {
  const api_client server(opt.server, read_token(opt.token_file));
  const api_client simulator(opt.simulator, "");
  require_a_playground(server, simulator);
  const auto url = boost::urls::parse_uri(opt.server).value();
  stage on(opt.patience_s);
  fmt::print("enrolling {} customers …\n", opt.customers);
  auto all = enrol(server, opt.customers, takes_tokens(opt.server));
  std::string broken;
  for (auto& c : all)
    boost::asio::co_spawn(on.io(), run_customer(c, std::string(url.host()), std::string(url.port())),
                          [&broken, &c](std::exception_ptr why) {
                            try {
                              if (why) std::rethrow_exception(why);
                            } catch (const std::exception& e) {
                              broken = c.name + ": " + e.what();
                            }
                          });
  const auto everybody = [&](auto member) {
    if (!broken.empty()) throw api_error("a customer's connection broke: " + broken);
    return std::all_of(all.begin(), all.end(), member);
  };
  on.until("every customer is connected", [&] { return everybody([](const customer& c) { return c.connected; }); });
  fmt::print("all connected by WebSocket; the order goes out …\n");
  const auto campaign = server.post("/drs/startdr", {{"name", "데모 발령"}, {"type", "reliable"}});
  const auto id = campaign.at("id").get<std::int64_t>();
  plan_reductions(simulator, all, campaign.at("startsAt").get<std::string>());
  on.until("every customer is alerted", [&] { return everybody([](const customer& c) { return c.alerted; }); });
  on.until("the answers are in",
           [&] { return everybody([](const customer& c) { return c.answered || c.acts == behaviour::ignores; }); });
  fmt::print("all alerted, the answers are in\n");
  let_it_run(on, server);
  server.put(fmt::format("/drs/{}", id), {{"status", "end"}});
  fmt::print("the campaign has ended; KEPCO is asked for the metered usage …\n");
  settle(on, server, id);
  print_result(server, all, id);
  fmt::print("Try next: GET /drs/{0}/summary · GET /drs/{0}/statement.csv · GET /users/{1}/ledger\n", id,
             all.front().id);
}

/// Where a server that listens on `address` is reached from this machine.
std::string reachable(endpoint address) {
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return address.text();
}

} // namespace
} // namespace dr::demo

int main(int argc, char** argv) {
  using namespace dr::demo;
  dr::settings_sources sources{{}, dr::process_environment(), {}};
  if (const char* file = std::getenv("DR_CONFIG"); file && *file) sources.file = file;
  const auto loaded = dr::load_settings(sources);
  if (!loaded) {
    fmt::print(stderr, "dr-demo: the configuration is refused:\n{}\n", loaded.error().detail);
    return dr::exit_configuration_refused;
  }
  options opt;
  opt.server = "http://" + reachable(loaded->settings.http.address);
  opt.simulator = "http://" + reachable(loaded->settings.sim.address);
  opt.token_file = (loaded->settings.data_dir / "admin.token").string();
  CLI::App app("Plays one campaign with simulated customers against a running server.");
  app.add_option("--server", opt.server, "the server's origin")->capture_default_str();
  app.add_option("--simulator", opt.simulator, "the KEPCO simulator's origin")->capture_default_str();
  app.add_option("--token-file", opt.token_file, "the admin token's file")->capture_default_str();
  app.add_option("--customers", opt.customers, "how many customers take part")
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  app.add_option("--patience", opt.patience_s, "give up after so many seconds")
      ->check(CLI::Range(10, 3600))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  try {
    play(opt);
    return 0;
  } catch (const std::exception& why) {
    fmt::print(stderr, "dr-demo: {}\n", why.what());
    return 1;
  }
}
