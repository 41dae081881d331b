#include "tests/system/platform.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <unistd.h>

namespace dr::test {
namespace {

using namespace std::chrono_literals;

constexpr auto start_timeout = 60s;
constexpr auto stop_timeout = 30s;

std::string fresh_database_name() {
  static std::atomic<int> count{0};
  return "system_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
}

/// The tests' Postgres, with another database of it.
std::string url_of_database(const std::string& name) {
  auto url = required_variable("DR_TEST_DATABASE_URL");
  const auto query = url.find('?');
  const auto slash = url.rfind('/', query);
  return url.substr(0, slash + 1) + name + (query == std::string::npos ? "" : url.substr(query));
}

void sql(const std::string& statement) {
  run({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", required_variable("DR_TEST_DATABASE_URL"), "-c", statement});
}

/// From the launcher's first line; 0 when it has not been said yet.
unsigned short launcher_port(const std::string& log) {
  const std::string before = "Starting the server on http://127.0.0.1:";
  const auto at = log.find(before);
  const auto end = log.find(' ', at + before.size());
  if (at == std::string::npos || end == std::string::npos) return 0;
  return static_cast<unsigned short>(std::stoi(log.substr(at + before.size(), end - at - before.size())));
}

json_answer to_json(http_answer answer) {
  return {answer.status, json::parse(answer.body, nullptr, false), std::move(answer.headers)};
}

} // namespace

std::string platform::program(const std::string& name) { return program_under_test(name); }

platform::platform(setup with) : with_(std::move(with)), database_url_(with_.database_url) {
  if (database_url_.empty()) {
    database_name_ = fresh_database_name();
    sql("CREATE DATABASE " + database_name_);
    database_url_ = url_of_database(database_name_);
  }
  reached_url_ = with_.reach ? with_.reach(database_url_) : database_url_;
  if (with_.simulator) start_simulator();
  if (with_.started) start_server();
}

platform::~platform() {
  server_.reset();
  simulator_.reset();
  try {
    if (!database_name_.empty()) sql("DROP DATABASE IF EXISTS " + database_name_ + " WITH (FORCE)");
  } catch (const std::exception& why) {
    WARN("the test's database stays: " << why.what());
  }
}

environment platform::server_environment() const {
  environment out{{"DR_DATA_DIR", folder_.path().string()},
                  {"DR_HTTP_ADDRESS", "127.0.0.1:" + std::to_string(with_.launcher ? 0 : http_.port())},
                  {"DR_SIM_ADDRESS", simulator_address_.empty() ? "127.0.0.1:9" : simulator_address_},
                  {"DR_DATABASE_URL", reached_url_},
                  {"DR_KEPCO_CALLS_PER_S", "2000"},
                  {"DR_METERING_RETRY_MIN_S", "0.05"},
                  {"DR_METERING_RETRY_MAX_S", "0.3"},
                  {"DR_KEPCO_BREAKER_OPEN_S", "0.2"},
                  {"DR_METERING_COLLECT_HISTORY", "false"},
                  {"DR_AUTH", "off"}};
  for (const auto& [name, value] : with_.variables) out[name] = value;
  return out;
}

void platform::start_simulator() {
  const auto port_file = folder_.path() / "sim.port";
  std::filesystem::remove(port_file);
  auto variables = server_environment();
  const auto address = simulator_address_.empty() ? std::string("127.0.0.1:0") : simulator_address_;
  variables["DR_SIM_ADDRESS"] = address;
  simulator_.emplace(process::options{
      {program("kepco-sim"), "--port-file", port_file.string()}, variables, folder_.path() / "sim.log", -1});
  std::string port;
  eventually(
      "the simulator is up", [&] { return static_cast<bool>(std::ifstream(port_file) >> port); }, start_timeout);
  simulator_address_ = "127.0.0.1:" + port;
}

void platform::start_server() {
  const auto binary = with_.server_program.empty() ? program("drplatform") : with_.server_program;
  const auto log_file = folder_.path() / "server.log";
  if (with_.launcher) {
    server_.emplace(
        process::options{{binary, "up", "--no-simulator"}, server_environment(), log_file, -1, with_.open_files});
    eventually(
        "the launcher has a port", [&] { return (port_ = launcher_port(log())) != 0; }, start_timeout);
  } else {
    server_.emplace(
        process::options{{binary, "serve"}, server_environment(), log_file, http_.descriptor(), with_.open_files});
  }
  wait_ready();
}

void platform::wait_ready() {
  const auto ready = [&] {
    if (!server_->running()) throw std::runtime_error("the server ended at once:\n" + log());
    try {
      return http_client(port_, "127.0.0.1", 2s).get("/readyz").status == 200;
    } catch (const client_error&) {
      return false;
    }
  };
  eventually("the server is ready; its log:\n" + log(), ready, start_timeout);
}

void platform::kill_and_restart() {
  server_->kill();
  start_server();
}

int platform::stop_server() {
  server_->signal(SIGTERM);
  const auto status = server_->wait(stop_timeout);
  if (!status) throw std::runtime_error("the server does not stop:\n" + log());
  return *status;
}

json_answer platform::call(const std::string& method, const std::string& path, const json& body, header_list headers) {
  http_client client(port_);
  return to_json(client.request(method, path, body.is_null() ? "" : body.dump(), std::move(headers)));
}

json platform::sim(const std::string& method, const std::string& path, const json& body) {
  const auto port = static_cast<std::uint16_t>(std::stoi(simulator_address_.substr(simulator_address_.rfind(':') + 1)));
  http_client client(port);
  auto answer = to_json(client.request(method, path, body.is_null() ? "" : body.dump()));
  if (answer.status / 100 != 2) throw std::runtime_error("simulator: " + path + ": " + answer.body.dump());
  return answer.body;
}

ws_client platform::socket_of(int user_id) { return ws_client(port_, "/ws?userId=" + std::to_string(user_id)); }

std::string platform::log() const {
  std::ifstream in(folder_.path() / "server.log");
  return {std::istreambuf_iterator<char>(in), {}};
}

int enrol(platform& on, const std::string& name, double capacity_kw, int points) {
  const auto made = on.call("POST", "/users", {{"name", name}, {"point", points}, {"capacity", capacity_kw}});
  INFO(made.body.dump());
  REQUIRE(made.status == 201);
  return made.body.at("id").get<int>();
}

int start_campaign(platform& on, const json& extra) {
  json order{{"name", "dr for test"}, {"type", "reliable"}};
  order.update(extra);
  const auto made = on.call("POST", "/drs/startdr", order);
  INFO(made.body.dump());
  REQUIRE(made.status == 200);
  return made.body.at("id").get<int>();
}

json response_of(platform& on, int campaign, int user) {
  const auto list = on.get("/responses?drId=" + std::to_string(campaign) + "&userId=" + std::to_string(user));
  REQUIRE(list.at("_embedded").at("responses").size() == 1);
  return list["_embedded"]["responses"][0];
}

unsigned accept(platform& on, int campaign, int user) {
  const auto id = response_of(on, campaign, user).at("id").get<int>();
  return on.call("PUT", "/responses/" + std::to_string(id) + "/accept").status;
}

json hear(ws_client& socket, const std::string& type) {
  for (;;) {
    const auto text = socket.receive();
    if (!text) throw std::runtime_error("there was no message of type " + type);
    auto message = json::parse(*text);
    if (message.at("type") == type) return message;
  }
}

void end_campaign(platform& on, int campaign) {
  REQUIRE(on.call("PUT", "/drs/" + std::to_string(campaign), {{"status", "end"}}).status == 200);
}

void reduce(platform& on, int campaign, int user, double kw) {
  const auto from = on.get("/drs/" + std::to_string(campaign)).at("startsAt");
  const auto cust_no = on.get("/users/" + std::to_string(user)).at("custNo");
  on.sim("POST", "/_sim/reductions", {{"custNo", cust_no}, {"from", from}, {"kw", kw}});
}

void wait_settled(platform& on, int campaign, std::chrono::milliseconds at_most) {
  const auto settled = [&] { return on.get("/drs/" + std::to_string(campaign)).value("settlement", "") == "settled"; };
  eventually("campaign " + std::to_string(campaign) + " is settled", settled, at_most);
}

json check_of(platform& on, int campaign, int user) {
  const auto list = on.get("/kepcos?drId=" + std::to_string(campaign) + "&userId=" + std::to_string(user));
  REQUIRE(list.at("_embedded").at("kepcos").size() == 1);
  return list["_embedded"]["kepcos"][0];
}

void require_books_balance(platform& on) {
  const auto users = on.get("/users?size=1000");
  for (const auto& user : users.at("_embedded").at("users")) {
    long long sum = 0;
    std::set<std::string> credits;
    const auto ledger = on.get("/users/" + user.at("id").dump() + "/ledger?size=1000");
    for (const auto& entry : ledger.at("_embedded").begin().value()) {
      sum += entry.at("amount").get<long long>();
      CHECK(entry.at("balanceAfter").get<long long>() >= 0);
      if (entry.at("kind") == "credit")
        CHECK(credits.insert(entry.at("responseId").dump() + entry.value("revision", json(1)).dump()).second);
    }
    INFO(user.dump());
    CHECK(user.at("point").get<long long>() == sum);
  }
}

void require_events_whole(platform& on) {
  long long last = 0;
  for (;;) {
    const auto page = on.get("/events?after=" + std::to_string(last));
    const auto& events = page.at("_embedded").at("events");
    if (events.empty()) break;
    for (const auto& event : events) REQUIRE(event.at("seq").get<long long>() == ++last);
  }
  CHECK(last > 0);
}

} // namespace dr::test
