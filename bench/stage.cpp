#include "bench/stage.hpp"

#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <unistd.h>

namespace dr::bench {
namespace {

using json = nlohmann::json;
using namespace std::chrono_literals;

constexpr auto start_timeout = 60s;
constexpr auto stop_timeout = 60s;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string url_of_database(const std::string& url, const std::string& name) {
  const auto query = url.find('?');
  const auto slash = url.rfind('/', query == std::string::npos ? query : query - 1);
  return url.substr(0, slash + 1) + name + (query == std::string::npos ? "" : url.substr(query));
}

std::string fresh_name() {
  static std::atomic<int> count{0};
  return "bench_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
}

} // namespace

double seconds_since(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

// ---- SQL -----------------------------------------------------------------------------------------------------------

struct sql_session::impl {
  explicit impl(const std::string& url) : connection(url) {}
  pqxx::connection connection;
  pqxx::result run(const std::string& statement) {
    pqxx::nontransaction in{connection};
    return in.exec(statement);
  }
};

sql_session::sql_session(const std::string& url) : impl_(std::make_unique<impl>(url)) {}
sql_session::~sql_session() = default;
sql_session::sql_session(sql_session&&) noexcept = default;

void sql_session::execute(const std::string& statement) { impl_->run(statement); }
std::int64_t sql_session::number(const std::string& query) {
  const auto rows = impl_->run(query);
  if (rows.empty()) throw std::runtime_error("no row: " + query);
  return rows[0][0].as<std::int64_t>(0);
}
std::int64_t sql_session::last_number(const std::string& query) {
  const auto rows = impl_->run(query);
  return rows.empty() ? 0 : rows.back()[0].as<std::int64_t>(0);
}

database::database(const places& where)
    : where_(where), name_(fresh_name()), url_(url_of_database(where.postgres_url, name_)) {
  sql_session(where_.postgres_url).execute("CREATE DATABASE " + name_);
  const test::scratch_folder folder;
  test::run({(where_.programs / "drplatform").string(), "migrate"},
            {{"DR_DATABASE_URL", url_}, {"DR_DATA_DIR", folder.path().string()}});
}

database::~database() {
  try {
    sql_session(where_.postgres_url).execute("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  } catch (const std::exception&) {
    // The whole Postgres is thrown away at the end.
  }
}

void database::enrol(int count) {
  auto sql = open();
  sql.execute("INSERT INTO users (id,capacity_w,points,created_at,version,enrolled,name,cust_no) "
              "SELECT n, 100000, 1000000, now(), 1, true, '고객 ' || n, lpad(n::text, 10, '0') "
              "FROM generate_series(1, " +
              std::to_string(count) + ") n");
  sql.execute("INSERT INTO ledger (user_id,amount,balance_after,at,revision,kind) "
              "SELECT id, points, points, created_at, 0, 1 FROM users");
  sql.execute("SELECT setval('users_id_seq', " + std::to_string(count) + ")");
  settle_down();
}

void database::settle_down() {
  auto sql = open();
  sql.execute("VACUUM ANALYZE");
  sql.execute("CHECKPOINT");
}

// ---- programs ------------------------------------------------------------------------------------------------------

simulator::simulator(const places& where) {
  const auto port_file = folder_.path() / "port";
  process_.emplace(test::process::options{{(where.programs / "kepco-sim").string(), "--port-file", port_file.string()},
                                          {{"DR_SIM_ADDRESS", "127.0.0.1:0"}, {"DR_DATA_DIR", folder_.path().string()}},
                                          folder_.path() / "log",
                                          -1});
  test::eventually(
      "the simulator is up", [&] { return static_cast<bool>(std::ifstream(port_file) >> port_); }, start_timeout);
}

json simulator::call(const std::string& method, const std::string& path, const json& body) {
  test::http_client client(port_);
  const auto answer = client.request(method, path, body.is_null() ? "" : body.dump());
  if (answer.status / 100 != 2) throw std::runtime_error("the simulator refused " + path + ": " + answer.body);
  return json::parse(answer.body, nullptr, false);
}

server::server(const places& where, const database& data, setup with)
    : where_(where), with_(std::move(with)), database_url_(data.url()) {
  if (with_.started) start();
}

void server::launch() {
  test::environment variables{{"DR_DATA_DIR", folder_.path().string()},
                              {"DR_HTTP_ADDRESS", "127.0.0.1:" + std::to_string(port())},
                              {"DR_SIM_ADDRESS", "127.0.0.1:" + std::to_string(with_.simulator_port)},
                              {"DR_DATABASE_URL", database_url_},
                              {"DR_METERING_COLLECT_HISTORY", "false"},
                              {"DR_AUTH", with_.auth ? "token" : "off"}};
  for (const auto& [name, value] : with_.variables) variables[name] = value;
  process_.emplace(test::process::options{
      {(where_.programs / with_.program).string(), "serve"}, variables, folder_.path() / "log", socket_.descriptor()});
}

void server::wait_ready(std::chrono::milliseconds at_most) {
  test::eventually(
      "the server is ready",
      [&] {
        if (!process_->running()) throw std::runtime_error("the server ended at once:\n" + log());
        try {
          return test::http_client(port(), "127.0.0.1", 2s).get("/readyz").status == 200;
        } catch (const test::client_error&) {
          return false;
        }
      },
      at_most);
}

void server::stop() {
  process_->signal(SIGTERM);
  if (!process_->wait(stop_timeout)) throw std::runtime_error("the server does not stop:\n" + log());
}

std::string server::token() const {
  std::string token;
  if (with_.auth) std::ifstream(folder_.path() / "admin.token") >> token;
  return token;
}

test::http_answer server::raw(const std::string& method, const std::string& path, const std::string& body) {
  test::http_client client(port(), "127.0.0.1", 10min);
  test::header_list headers;
  if (with_.auth) headers.emplace_back("Authorization", "Bearer " + token());
  auto answer = client.request(method, path, body, headers);
  if (answer.status / 100 != 2)
    throw std::runtime_error(method + " " + path + " was answered " + std::to_string(answer.status) + ": " +
                             answer.body);
  return answer;
}

json server::call(const std::string& method, const std::string& path, const json& body) {
  return json::parse(raw(method, path, body.is_null() ? "" : body.dump()).body, nullptr, false);
}

json server::get(const std::string& path) { return call("GET", path, nullptr); }

std::int64_t server::start_campaign() {
  return call("POST", "/drs/startdr", {{"name", "발령"}, {"type", "reliable"}}).at("id").get<std::int64_t>();
}

namespace {

std::int64_t dynamic_count(const json& node, const std::string& kind) {
  if (const auto counts = node.find("dynamic"); counts != node.end() && counts->contains(kind))
    return counts->at(kind).get<std::int64_t>();
  for (const auto& child : node.value("children", json::array()))
    if (const auto found = dynamic_count(child, kind); found >= 0) return found;
  return -1;
}

} // namespace

std::int64_t server::alive(const std::string& kind) {
  std::int64_t count = -1;
  test::http_client client(port(), "127.0.0.1", 1min);
  // Who is not the operator reads what the server's own watch found up to some seconds ago.
  if (const auto mine = token(); !mine.empty()) client.always_send({{"Authorization", "Bearer " + mine}});
  // A server that is busy with a million actors answers 503 here, without the count, until its supervisors answer.
  test::eventually(
      "/health counts the " + kind,
      [&] {
        count = dynamic_count(json::parse(client.get("/health").body).value("tree", json::object()), kind);
        return count >= 0;
      },
      5min);
  return count;
}

std::string server::log() const { return text_of(folder_.path() / "log"); }

bare_server::bare_server(const places& where, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), (where.programs / "dr-bench-bare").string());
  process_.emplace(test::process::options{std::move(arguments), {}, folder_.path() / "log", socket_.descriptor()});
  test::eventually(
      "the bare server answers",
      [&] {
        if (!process_->running()) throw std::runtime_error("dr-bench-bare ended: " + text_of(folder_.path() / "log"));
        try {
          return test::http_client(port(), "127.0.0.1", 2s).get("/ready").status == 200;
        } catch (const test::client_error&) {
          return false;
        }
      },
      start_timeout);
}

void write_answer(const std::filesystem::path& file, const test::http_answer& answer) {
  std::ofstream out(file, std::ios::binary);
  for (const auto& [name, value] : answer.headers)
    if (name != "Content-Length") out << name << ": " << value << '\n';
  out << '\n' << answer.body;
}

void postgres(const places& where, const std::string& command) {
  test::run({(where.source / "script/postgres").string(), command, where.postgres.string()}, {}, 2min);
}

double postgres_cpu_s(const places& where) {
  sql_session sql(where.postgres_url);
  return cpu_s_of_family(parent_of(static_cast<pid_t>(sql.number("SELECT pg_backend_pid()"))));
}

} // namespace dr::bench
