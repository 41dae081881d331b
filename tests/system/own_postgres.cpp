#include "tests/system/own_postgres.hpp"

#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>

namespace dr::test {
namespace {

using namespace std::chrono_literals;

constexpr auto end_timeout = 30s;
/// Survives a crash of Postgres, and costs no waiting for the disk.
constexpr const char* crash_proof = "synchronous_commit = on\n";

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

std::string own_postgres::log() const {
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(data_.parent_path() / "log")) {
    std::ifstream in(file.path());
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  return all;
}

} // namespace dr::test
