#include "tests/chaos/world.hpp"

#include "tests/support/http_client.hpp"

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>

namespace dr::chaos {

namespace {

using namespace std::chrono_literals;
using test::eventually;

constexpr auto start_timeout = 60s;
constexpr auto stop_timeout = 30s;
constexpr auto probe_timeout = 2s;
constexpr auto audit_timeout = 300s;
constexpr int fenced_status = 75;
constexpr const char* clock_start = "2026-07-01T00:10:00Z"; ///< a Wednesday, ten past nine in Korea

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

world::world(world_options options) : options_(std::move(options)) {
  gate_ = test::gate_to(postgres_.url());
  data_dir_ = next_data_dir();
  start_kepco();
  std::scoped_lock lock{server_mutex_};
  server_.emplace(spawn_server(data_dir_));
}

world::~world() {
  try {
    heal();
    stop_server();
  } catch (const std::exception&) {} // its destructor kills what is left
}

// ---- the server ----------------------------------------------------------------------------------------------------

std::filesystem::path world::next_data_dir() {
  auto made = folder_.path() / ("server-" + std::to_string(++data_dirs_));
  std::filesystem::create_directory(made);
  // Business time goes on where it was.
  if (!data_dir_.empty() && std::filesystem::exists(data_dir_ / "clock.anchor"))
    std::filesystem::copy_file(data_dir_ / "clock.anchor", made / "clock.anchor");
  return made;
}

test::environment world::server_environment(const std::filesystem::path& data_dir) const {
  test::environment out{{"DR_DATA_DIR", data_dir.string()},
                        {"DR_HTTP_ADDRESS", "127.0.0.1:" + std::to_string(listener_.port())},
                        {"DR_SIM_ADDRESS", "127.0.0.1:" + std::to_string(simulator_port_)},
                        {"DR_DATABASE_URL", test::url_through(postgres_.url(), *gate_)},
                        {"DR_DATABASE_REQUEST_TIMEOUT_S", "3"},
                        {"DR_DATABASE_CONNECT_TIMEOUT_S", "2"},
                        {"DR_KEPCO_CALLS_PER_S", "2000"},
                        {"DR_KEPCO_CALL_TIMEOUT_S", "1"},
                        {"DR_KEPCO_BREAKER_OPEN_S", "0.5"},
                        {"DR_METERING_RETRY_MIN_S", "0.05"},
                        {"DR_METERING_RETRY_MAX_S", "0.5"},
                        // A gap is never final here: what the simulator leaves out comes later.
                        {"DR_METERING_VERIFICATION_DEADLINE_HOURS", "8000"},
                        {"DR_CLOCK_START", clock_start},
                        {"DR_CLOCK_RATE", std::to_string(options_.clock_rate)},
                        {"DR_AUTH", "off"},
                        {"CHAOS_ORDERS", (folder_.path() / "orders").string()}};
  for (const auto& [name, value] : options_.variables) out[name] = value;
  return out;
}

test::process world::spawn_server(const std::filesystem::path& data_dir) {
  ++starts_;
  return test::process({{test::program_under_test(options_.server_program), "serve"},
                        server_environment(data_dir),
                        folder_.path() / "server.log",
                        listener_.descriptor()});
}

void world::kill_server() {
  std::scoped_lock lock{server_mutex_};
  server_->kill();
  frozen_ = false;
  server_.emplace(spawn_server(data_dir_));
}

void world::stop_server() {
  std::scoped_lock lock{server_mutex_};
  if (!server_) return;
  server_->signal(SIGTERM);
  server_->signal(SIGCONT); // it may be frozen
  if (!server_->wait(stop_timeout)) throw std::runtime_error("the server does not stop on SIGTERM");
  server_.reset();
}

void world::freeze_server() {
  std::scoped_lock lock{server_mutex_};
  if (server_) server_->freeze();
  frozen_ = true;
}

void world::thaw_server() {
  std::scoped_lock lock{server_mutex_};
  if (server_) server_->signal(SIGCONT);
  frozen_ = false;
}

void world::succeed_server(std::chrono::milliseconds frozen) {
  std::scoped_lock lock{server_mutex_};
  if (!server_ || !server_->running()) return;
  server_->freeze();
  auto sleeper = std::move(*server_);
  data_dir_ = next_data_dir();
  server_.emplace(spawn_server(data_dir_));
  // The successor must have taken over before the sleeper wakes up.
  eventually(
      "the successor serves", [&] { return ready(); }, start_timeout);
  const auto wakes = steady::now() + frozen;
  eventually(
      "the sleep is over", [&] { return steady::now() >= wakes; }, frozen + 1s);
  sleeper.signal(SIGCONT);
  const auto status = sleeper.wait(stop_timeout);
  if (!status) throw std::runtime_error("a server that was taken over does not leave");
  if (*status != fenced_status && *status != 0)
    throw std::runtime_error("a server that was taken over left with status " + std::to_string(*status));
}

bool world::tend_server() {
  std::scoped_lock lock{server_mutex_};
  if (server_ && server_->running()) return true;
  server_.emplace(spawn_server(data_dir_));
  return false;
}

bool world::ready() const {
  try {
    return test::http_client(listener_.port(), "127.0.0.1", probe_timeout).get("/readyz").status == 200;
  } catch (const test::client_error&) {
    return false;
  }
}

void world::wait_ready(std::chrono::milliseconds at_most) {
  eventually(
      "the server is ready",
      [&] {
        tend_server();
        return ready();
      },
      at_most);
}

void world::kill_actor(const std::string& name) {
  std::ofstream orders(folder_.path() / "orders", std::ios::app);
  orders << name << '\n';
}

void world::audit() const {
  auto environment = server_environment(data_dir_);
  environment.erase("CHAOS_ORDERS");
  environment["DR_DATABASE_URL"] = postgres_.url();
  test::run({test::program_under_test("drplatform"), "verify"}, environment, audit_timeout);
}

std::string world::server_log() const { return text_of(folder_.path() / "server.log"); }

// ---- storage -------------------------------------------------------------------------------------------------------

void world::kill_backend(std::uint64_t luck) {
  std::scoped_lock lock{postgres_mutex_};
  if (postgres_down_) return;
  constexpr std::array kinds = {test::backend::hot_writer, test::backend::bulk_writer, test::backend::reader};
  test::kill_backends(postgres_.url(), kinds.at(luck % kinds.size()));
}

void world::restart_postgres() {
  std::scoped_lock lock{postgres_mutex_};
  if (postgres_down_) return;
  postgres_.stop_immediately();
  postgres_.start();
}

void world::stop_postgres() {
  std::scoped_lock lock{postgres_mutex_};
  if (!postgres_down_) postgres_.stop();
  postgres_down_ = true;
}

void world::start_postgres() {
  std::scoped_lock lock{postgres_mutex_};
  if (postgres_down_) postgres_.start();
  postgres_down_ = false;
}

// ---- KEPCO ---------------------------------------------------------------------------------------------------------

void world::set_kepco_faults(const json& faults) {
  std::scoped_lock lock{kepco_mutex_};
  if (!simulator_ || !simulator_->running()) return;
  try {
    test::http_client(simulator_port_, "127.0.0.1", probe_timeout).put("/_sim/faults", faults.dump());
  } catch (const test::client_error&) {} // it is hanging or just gone: the next fault or heal() tries again
}

void world::stop_kepco() {
  std::scoped_lock lock{kepco_mutex_};
  simulator_.reset();
}

void world::start_kepco() {
  std::scoped_lock lock{kepco_mutex_};
  if (simulator_ && simulator_->running()) return;
  const auto port_file = folder_.path() / "sim.port";
  std::filesystem::remove(port_file);
  // The first server's folder: what matters in it is the clock.
  test::environment variables{{"DR_DATA_DIR", (folder_.path() / "server-1").string()},
                              {"DR_SIM_ADDRESS", "127.0.0.1:" + std::to_string(simulator_port_)},
                              {"DR_CLOCK_START", clock_start},
                              {"DR_CLOCK_RATE", std::to_string(options_.clock_rate)}};
  simulator_.emplace(test::process::options{
      {test::program_under_test("kepco-sim"), "--port-file", port_file.string(), "--data", options_.meters.string()},
      variables,
      folder_.path() / "sim.log",
      -1});
  std::uint16_t port = 0;
  eventually(
      "the simulator is up", [&] { return static_cast<bool>(std::ifstream(port_file) >> port); }, start_timeout);
  simulator_port_ = port;
}

void world::heal() {
  thaw_server();
  gate_->open();
  gate_->delay(0ms);
  gate_->set(test::tcp_gate::trap::none, {});
  start_postgres();
  start_kepco();
  set_kepco_faults(json::object());
}

} // namespace dr::chaos
