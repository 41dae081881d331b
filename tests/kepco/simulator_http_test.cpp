// The simulator's own endpoints and the calls that our client never makes, over a real socket.
#include "simulator/simulator.hpp"
#include "simulator/wire.hpp"
#include "tests/kepco/support.hpp"

#include <catch2/catch.hpp>
#include <curl/curl.h>
#include <nlohmann/json.hpp>

using namespace dr;
using namespace dr::test;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const auto when = test::day("2026-07-01");

struct answer {
  long status = 0;
  std::string type;
  std::string body;
  json data() const { return json::parse(body, nullptr, false); }
};

/// One HTTP call; an empty form or body sends none.
answer call(const std::string& verb, const std::string& url, const std::string& body = {},
            const char* type = "application/json") {
  answer out;
  auto* curl = curl_easy_init();
  auto receive = +[](char* data, std::size_t, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, count);
    return count;
  };
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10'000L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out.body);
  auto* headers = curl_slist_append(nullptr, (std::string("Content-Type: ") + type).c_str());
  if (!body.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  }
  curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out.status);
  char* content_type = nullptr;
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &content_type);
  if (content_type) out.type = content_type;
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
  return out;
}

struct running {
  hand_clock time{start_of(when) + 14h};
  sim::simulator kepco{{}, time};
  running() { REQUIRE(kepco.start().has_value()); }
  std::string sim(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(kepco.port()) + path; }
  std::string api(const std::string& query) const { return kepco.base_url() + "/" + query; }
};

const char* good_day = "getDayLpData.do?serviceKey=k&returnType=02&custNo=0000000001&date=20260701";

} // namespace

TEST_CASE("a POST form is answered as a GET", "[simulator][http]") {
  running r;
  auto by_get = call("GET", r.api(good_day));
  REQUIRE(by_get.status == 200);
  CHECK(by_get.type == "application/json;charset=UTF-8");
  auto by_form = call("POST", r.api("getDayLpData.do"), "serviceKey=k&returnType=02&custNo=0000000001&date=20260701",
                      "application/x-www-form-urlencoded");
  CHECK(by_form.body == by_get.body);
  CHECK(by_get.data()["dayLpDataInfoList"][0]["custNo"] == "0000000001");
}

TEST_CASE("returnType 01 is answered in XML", "[simulator][http]") {
  running r;
  auto got =
      call("GET", r.api("getMinuteLpData.do?serviceKey=k&returnType=01&custNo=0000000001&dateTime=202607010015"));
  CHECK(got.type == "text/xml;charset=UTF-8");
  CHECK(got.body.find("<mr_hhmi>0015</mr_hhmi>") != std::string::npos);
}

TEST_CASE("midnight may be asked for as 0000 of the next day", "[simulator][http]") {
  running r;
  r.time.set(start_of(when) + 48h);
  auto a = call("GET", r.api("getMinuteLpData.do?serviceKey=k&returnType=02&custNo=0000000001&dateTime=202607012400"));
  auto b = call("GET", r.api("getMinuteLpData.do?serviceKey=k&returnType=02&custNo=0000000001&dateTime=202607020000"));
  CHECK(a.body == b.body);
  CHECK(a.data()["minuteLpDataInfoList"][0]["mr_hhmi"] == "2400");
}

TEST_CASE("wrong calls are told so inside the list with HTTP 200", "[simulator][http]") {
  running r;
  auto code = [&](const std::string& query) {
    auto got = call("GET", r.api("getDayLpData.do?" + query));
    CHECK(got.status == 200);
    return got.data()["dayLpDataInfoList"][1]["returnCode"].get<std::string>();
  };
  CHECK(code("returnType=02&custNo=0000000001&date=20260701") == "openapi-3001");
  CHECK(code("serviceKey=k&returnType=03&custNo=0000000001&date=20260701") == "openapi-2001");
  CHECK(code("serviceKey=k&returnType=02&custNo=1&date=20260701") == "openapi-2001");
  CHECK(code("serviceKey=k&returnType=02&custNo=0000000001&date=20260732") == "openapi-2001");
  CHECK(code("serviceKey=k&returnType=02&custNo=0000000001&date=2026070100") == "openapi-2001");
  CHECK(code("serviceKey=k&returnType=02&custNo=0000000001&date=20260702") == "openapi-9001");
  CHECK(call("GET", r.api("getNothing.do")).status == 404);
}

TEST_CASE("reductions are registered and forgotten over HTTP", "[simulator][http]") {
  running r;
  auto before = call("GET", r.api(good_day)).body;
  auto posted = call("POST", r.sim("/_sim/reductions"),
                     R"({"custNo":"0000000001","from":"2026-07-01T04:00:00Z","to":"2026-07-01T05:00:00Z","kw":383})");
  CHECK(posted.status == 200);
  CHECK(posted.data()["registered"] == 1);
  CHECK(call("POST", r.sim("/_sim/reductions"), R"([{"custNo":"0000000002","kw":1},{"custNo":"0000000003","kw":1}])")
            .data()["registered"] == 3);
  CHECK(call("GET", r.api(good_day)).body != before);
  CHECK(call("DELETE", r.sim("/_sim/reductions?custNo=0000000001")).data()["forgotten"] == 1);
  CHECK(call("GET", r.api(good_day)).body == before);
  CHECK(call("DELETE", r.sim("/_sim/reductions?custNo=1")).status == 400);
  CHECK(call("DELETE", r.sim("/_sim/reductions")).data()["forgotten"] == 2);
}

TEST_CASE("wrong admin input is a 400 that names the field", "[simulator][http]") {
  running r;
  auto got = call("POST", r.sim("/_sim/reductions"), R"({"custNo":"1","kw":1})");
  CHECK(got.status == 400);
  CHECK(got.type == "application/problem+json");
  CHECK(got.data()["errors"][0]["pointer"] == "/custNo");
  CHECK(call("POST", r.sim("/_sim/reductions"), "{").status == 400);
  CHECK(call("POST", r.sim("/_sim/sites"), R"({"custNo":"0000000001","baseKw":-1})").status == 400);
  CHECK(call("PUT", r.sim("/_sim/faults"), R"({"errorRate":2})").status == 400);
  CHECK(call("PUT", r.sim("/_sim/faults"), "{\"\xff\":1}").status == 400);
  CHECK(call("GET", r.sim("/_sim/faults")).data()["errorRate"] == 0.0);
}

TEST_CASE("faults and sites are set over HTTP, and the stats tell what happened", "[simulator][http]") {
  running r;
  CHECK(call("POST", r.sim("/_sim/sites"), R"({"custNo":"0000000001","baseKw":40})").status == 200);
  auto small = call("GET", r.api(good_day)).data()["dayLpDataInfoList"][0];
  CHECK(std::stod(small["pwr_qty0015"].is_string() ? small["pwr_qty0015"].get<std::string>()
                                                   : small["pwr_qty0015"].dump()) < 15);
  CHECK(call("PUT", r.sim("/_sim/faults"), R"({"down":true,"lagMinutes":30})").data()["down"] == true);
  CHECK(call("GET", r.sim("/_sim/faults")).data()["lagMinutes"] == 30);
  CHECK(call("GET", r.api(good_day)).status == 503);
  CHECK(call("PUT", r.sim("/_sim/faults"), "{}").data()["down"] == false);
  CHECK(call("GET", r.api(good_day)).status == 200);
  auto stats = call("GET", r.sim("/_sim/stats")).data();
  CHECK(stats["calls"]["getDayLpData"] == 3);
  CHECK(stats["calls"]["getCustNoList"] == 0);
  CHECK(stats["total"] == 3);
  CHECK(stats["inFlight"] == 0);
  CHECK(stats["concurrencyPeak"] == 1);
  CHECK(stats["faults"]["down"] == 1);
  CHECK(stats["now"] == "2026-07-01T05:00:00Z");
}

TEST_CASE("a taken address is refused with a reason", "[simulator][http]") {
  running r;
  sim::simulator_options options;
  options.port = r.kepco.port();
  sim::simulator second(options, r.time);
  auto started = second.start();
  REQUIRE_FALSE(started.has_value());
  CHECK_FALSE(started.error().detail.empty());
}

TEST_CASE("a poisonous customer gets garbage of its kind every time, and nobody else does", "[simulator][http]") {
  running r;
  CHECK(call("POST", r.sim("/_sim/sites"), R"({"custNo":"0000000001","poison":"cookies"})").status == 400);
  auto whole = call("GET", r.api(good_day)).body;
  auto other = std::string(good_day);
  other.replace(other.find("0000000001"), 10, "0000000002");
  auto others = call("GET", r.api(other)).body;
  for (const auto* kind : sim::garbage_names) {
    INFO(kind);
    auto site = json{{"custNo", "0000000001"}, {"poison", kind}}.dump();
    REQUIRE(call("POST", r.sim("/_sim/sites"), site).status == 200);
    auto first = call("GET", r.api(good_day));
    CHECK(first.body != whole);
    CHECK(call("GET", r.api(good_day)).body == first.body);
    CHECK(call("GET", r.api(other)).body == others);
    CHECK_FALSE(kepco::decode_day(first.body, "0000000001", when).has_value());
  }
  REQUIRE(call("POST", r.sim("/_sim/sites"), R"({"custNo":"0000000001","poison":"none"})").status == 200);
  CHECK(call("GET", r.api(good_day)).body == whole);
}

TEST_CASE("values that change between two reads differ a little, and are what they were afterwards",
          "[simulator][http]") {
  running r;
  auto whole = kepco::decode_day(call("GET", r.api(good_day)).body, "0000000001", when).value();
  REQUIRE(call("PUT", r.sim("/_sim/faults"), R"({"changeRate":0.5})").data()["changeRate"] == 0.5);
  auto first = kepco::decode_day(call("GET", r.api(good_day)).body, "0000000001", when).value();
  auto second = kepco::decode_day(call("GET", r.api(good_day)).body, "0000000001", when).value();
  CHECK(first != second);
  int changed = 0;
  for (std::size_t i = 0; i < first.wh.size(); ++i) {
    if (whole.wh[i] == day_profile::missing) continue;
    changed += first.wh[i] != whole.wh[i];
    CHECK(std::abs(first.wh[i] - whole.wh[i]) * 20 <= whole.wh[i] + 20);
  }
  CHECK(changed > 5);
  REQUIRE(call("PUT", r.sim("/_sim/faults"), "{}").status == 200);
  CHECK(kepco::decode_day(call("GET", r.api(good_day)).body, "0000000001", when).value() == whole);
}
