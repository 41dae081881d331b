#include "tests/system/safety_support.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace dr::test {
namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

json settled_again(platform& on, int campaign, int user, int revision) {
  const auto is_there = [&] { return check_of(on, campaign, user).at("revision") == revision; };
  eventually("revision " + std::to_string(revision) + " is there", is_there, std::chrono::seconds(60));
  return check_of(on, campaign, user);
}

void recheck(platform& on, int campaign, int user) {
  const auto id = check_of(on, campaign, user).at("id").dump();
  REQUIRE(on.call("POST", "/kepcos/" + id + "/recheck").status == 202);
}

} // namespace

ended run_to_end(const std::vector<std::string>& command, const environment& variables,
                 std::chrono::milliseconds at_most) {
  const scratch_folder folder;
  const auto out = folder.path() / "stdout";
  const auto err = folder.path() / "stderr";
  std::vector<std::string> shell{"sh", "-c",         R"(out=$1 err=$2; shift 2; exec "$@" >"$out" 2>"$err")",
                                 "sh", out.string(), err.string()};
  shell.insert(shell.end(), command.begin(), command.end());
  process child(process::options{shell, variables, folder.path() / "rest", -1});
  const auto status = child.wait(at_most);
  if (!status) throw std::runtime_error(command.front() + " does not end: " + content_of(err));
  return {*status, content_of(out), content_of(err)};
}

ended run_script(const std::string& name, std::vector<std::string> arguments, environment variables) {
  arguments.insert(arguments.begin(), required_variable("DR_SOURCE_DIR") + "/script/" + name);
  variables.emplace("DR_BIN_DIR", required_variable("DR_BIN_DIR"));
  variables.emplace("DR_POSTGRES_FSYNC", "off");
  if (const char* place = std::getenv("DR_PGBIN")) variables.emplace("DR_PGBIN", place);
  return run_to_end(arguments, variables);
}

ended verify(const std::string& database_url, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{platform::program("drplatform"), "verify"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_to_end(command, {{"DR_DATABASE_URL", database_url}});
}

json verify_report(const std::string& database_url, int expected_status) {
  const auto done = verify(database_url);
  INFO(done.output << done.errors);
  REQUIRE(done.status == expected_status);
  return json::parse(done.output);
}

std::string query(const std::string& database_url, const std::string& statement) {
  auto text = run({"psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database_url, "-c", statement});
  return text.substr(0, text.find('\n'));
}

void walk_everything(platform& on) {
  const int samsung = enrol(on, "samsung", 400, 1000);
  const int lg = enrol(on, "lg", 300, 50);
  const int sk = enrol(on, "sk", 500);

  const int first = start_campaign(on);
  const int second = start_campaign(on, {{"type", "voluntary"}});
  const int test = start_campaign(on, {{"test", true}});
  const int canceled = start_campaign(on);
  for (const int campaign : {first, second, test, canceled}) REQUIRE(accept(on, campaign, samsung) == 200);
  REQUIRE(accept(on, first, lg) == 200);
  REQUIRE(on.call("PUT", "/responses/" + response_of(on, second, lg).at("id").dump() + "/deny").status == 200);
  REQUIRE(accept(on, first, sk) == 200); // and does not reduce
  REQUIRE(on.call("POST", "/drs/" + std::to_string(canceled) + "/cancel", {{"reason", "계통 회복"}}).status == 200);
  reduce(on, first, samsung, 390);
  reduce(on, first, lg, 295);
  for (const int campaign : {second, first, test}) end_campaign(on, campaign);
  wait_settled(on, first);
  wait_settled(on, second);
  REQUIRE(check_of(on, first, samsung).at("isReal") == true);
  REQUIRE(check_of(on, first, sk).at("isReal") == false);

  const auto all = on.get("/users/" + std::to_string(lg)).at("point");
  REQUIRE(on.call("POST", "/users/" + std::to_string(lg) + "/withdraw", {{"amount", all}}, {{"Idempotency-Key", "w1"}})
              .status == 201);
  on.sim("DELETE", "/_sim/reductions");
  recheck(on, first, lg);
  REQUIRE(settled_again(on, first, lg, 2).at("isReal") == false);
  REQUIRE(on.get("/users/" + std::to_string(lg)).at("owedPoints").get<int>() > 0);
  reduce(on, first, lg, 295);
  recheck(on, first, lg);
  REQUIRE(settled_again(on, first, lg, 3).at("isReal") == true);
}

} // namespace dr::test
