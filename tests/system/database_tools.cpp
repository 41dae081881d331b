#include "tests/system/database_tools.hpp"

#include "tests/support/process.hpp"

#include <pqxx/pqxx>

#include <csignal>
#include <iterator>
#include <sstream>
#include <utility>

namespace dr::test {
namespace {

/// What the server's sessions of one kind are called.
std::string application_name(backend kind) {
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

std::string of_kind(backend kind) {
  return " FROM pg_stat_activity WHERE datname = current_database() AND application_name = '" + application_name(kind) +
         "'";
}

} // namespace

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

std::string sql(const std::string& url, const std::string& statement) { return sql_session(url).run(statement); }

std::vector<pid_t> backends(const std::string& url, backend kind) {
  std::istringstream lines(sql(url, "SELECT pid" + of_kind(kind)));
  return {std::istream_iterator<pid_t>(lines), {}};
}

void kill_backends(const std::string& url, backend kind) {
  for (const auto pid : backends(url, kind)) ::kill(pid, SIGKILL);
}

bool waits_for_lock(const std::string& url, backend kind) {
  return sql(url, "SELECT count(*)" + of_kind(kind) + " AND wait_event_type = 'Lock'") != "0\n";
}

paused_backends::paused_backends(const std::string& url, backend kind) : pids_(backends(url, kind)) {
  for (const auto pid : pids_) freeze(pid);
}

void paused_backends::resume() {
  for (const auto pid : std::exchange(pids_, {})) ::kill(pid, SIGCONT);
}

std::unique_ptr<tcp_gate> gate_to(const std::string& url) {
  pqxx::connection direct(url);
  return std::make_unique<tcp_gate>(direct.hostname(), std::stoi(direct.port()));
}

std::string url_through(const std::string& url, const tcp_gate& gate) {
  // As script/postgres prints it: postgresql://role@/database?host=…&port=…&passfile=…
  const auto passfile = url.find("&passfile=");
  return url.substr(0, url.find('?')) + "?host=127.0.0.1&port=" + std::to_string(gate.port()) +
         "&sslmode=disable&gssencmode=disable" + (passfile == std::string::npos ? "" : url.substr(passfile));
}

} // namespace dr::test
