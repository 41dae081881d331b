#include "tests/system/own_postgres.hpp"

#include <pqxx/pqxx>

#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <utility>

namespace dr::test {
namespace {

using namespace std::chrono_literals;

constexpr auto end_timeout = 30s;
/// Survives a crash of Postgres, and costs no waiting for the disk.
constexpr const char* crash_proof = "synchronous_commit = on\n";

const char* application_name(backend kind) {
  switch (kind) {
  case backend::hot_writer:
    return "drplatform hot writer";
  case backend::bulk_writer:
    return "drplatform bulk writer";
  case backend::reader:
    break;
  }
  return "drplatform reader";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// A process that works in its data folder, and is no zombie, is the postmaster.
bool works_in(pid_t pid, const std::filesystem::path& folder) {
  std::error_code failed;
  const auto where = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/cwd", failed);
  return !failed && where == folder;
}

} // namespace

own_postgres::own_postgres(const std::string& settings, bool started) {
  script("init");
  std::string base;
  std::getline(std::ifstream(folder_.path() / "postgres.path"), base);
  data_ = std::filesystem::path(base) / "data";
  std::ofstream(data_ / "postgresql.conf", std::ios::app) << crash_proof << settings;
  url_ = first_line(script("url"));
  if (started) start();
}

own_postgres::~own_postgres() {
  try {
    resume();
    stop_immediately();
  } catch (const std::exception& why) {
    std::cerr << why.what() << std::endl;
  }
}

std::string own_postgres::script(const std::string& command) const {
  return run({required_variable("DR_SOURCE_DIR") + "/script/postgres", command, folder_.path().string()},
             {{"DR_POSTGRES_FSYNC", "off"}});
}

void own_postgres::start() { script("start"); }

pid_t own_postgres::postmaster() const {
  pid_t pid = 0;
  std::ifstream(data_ / "postmaster.pid") >> pid;
  return pid > 0 && works_in(pid, data_) ? pid : 0;
}

void own_postgres::end_by(int signal) {
  const auto pid = postmaster();
  if (pid == 0) return;
  ::kill(pid, signal);
  eventually(
      "Postgres has ended", [&] { return !works_in(pid, data_); }, end_timeout);
}

void own_postgres::stop() { end_by(SIGINT); }
void own_postgres::stop_immediately() { end_by(SIGQUIT); }
void own_postgres::kill_postmaster() { end_by(SIGKILL); }

std::vector<pid_t> own_postgres::backends(backend kind) const {
  std::istringstream lines(
      sql(std::string("SELECT pid FROM pg_stat_activity WHERE application_name = '") + application_name(kind) + "'"));
  return {std::istream_iterator<pid_t>(lines), {}};
}

void own_postgres::kill(backend kind) {
  for (const auto pid : backends(kind)) ::kill(pid, SIGKILL);
}

void own_postgres::pause(backend kind) {
  for (const auto pid : backends(kind)) {
    ::kill(pid, SIGSTOP);
    paused_.push_back(pid);
  }
}

void own_postgres::resume() {
  for (const auto pid : std::exchange(paused_, {})) ::kill(pid, SIGCONT);
}

std::string own_postgres::url(const std::string& database) const {
  const auto query = url_.find('?');
  return url_.substr(0, url_.rfind('/', query) + 1) + database + url_.substr(query);
}

std::string own_postgres::url_through(const tcp_gate& gate) const {
  // postgresql://role@/database?host=…&port=…&passfile=…
  const auto query = url_.find('?');
  const auto passfile = url_.find("&passfile=");
  return url_.substr(0, query) + "?host=127.0.0.1&port=" + std::to_string(gate.port()) +
         "&sslmode=disable&gssencmode=disable" + url_.substr(passfile);
}

std::unique_ptr<tcp_gate> own_postgres::gate() const {
  pqxx::connection direct(url_);
  return std::make_unique<tcp_gate>(direct.hostname(), std::stoi(direct.port()));
}

std::string own_postgres::sql(const std::string& statement) const { return sql_session(url_).run(statement); }

std::string own_postgres::log() const {
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(data_.parent_path() / "log")) {
    std::ifstream in(file.path());
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  return all;
}

struct sql_session::impl {
  explicit impl(const std::string& url) : open(url) {}
  pqxx::connection open;
};

sql_session::sql_session(const std::string& url) : impl_(std::make_unique<impl>(url)) {}
sql_session::~sql_session() = default;
sql_session::sql_session(sql_session&&) noexcept = default;

std::string sql_session::run(const std::string& statement) {
  pqxx::nontransaction in(impl_->open);
  std::string printed;
  for (const auto& row : in.exec(statement))
    if (!row.empty()) printed += std::string(row[0].c_str()) + "\n";
  return printed;
}

pid_t sql_session::pid() const { return impl_->open.backendpid(); }

} // namespace dr::test
