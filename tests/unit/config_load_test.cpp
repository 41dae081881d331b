#include "config/flags.hpp"
#include "config/load.hpp"
#include "config/table.hpp"
#include "tests/unit/config_support.hpp"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <sstream>

using namespace dr;
using Catch::Matchers::Contains;
using config_test::scratch_folder;

namespace {

loaded_settings loaded(const settings_sources& from) {
  auto made = load_settings(from);
  if (!made) FAIL(made.error().detail);
  return *made;
}

error refused(const settings_sources& from) {
  auto made = load_settings(from);
  REQUIRE_FALSE(made.has_value());
  REQUIRE(made.error().code == errc::invalid);
  return made.error();
}

settings_sources by_env(std::map<std::string, std::string> variables) { return {{}, std::move(variables), {}}; }

} // namespace

TEST_CASE("without any source the defaults talk to the simulator", "[config]") {
  const auto s = loaded({}).settings;
  CHECK(s.http.address == endpoint{"127.0.0.1", 8080});
  CHECK(s.kepco.base_url == "http://127.0.0.1:11080/OpenAPI");
  CHECK(s.kepco.simulated);
  CHECK(s.metering.lag == std::chrono::minutes{0});
  CHECK(s.metering.ask_early);
  CHECK(s.users.assign_cust_no);
  CHECK(s.auth == auth_mode::token);
  CHECK(s.data_dir.is_absolute());
  CHECK(s.programmes.size() == 5);
}

TEST_CASE("the shipped calendar has the holidays that the law of 2026 brought, and their substitutes", "[config]") {
  const auto holidays = loaded({}).settings.holidays;
  for (const char* day : {"2026-01-01", "2026-05-01", "2026-07-17", "2027-05-01", "2027-05-03", "2027-07-17",
                          "2027-07-19", "2027-12-27"}) {
    INFO(day);
    CHECK(std::ranges::binary_search(holidays, *parse_day(day)));
  }
  for (const char* day : {"2025-05-01", "2025-07-17", "2026-07-20"})
    CHECK_FALSE(std::ranges::binary_search(holidays, *parse_day(day)));
}

TEST_CASE("a flag goes before the environment, that before the file, that before the default", "[config]") {
  scratch_folder here;
  settings_sources from;
  CHECK(loaded(from).settings.http.io_threads == 2);
  from.file = here.write("c.toml", "[http]\nio_threads = 3\n");
  CHECK(loaded(from).settings.http.io_threads == 3);
  from.environment["DR_HTTP_IO_THREADS"] = "4";
  CHECK(loaded(from).settings.http.io_threads == 4);
  from.flags["http.io_threads"] = "5";
  CHECK(loaded(from).settings.http.io_threads == 5);
}

TEST_CASE("an empty variable counts as absent", "[config]") {
  scratch_folder here;
  settings_sources from{here.write("c.toml", "auth = \"off\"\n"), {{"DR_AUTH", ""}}, {}};
  CHECK(loaded(from).settings.auth == auth_mode::off);
}

TEST_CASE("the variables that the manual names are known", "[config]") {
  std::set<std::string> names;
  for (const auto& row : setting_table()) CHECK(names.insert(row.environment_name()).second);
  for (auto name : {"DR_DATA_DIR", "DR_HTTP_ADDRESS", "DR_SIM_ADDRESS", "DR_DATABASE_URL", "DR_AUTH", "DR_CLOCK_START",
                    "DR_CLOCK_RATE", "DR_HOLIDAYS_FILE", "DR_KEPCO_BASE_URL", "DR_KEPCO_SERVICE_KEY", "DR_LOG_LEVEL"})
    CHECK(names.count(name) == 1);
}

TEST_CASE("every setting refuses rubbish with its name, the value, the source and the range", "[config]") {
  const auto rubbish = std::string("\r\n,*/?\0", 7); // no reader takes it
  for (const auto& row : setting_table()) {
    INFO(row.key);
    const auto wrong = refused(by_env({{row.environment_name(), rubbish}}));
    REQUIRE(wrong.fields.size() == 1);
    CHECK(wrong.fields[0].pointer == row.key);
    CHECK_THAT(wrong.detail, Contains(row.key) && Contains(row.environment_name()) && Contains("must be " + row.range));
    CHECK_THAT(wrong.detail, Contains(row.hidden ? "(hidden)" : rubbish));
  }
}

TEST_CASE("what a setting shows can be given back to it", "[config]") {
  settings s = loaded({}).settings;
  for (const auto& row : setting_table()) {
    if (row.hidden) continue;
    INFO(row.key << " = " << row.get(s));
    settings again = s;
    CHECK(row.set(again, row.get(s)));
    CHECK(row.get(again) == row.get(s));
  }
}

TEST_CASE("a value just outside its range is refused and one on the edge is taken", "[config]") {
  CHECK(loaded(by_env({{"DR_HTTP_IO_THREADS", "64"}})).settings.http.io_threads == 64);
  CHECK_THAT(refused(by_env({{"DR_HTTP_IO_THREADS", "65"}})).detail,
             Contains("http.io_threads = \"65\" (from DR_HTTP_IO_THREADS): must be a whole number from 1 to 64"));
  CHECK_THAT(refused(by_env({{"DR_HTTP_IO_THREADS", "2x"}})).detail, Contains("\"2x\""));
  CHECK_THAT(refused(by_env({{"DR_CLOCK_RATE", "0"}})).detail, Contains("must be a number from 0.001 to"));
  CHECK_THAT(refused(by_env({{"DR_CLOCK_RATE", "nan"}})).detail, Contains("clock.rate"));
  CHECK_THAT(refused(by_env({{"DR_CLOCK_START", "yesterday"}})).detail, Contains("RFC 3339"));
  CHECK_THAT(refused(by_env({{"DR_HTTP_ADDRESS", "example.org:80"}})).detail, Contains("an IP address and a port"));
  CHECK_THAT(refused(by_env({{"DR_HTTP_ADDRESS", "127.0.0.1:65536"}})).detail, Contains("65536"));
  CHECK_THAT(refused(by_env({{"DR_AUTH", "none"}})).detail, Contains("must be token or off"));
}

TEST_CASE("all wrong settings are named at once", "[config]") {
  const auto wrong = refused(by_env({{"DR_AUTH", "x"}, {"DR_LOG_LEVEL", "y"}}));
  CHECK(wrong.fields.size() == 2);
  CHECK_THAT(wrong.detail, Contains("auth") && Contains("log.level"));
}

TEST_CASE("an unknown name in the file is refused, with the nearest known one", "[config]") {
  scratch_folder here;
  const auto file = here.write("c.toml", "[http]\n\nadress = \"127.0.0.1:1\"\n");
  CHECK_THAT(refused({file, {}, {}}).detail,
             Contains("http.adress is not a known setting") && Contains("line 3") && Contains("mean http.address?"));
  CHECK_THAT(refused({here.write("d.toml", "[zzzzzzzzzzzzzz]\na = 1\n"), {}, {}}).detail, Contains("zzzzzzzzzzzzzz.a"));
}

TEST_CASE("a file that is missing or is not TOML is refused with the place", "[config]") {
  scratch_folder here;
  CHECK_THAT(refused({here / "none.toml", {}, {}}).detail, Contains("none.toml does not exist"));
  CHECK_THAT(refused({here.write("c.toml", "auth = \"off\"\nhttp = [\n"), {}, {}}).detail, Contains("c.toml line"));
}

TEST_CASE("a misspelt variable is warned of", "[config]") {
  const auto made = loaded(by_env({{"DR_HTTP_ADRESS", "127.0.0.1:1"}, {"DR_SOMETHING_ELSE_ENTIRELY", "1"}}));
  REQUIRE(made.warnings.size() == 1);
  CHECK_THAT(made.warnings[0], Contains("DR_HTTP_ADRESS") && Contains("DR_HTTP_ADDRESS"));
}

TEST_CASE("authentication can be off only on a loopback address", "[config]") {
  CHECK(loaded(by_env({{"DR_AUTH", "off"}, {"DR_HTTP_ADDRESS", "[::1]:80"}})).settings.auth == auth_mode::off);
  CHECK(loaded(by_env({{"DR_AUTH", "off"}, {"DR_HTTP_ADDRESS", "localhost:80"}})).settings.auth == auth_mode::off);
  CHECK_THAT(refused(by_env({{"DR_AUTH", "off"}, {"DR_HTTP_ADDRESS", "0.0.0.0:80"}})).detail,
             Contains("auth = \"off\": allowed only when http.address is a loopback address, and it is 0.0.0.0:80"));
}

TEST_CASE("settings that contradict one another are refused", "[config]") {
  CHECK_THAT(refused(by_env({{"DR_WS_PING_S", "60"}})).detail, Contains("ws.silent_s"));
  CHECK_THAT(refused(by_env({{"DR_METERING_RETRY_MAX_S", "0.5"}})).detail, Contains("metering.retry_max_s"));
  CHECK_THAT(refused(by_env({{"DR_SIM_ADDRESS", "127.0.0.1:8080"}})).detail, Contains("sim.address"));
}

TEST_CASE("secrets never show", "[config]") {
  const auto s =
      loaded(by_env({{"DR_KEPCO_SERVICE_KEY", "hush-hush"}, {"DR_DATABASE_URL", "postgres://a:sesame@h/d"}})).settings;
  CHECK(s.kepco.service_key.reveal() == "hush-hush");
  std::ostringstream printed;
  printed << s.kepco.service_key << s.database.url << describe(s);
  CHECK_THAT(printed.str(), !Contains("hush") && !Contains("sesame"));
  CHECK_THAT(describe(s), Contains("kepco.service_key = (set, hidden)") && Contains("http.address = 127.0.0.1:8080"));
  CHECK_THAT(describe(loaded({}).settings), Contains("database.url = (none)"));
  CHECK_THAT(refused(by_env({{"DR_KEPCO_SERVICE_KEY", "hush\nhush"}})).detail, !Contains("hush"));
}

TEST_CASE("a KEPCO address elsewhere brings the safe values, whatever stands in the shipped file", "[config]") {
  const settings_sources shipped{std::filesystem::path(DR_SOURCE_DIR) / "config/drplatform.toml",
                                 {{"DR_KEPCO_BASE_URL", "https://opm.kepco.co.kr:11080/OpenAPI/"}},
                                 {}};
  for (auto from : {shipped, settings_sources{{}, shipped.environment, {}}}) {
    const auto s = loaded(from).settings;
    CHECK(s.kepco.base_url == "https://opm.kepco.co.kr:11080/OpenAPI");
    CHECK_FALSE(s.kepco.simulated);
    CHECK(s.metering.lag == std::chrono::minutes{60});
    CHECK_FALSE(s.metering.ask_early);
    CHECK_FALSE(s.users.assign_cust_no);
    from.environment["DR_METERING_LAG_MINUTES"] = "5";
    CHECK(loaded(from).settings.metering.lag == std::chrono::minutes{5});
    CHECK_FALSE(loaded(from).settings.metering.ask_early);
  }
  CHECK(loaded(shipped).warnings.size() == 1); // no service key
}

TEST_CASE("a KEPCO address in the file brings the safe values too, unless the file says otherwise", "[config]") {
  scratch_folder here;
  std::ifstream in(std::filesystem::path(DR_SOURCE_DIR) / "config/drplatform.toml");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  auto replaced = [&](const std::string& what, const std::string& by) {
    REQUIRE(text.find(what) != std::string::npos);
    text.replace(text.find(what), what.size(), by);
  };
  replaced("base_url = \"\"", "base_url = \"https://opm.kepco.co.kr:11080/OpenAPI\"");
  replaced("service_key = \"\"", "service_key = \"key\"");
  replaced("holidays_file = \"holidays.txt\"", "");
  const auto safe = loaded({here.write("safe.toml", text), {}, {}});
  CHECK(safe.settings.metering.lag == std::chrono::minutes{60});
  CHECK_FALSE(safe.settings.metering.ask_early);
  CHECK_FALSE(safe.settings.users.assign_cust_no);
  CHECK(safe.warnings.empty());
  replaced("# ask_early = true ", "ask_early = true ");
  replaced("# lag_minutes = 0 ", "lag_minutes = 30 ");
  const auto bold = loaded({here.write("bold.toml", text), {}, {}});
  CHECK(bold.settings.metering.lag == std::chrono::minutes{30});
  CHECK(bold.settings.metering.ask_early);
  REQUIRE(bold.warnings.size() == 1);
  CHECK_THAT(bold.warnings[0], Contains("metering.ask_early is true, which is meant for the simulator"));
}

TEST_CASE("the simulator's address moves the KEPCO address along", "[config]") {
  const auto s = loaded(by_env({{"DR_SIM_ADDRESS", "[::1]:12000"}})).settings;
  CHECK(s.kepco.base_url == "http://[::1]:12000/OpenAPI");
  CHECK(s.kepco.simulated);
  CHECK_FALSE(s.kepco.base_url_given);
  CHECK(loaded(by_env({{"DR_KEPCO_BASE_URL", "http://127.0.0.2:9/x"}})).settings.kepco.simulated);
  CHECK(loaded(by_env({{"DR_KEPCO_BASE_URL", "http://127.0.0.2:9/x"}})).settings.kepco.base_url_given);
  CHECK_THAT(refused(by_env({{"DR_KEPCO_BASE_URL", "http://user:pw@h/x"}})).detail, Contains("kepco.base_url"));
  const auto relay = loaded(by_env({{"DR_KEPCO_BASE_URL", "http://127.0.0.1:9443/x"}, {"DR_KEPCO_SERVICE_KEY", "k"}}));
  REQUIRE(relay.warnings.size() == 1);
  CHECK_THAT(relay.warnings[0], Contains("taken for a simulator"));
}

TEST_CASE("lists come from the file as lists and from the environment with commas", "[config]") {
  scratch_folder here;
  const auto file = here.write("c.toml", "[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n");
  settings_sources from{file, {{"DR_HTTP_CORS_ORIGINS", "https://a.kr, http://localhost:3000"}}, {}};
  const auto s = loaded(from).settings;
  CHECK(s.http.trusted_proxies == std::vector<std::string>{"10.0.0.0/8", "::1"});
  CHECK(s.http.cors_origins == std::vector<std::string>{"https://a.kr", "http://localhost:3000"});
  for (auto wrong : {"*", "a.kr", "https://a.kr/", "https://a.kr/x"})
    CHECK_THAT(refused(by_env({{"DR_HTTP_CORS_ORIGINS", wrong}})).detail, Contains("http.cors_origins"));
  CHECK_THAT(refused(by_env({{"DR_HTTP_TRUSTED_PROXIES", "10.0.0.0/33"}})).detail, Contains("10.0.0.0/33"));
}

TEST_CASE("flags reach the settings and name their variables in the help", "[config]") {
  CLI::App app;
  settings_sources from;
  add_setting_flags(app, from);
  app.parse("--http-address 127.0.0.1:9999 --metering-ask-early off --kepco-calls-per-s 2.5");
  const auto s = loaded({{}, {}, from.flags}).settings;
  CHECK(s.http.address.port == 9999);
  CHECK_FALSE(s.metering.ask_early);
  CHECK(s.kepco.calls_per_s == 2.5);
  CHECK_THAT(app.help(), Contains("DR_HTTP_ADDRESS"));
}

TEST_CASE("the shipped configuration is complete and equals the defaults", "[config]") {
  const auto file = std::filesystem::path(DR_SOURCE_DIR) / "config/drplatform.toml";
  const auto shipped = loaded({file, {}, {}});
  const auto plain = loaded({}).settings;
  CHECK(shipped.warnings.empty());
  for (const auto& row : setting_table()) {
    if (row.key != "holidays_file") CHECK(row.key + row.get(shipped.settings) == row.key + row.get(plain));
  }
  CHECK(shipped.settings.holidays == plain.holidays);
  CHECK(shipped.settings.holidays_file == std::filesystem::path(DR_SOURCE_DIR) / "config/holidays.txt");
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const auto& row : setting_table()) {
    const auto line = row.key.substr(row.key.find('.') + 1) + " = ";
    CHECK_THAT(text, Contains("\n" + line) || Contains("\n# " + line));
  }
}
