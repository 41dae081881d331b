#include "kepco/codec.hpp"
#include "simulator/admin.hpp"
#include "simulator/model.hpp"
#include "simulator/wire.hpp"
#include "tests/kepco/support.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace dr;
using namespace dr::sim;
using namespace dr::test;
using namespace std::chrono_literals;

namespace {

const std::string one = "0000000001";
const auto when = test::day("2026-07-01");
const auto afterwards = start_of(when) + 48h;

day_profile day_at(const model& meters, time_point now, const std::string& cust_no = one) {
  return meters.day(cust_no, when, now, std::nullopt).value();
}

int known_values(const day_profile& profile) {
  return static_cast<int>(
      std::count_if(profile.wh.begin(), profile.wh.end(), [](auto wh) { return wh != day_profile::missing; }));
}

/// A folder that is gone with the test.
struct scratch_folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("kepco-tests-" + std::to_string(::getpid()));
  scratch_folder() { std::filesystem::create_directories(path); }
  ~scratch_folder() { std::filesystem::remove_all(path); }
  void write(const char* name, const std::string& content) const { std::ofstream(path / name) << content; }
};

std::string first_pointer(const error& why) { return why.fields.empty() ? "(none)" : why.fields[0].pointer; }

} // namespace

TEST_CASE("a reduction takes its full power off every quarter hour it touches", "[simulator]") {
  model meters({}, std::nullopt);
  auto before = day_at(meters, afterwards);
  REQUIRE(before.complete());
  // 14:05 to 14:31 in Korea touches 14:00, 14:15 and 14:30.
  auto from = start_of(when) + 14h + 5min;
  REQUIRE(meters.add({{one, from, from + 26min, 383'000}}).has_value());
  auto after = day_at(meters, afterwards);
  for (std::size_t quarter = 0; quarter < 96; ++quarter)
    CHECK(before.wh[quarter] - after.wh[quarter] == (quarter >= 56 && quarter <= 58 ? 95'750 : 0));
  CHECK(day_at(meters, afterwards, "0000000002") == model({}, std::nullopt).day("0000000002", when, afterwards, {}));
}

TEST_CASE("a reduction that ends on a quarter hour does not touch the next", "[simulator]") {
  model meters({}, std::nullopt);
  auto before = day_at(meters, afterwards);
  REQUIRE(meters.add({{one, start_of(when) + 10h, start_of(when) + 11h, 4'000}}).has_value());
  auto after = day_at(meters, afterwards);
  for (std::size_t quarter = 0; quarter < 96; ++quarter)
    CHECK(before.wh[quarter] - after.wh[quarter] == (quarter >= 40 && quarter < 44 ? 1'000 : 0));
}

TEST_CASE("an absent end is unbounded, reductions add up, and an identical one counts once", "[simulator]") {
  model meters({}, std::nullopt);
  auto before = day_at(meters, afterwards);
  REQUIRE(meters.add({{one, std::nullopt, std::nullopt, 4'000}}).has_value());
  CHECK(meters.add({{one, std::nullopt, std::nullopt, 4'000}}).value() == 1);
  CHECK(meters.add({{one, start_of(when) + 12h, std::nullopt, 8'000}}).value() == 2);
  auto after = day_at(meters, afterwards);
  CHECK(before.wh[0] - after.wh[0] == 1'000);
  CHECK(before.wh[48] - after.wh[48] == 3'000);
  CHECK(before.wh[95] - after.wh[95] == 3'000);
  CHECK(meters.clear_reductions("0000000002") == 0);
  CHECK(meters.clear_reductions(one) == 2);
  CHECK(day_at(meters, afterwards) == before);
}

TEST_CASE("usage never falls below zero", "[simulator]") {
  model meters({}, std::nullopt);
  REQUIRE(meters.add({{one, std::nullopt, std::nullopt, 1'000'000'000}}).has_value());
  for (auto wh : day_at(meters, afterwards).wh) CHECK(wh == 0);
}

TEST_CASE("too many reductions are refused and change nothing", "[simulator]") {
  model meters({}, std::nullopt);
  std::vector<reduction> many;
  for (int i = 0; i <= 1000; ++i) many.push_back({one, std::nullopt, std::nullopt, i});
  CHECK_FALSE(meters.add(many).has_value());
  CHECK(meters.clear_reductions(std::nullopt) == 0);
}

TEST_CASE("the running quarter hour is there as a whole unless a lag is set", "[simulator]") {
  auto now = start_of(when) + 14h + 7min;
  CHECK(known_values(day_at(model({}, std::nullopt), now)) == 57);
  CHECK(known_values(day_at(model({}, 0min), now)) == 56);
  CHECK(known_values(day_at(model({}, 15min), now)) == 55);
  CHECK(known_values(model({}, std::nullopt).day(one, when, now, 60min).value()) == 52);
  CHECK_FALSE(model({}, 60min).day(one, when, start_of(when) + 30min, std::nullopt).has_value());
  CHECK_FALSE(model({}, std::nullopt).day(one, when, start_of(when) - 1ms, std::nullopt).has_value());
}

TEST_CASE("a site has the size that was set", "[simulator]") {
  model meters({}, std::nullopt);
  REQUIRE(meters.change_sites({{one, 50'000, std::nullopt}}).has_value());
  auto day = day_at(meters, afterwards);
  for (auto wh : day.wh) {
    CHECK(wh > 50'000 / 4 / 2);
    CHECK(wh < 50'000 / 4 * 3 / 2);
  }
  CHECK(meters.known_customers(10) == std::vector<std::string>{one});
}

TEST_CASE("recorded usage is served instead of made-up usage", "[simulator]") {
  scratch_folder folder;
  folder.write("0000000001.csv", "end,kwh\r\n2026-07-01T00:15,85.25\n2026-07-01T00:30,\n2026-07-02T00:00,1.0005\n\n");
  model meters({}, std::nullopt);
  CHECK(meters.load(folder.path).value() == 1);
  auto day = day_at(meters, afterwards);
  CHECK(day.wh[0] == 85'250);
  CHECK(day.wh[1] == day_profile::missing);
  CHECK(day.wh[95] == 1'001);
  CHECK_FALSE(meters.day(one, when - std::chrono::days{1}, afterwards, std::nullopt).has_value());
  REQUIRE(meters.add({{one, std::nullopt, std::nullopt, 4'000}}).has_value());
  CHECK(day_at(meters, afterwards).wh[0] == 84'250);
}

TEST_CASE("a broken recording is refused with its file and line", "[simulator]") {
  for (const char* content :
       {"", "time,kwh\n", "end,kwh\n2026-07-01T00:15\n", "end,kwh\n2026-07-01T00:07,1\n", "end,kwh\nyesterday,1\n",
        "end,kwh\n2026-07-01T00:15,-1\n", "end,kwh\n2026-07-01T00:15,x\n"}) {
    scratch_folder folder;
    folder.write("0000000001.csv", content);
    model meters({}, std::nullopt);
    auto got = meters.load(folder.path);
    CAPTURE(content);
    if (std::string_view(content).empty()) {
      CHECK(got.has_value()); // a file without a line is a customer without data
      continue;
    }
    REQUIRE_FALSE(got.has_value());
    CHECK(got.error().detail.find("0000000001.csv:") != std::string::npos);
  }
  scratch_folder folder;
  folder.write("samsung.csv", "end,kwh\n");
  CHECK_FALSE(model({}, std::nullopt).load(folder.path).has_value());
  CHECK_FALSE(model({}, std::nullopt).load(folder.path / "none").has_value());
}

TEST_CASE("what the simulator writes the client's codec reads, for one meter and for two", "[simulator]") {
  model meters({}, std::nullopt);
  for (const char* cust_no : {"0000000001", "0000000007", "1234567897"}) {
    auto profile = meters.day(cust_no, when, start_of(when) + 14h, std::nullopt).value();
    auto body = day_answer(wire_format::json, cust_no, when, profile, {});
    CAPTURE(body.substr(0, 200));
    CHECK(has_two_meters(cust_no) == (body.find("\"multi_meter_yn\":\"Y\"") != std::string::npos));
    auto read = kepco::decode_day(body, cust_no, when);
    REQUIRE(read.has_value());
    CHECK(*read == profile);
    auto minute =
        kepco::decode_minute(minute_answer(wire_format::json, cust_no, when, 30, profile, {}), cust_no, when, 30);
    CHECK(minute.value() == profile.wh[30]);
    auto later =
        kepco::decode_minute(minute_answer(wire_format::json, cust_no, when, 90, profile, {}), cust_no, when, 90);
    CHECK(later.value() == day_profile::missing);
    auto all = kepco::decode_period(period_answer(wire_format::json, when, {{cust_no, profile}}, {}), when);
    REQUIRE(all.has_value());
    CHECK(all->at(0).profile == profile);
  }
}

TEST_CASE("numbers come as strings and bare, values not yet there as empty strings", "[simulator]") {
  model meters({}, std::nullopt);
  auto profile = meters.day(one, when, start_of(when) + 14h, std::nullopt).value();
  profile.wh[0] = 85'000;
  profile.wh[1] = 86'000;
  profile.wh[2] = 87'000;
  profile.wh[3] = 88'000;
  auto row = nlohmann::json::parse(day_answer(wire_format::json, one, when, profile, {}))["dayLpDataInfoList"][0];
  int strings = 0;
  int bare = 0;
  for (int quarter = 0; quarter < 50; ++quarter) {
    const auto& value = row["pwr_qty" + kepco::quarter_label(quarter)];
    strings += value.is_string();
    bare += value.is_number();
  }
  CHECK(strings > 10);
  CHECK(bare > 5);
  CHECK(strings + bare == 50);
  CHECK(row["pwr_qty2400"] == "");
  CHECK(row["mr_ymd"] == "20260701");
}

TEST_CASE("a share of values is missing when told so, in another place on every call", "[simulator]") {
  model meters({}, std::nullopt);
  auto profile = day_at(meters, afterwards);
  fault_dice dice(1);
  faults wanted;
  wanted.missing_rate = 0.25;
  dice.set(wanted);
  int missing = 0;
  std::set<std::string> different;
  for (int call = 0; call < 40; ++call) {
    auto body = day_answer(wire_format::json, one, when, profile, dice.throw_for_call());
    different.insert(body);
    missing += 96 - known_values(kepco::decode_day(body, one, when).value());
  }
  CHECK(different.size() == 40);
  CHECK(missing > 40 * 96 / 8);
  CHECK(missing < 40 * 96 * 3 / 8);
}

TEST_CASE("the XML form carries the same rows", "[simulator]") {
  day_profile profile;
  profile.wh[0] = 3'520;
  auto text = day_answer(wire_format::xml, one, when, profile, {});
  CHECK(text.starts_with("<?xml"));
  CHECK(text.find("<pwr_qty0015>3.52</pwr_qty0015>") != std::string::npos);
  CHECK(text.find("<pwr_qty0030></pwr_qty0030>") != std::string::npos);
}

TEST_CASE("faults fall as often as told, the same way for the same seed", "[simulator]") {
  fault_dice a(5);
  fault_dice b(5);
  faults wanted;
  wanted.error_rate = 0.2;
  wanted.garbage_rate = 0.3;
  a.set(wanted);
  b.set(wanted);
  int errors = 0;
  int garbage = 0;
  for (int i = 0; i < 2000; ++i) {
    auto kind = a.throw_for_call().kind;
    CHECK(kind == b.throw_for_call().kind);
    errors += kind == mishap::error;
    garbage += kind == mishap::garbage;
  }
  CHECK(errors > 320);
  CHECK(errors < 480);
  CHECK(garbage > 390); // 30 % of the 80 % without an error
  CHECK(garbage < 570);
  wanted = {};
  wanted.down = true;
  a.set(wanted);
  CHECK(a.throw_for_call().kind == mishap::down);
  a.set({});
  CHECK(a.throw_for_call().kind == mishap::none);
}

TEST_CASE("reductions are read one by one and as an array", "[simulator]") {
  auto got = parse_reductions(R"({"custNo":"0000000001","from":"2026-07-01T14:00:00+09:00","kw":383.5})");
  REQUIRE(got.has_value());
  CHECK(*got == std::vector<reduction>{{one, at("2026-07-01T05:00:00Z"), std::nullopt, 383'500}});
  auto two = parse_reductions(R"([{"custNo":"0000000001","to":"2026-07-01T05:00:00Z","from":null,"kw":0},
                                  {"custNo":"0000000002","kw":1}])");
  REQUIRE(two.has_value());
  CHECK(two->size() == 2);
  CHECK(parse_reductions("[]")->empty());
}

TEST_CASE("wrong admin input is refused by the field's name", "[simulator]") {
  auto reduction_error = [](const char* body) { return first_pointer(parse_reductions(body).error()); };
  CHECK(parse_reductions("{").error().code == errc::malformed);
  CHECK(parse_reductions("\"\xff\"").error().code == errc::malformed);
  CHECK(reduction_error("7").empty());
  CHECK(reduction_error("{}") == "/custNo");
  CHECK(reduction_error(R"({"custNo":"1","kw":1})") == "/custNo");
  CHECK(reduction_error(R"({"custNo":1,"kw":1})") == "/custNo");
  CHECK(reduction_error(R"({"custNo":"0000000001"})") == "/kw");
  CHECK(reduction_error(R"({"custNo":"0000000001","kw":-1})") == "/kw");
  CHECK(reduction_error(R"({"custNo":"0000000001","kw":"5"})") == "/kw");
  CHECK(reduction_error(R"({"custNo":"0000000001","kw":1e300})") == "/kw");
  CHECK(reduction_error(R"({"custNo":"0000000001","kw":1,"from":"now"})") == "/from");
  CHECK(reduction_error(R"({"custNo":"0000000001","kw":1,"power":2})") == "/power");
  CHECK(reduction_error(R"([{"custNo":"0000000001","kw":1},{"custNo":"x","kw":1}])") == "/1/custNo");
  CHECK(reduction_error(
            R"({"custNo":"0000000001","kw":1,"from":"2026-07-01T05:00:00Z","to":"2026-07-01T05:00:00Z"})") == "/to");
  CHECK(first_pointer(parse_sites(R"({"custNo":"0000000001"})").error()) == "/baseKw");
  CHECK(first_pointer(parse_sites(R"({"custNo":"0000000001","baseKw":1000001})").error()) == "/baseKw");
  CHECK(first_pointer(parse_sites(R"({"custNo":"0000000001","consentFrom":"1.7."})").error()) == "/consentFrom");
  auto fault_error = [](const char* body) { return first_pointer(parse_faults(body).error()); };
  CHECK(fault_error(R"({"errorRate":1.5})") == "/errorRate");
  CHECK(fault_error(R"({"hangRate":-0.1})") == "/hangRate");
  CHECK(fault_error(R"({"latencyMs":1.5})") == "/latencyMs");
  CHECK(fault_error(R"({"latencyMs":600001})") == "/latencyMs");
  CHECK(fault_error(R"({"down":1})") == "/down");
  CHECK(fault_error(R"({"dwon":true})") == "/dwon");
  CHECK(fault_error("[]").empty());
}

TEST_CASE("faults read back as they were set", "[simulator]") {
  auto got = parse_faults(R"({"errorRate":0.5,"latencyMs":20,"hangRate":0.1,"truncateRate":0.2,"garbageRate":0.3,
                              "missingRate":0.4,"lagMinutes":30,"down":true})");
  REQUIRE(got.has_value());
  CHECK(got->lag == 30min);
  CHECK(parse_faults(format_faults(*got)).value() == *got);
  CHECK(parse_faults("{}").value() == faults{});
}

TEST_CASE("data that comes late and in pieces fills up in its own order and is whole in the end", "[simulator]") {
  model meters({}, std::nullopt);
  auto end = start_of(when) + 24h;
  auto known_at = [&](time_point now) {
    auto got = meters.day(one, when, now, 30min, 600min);
    return got ? known_values(*got) : 0;
  };
  CHECK(known_at(start_of(when) + 44min) == 0);
  auto evening = *meters.day(one, when, end, 30min, 600min);
  auto first_gap = std::ranges::find(evening.wh, day_profile::missing) - evening.wh.begin();
  CHECK(known_values(evening) > first_gap); // a gap in the middle
  CHECK(known_at(end) < known_at(end + 300min));
  CHECK(known_at(end + 630min) == quarters_per_day);
  CHECK(*meters.day(one, when, end, 30min, 600min) == evening); // the same gaps at every read
}

TEST_CASE("flapping is down and up by turns, and faults end by themselves", "[simulator]") {
  fault_dice dice(1);
  const fault_dice::instant start{};
  faults wanted;
  wanted.flap = 1'000ms;
  wanted.last = 3'500ms;
  wanted.hang_rate = 1;
  dice.set(wanted, start);
  CHECK(dice.throw_for_call(start).kind == mishap::down);
  CHECK(dice.throw_for_call(start + 999ms).kind == mishap::down);
  CHECK(dice.throw_for_call(start + 1'000ms).kind == mishap::hang);
  CHECK(dice.throw_for_call(start + 2'000ms).kind == mishap::down);
  CHECK(dice.get(start + 2'000ms).down);
  CHECK(dice.throw_for_call(start + 3'499ms).kind == mishap::hang);
  CHECK(dice.throw_for_call(start + 3'500ms).kind == mishap::none);
  CHECK(dice.get(start + 3'500ms) == faults{});
}

TEST_CASE("faults are read strictly and shown as they are", "[simulator]") {
  auto read = parse_faults(R"({"spreadMinutes":60,"changeRate":0.1,"flapMs":1000,"forMs":3600000})");
  REQUIRE(read.has_value());
  CHECK(read->spread == 60min);
  CHECK(read->last == 1h);
  CHECK(parse_faults(format_faults(*read)).value() == *read);
  CHECK(parse_faults(R"({"flapMs":-1})").error().fields.at(0).pointer == "/flapMs");
  CHECK(parse_faults(R"({"changeRate":2})").error().fields.at(0).pointer == "/changeRate");
}
