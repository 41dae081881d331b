#include "kepco/codec.hpp"
#include "tests/kepco/support.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::kepco;
using namespace dr::test;

namespace {

const std::string cust = "0123456789";
const auto that_day = test::day("2026-07-01");

std::string one_row(const std::function<std::string(int)>& value, const std::string& multi = "N") {
  return day_list(day_row(cust, "01", "20260701", multi, value));
}

meter_result<day_profile> decode(const std::string& body) { return decode_day(body, cust, that_day); }

meter_errc code_of(const std::string& body) {
  auto got = decode(body);
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().detail.size() <= 300);
  return got.error().code;
}

std::string always(const char* value, int) { return value; }
std::string error_list(const std::string& entries) { return R"({"dayLpDataInfoList":[)" + entries + "]}"; }

} // namespace

TEST_CASE("strings, bare integers and bare decimals are read alike", "[kepco]") {
  auto got = decode(one_row([](int quarter) -> std::string {
    switch (quarter % 4) {
    case 0:
      return "\"3.52\"";
    case 1:
      return "85";
    case 2:
      return "0.0911";
    default:
      return "\" 12 \"";
    }
  }));
  REQUIRE(got.has_value());
  CHECK(got->complete());
  CHECK(got->wh[0] == 3520);
  CHECK(got->wh[1] == 85'000);
  CHECK(got->wh[2] == 91);
  CHECK(got->wh[3] == 12'000);
  CHECK(got->wh[95] == 12'000);
}

TEST_CASE("bare numbers are rounded by their digits and not as doubles", "[kepco]") {
  auto got = decode(one_row([](int quarter) { return quarter == 0 ? "1.0015" : "2.0085"; }));
  REQUIRE(got.has_value());
  CHECK(got->wh[0] == 1002);
  CHECK(got->wh[1] == 2009);
}

TEST_CASE("the label of a value is its quarter hour's end", "[kepco]") {
  CHECK(quarter_label(0) == "0015");
  CHECK(quarter_label(3) == "0100");
  CHECK(quarter_label(95) == "2400");
  CHECK(quarter_of_label("0015") == 0);
  CHECK(quarter_of_label("2400") == 95);
  for (const char* wrong : {"0000", "2415", "0010", "24", "abcd", "0060", "-015", "00150"}) {
    CAPTURE(wrong);
    CHECK(quarter_of_label(wrong) == -1);
  }
  auto got = decode(one_row([](int quarter) { return std::to_string(quarter + 1); }));
  REQUIRE(got.has_value());
  CHECK(got->wh[0] == 1000);
  CHECK(got->wh[95] == 96'000);
}

TEST_CASE("empty, null and absent values are missing, also in mid-day", "[kepco]") {
  auto got = decode(one_row([](int quarter) -> std::string {
    if (quarter == 10) return "\"\"";
    if (quarter == 11) return "null";
    if (quarter == 12) return "\"  \"";
    return quarter >= 60 ? "\"\"" : "\"1\"";
  }));
  REQUIRE(got.has_value());
  CHECK(got->wh[9] == 1000);
  CHECK(got->wh[10] == day_profile::missing);
  CHECK(got->wh[11] == day_profile::missing);
  CHECK(got->wh[12] == day_profile::missing);
  CHECK(got->wh[59] == 1000);
  CHECK(got->wh[60] == day_profile::missing);

  auto sparse = decode(R"({"dayLpDataInfoList":[{"custNo":"0123456789","mr_ymd":"20260701","pwr_qty0030":"2"}]})");
  REQUIRE(sparse.has_value());
  CHECK(sparse->wh[0] == day_profile::missing);
  CHECK(sparse->wh[1] == 2000);
}

TEST_CASE("a zero is a value and not a gap", "[kepco]") {
  auto got = decode(one_row([](int quarter) { return quarter == 0 ? "0" : "\"0.000\""; }));
  REQUIRE(got.has_value());
  CHECK(got->complete());
  CHECK(got->wh[0] == 0);
}

TEST_CASE("several meters are added before the one rounding", "[kepco]") {
  auto rows = day_row(cust, "01", "20260701", "Y", [](int) { return "\"1.0004\""; }) + "," +
              day_row(cust, "02", "20260701", "Y", [](int) { return "2.0004"; });
  auto got = decode(day_list(rows));
  REQUIRE(got.has_value());
  CHECK(got->wh[0] == 3001); // 3.0008 kWh; rounded each they would be 3000
  CHECK(got->wh[95] == 3001);
}

TEST_CASE("a value missing on one meter makes the sum missing", "[kepco]") {
  auto rows = day_row(cust, "01", "20260701", "Y", [](int) { return "1"; }) + "," +
              day_row(cust, "02", "20260701", "Y", [](int quarter) { return quarter == 5 ? "\"\"" : "1"; });
  auto got = decode(day_list(rows));
  REQUIRE(got.has_value());
  CHECK(got->wh[4] == 2000);
  CHECK(got->wh[5] == day_profile::missing);
}

TEST_CASE("the same meter's row twice counts once, unless they disagree", "[kepco]") {
  auto row = day_row(cust, "01", "20260701", "Y", [](int) { return "1"; });
  auto got = decode(day_list(row + "," + row));
  REQUIRE(got.has_value());
  CHECK(got->wh[0] == 1000);
  auto other = day_row(cust, "01", "20260701", "Y", [](int) { return "2"; });
  CHECK(code_of(day_list(row + "," + other)) == meter_errc::garbage);
}

TEST_CASE("several meters without multi_meter_yn Y are not guessed about", "[kepco]") {
  auto rows = day_row(cust, "01", "20260701", "N", [](int) { return "1"; }) + "," +
              day_row(cust, "02", "20260701", "N", [](int) { return "1"; });
  CHECK(code_of(day_list(rows)) == meter_errc::garbage);
}

TEST_CASE("unknown fields and lost leading zeros do no harm", "[kepco]") {
  auto body = R"({"header":{"resultCode":"00"},"x":[1,{"y":null}],"dayLpDataInfoList":[{"custNo":123456789,
    "mr_ymd":20260701,"meterKind":{"a":[true]},"pwr_qty0015":"1.5"}]})";
  auto got = decode(body);
  REQUIRE(got.has_value());
  CHECK(got->wh[0] == 1500);
  auto lone = decode(R"({"dayLpDataInfoList":{"custNo":"0123456789","mr_ymd":"20260701","pwr_qty0015":1}})");
  REQUIRE(lone.has_value());
  CHECK(lone->wh[0] == 1000);
}

TEST_CASE("errors inside the list are found in any order", "[kepco]") {
  CHECK(code_of(error_list(R"({"errMsg":"서비스 없음"},{"returnCode":"openapi-4001"})")) == meter_errc::unavailable);
  CHECK(code_of(error_list(R"({"returnCode":"openapi-4001"},{"errMsg":"서비스 없음"})")) == meter_errc::unavailable);
  CHECK(code_of(error_list(R"({"returnCode":"openapi-9001","errMsg":"no data"})")) == meter_errc::no_data);
  CHECK(code_of(error_list(R"({"errMsg":"조회된 데이터가 없습니다."},{"returnCode":"openapi-9001"})")) ==
        meter_errc::no_data);
  CHECK(code_of(error_list(R"({"returnCode":"openapi-9001"})")) == meter_errc::no_data);
  CHECK(code_of(error_list(R"({"x":1},{"returnCode":"openapi-3001"},{"errMsg":"key"})")) == meter_errc::refused);
  CHECK(code_of(R"({"errMsg":"x","returnCode":"openapi-4001"})") == meter_errc::unavailable);
  CHECK(code_of(error_list(R"({"errMsg":"?"})")) == meter_errc::garbage);
}

TEST_CASE("an error wins over rows beside it", "[kepco]") {
  auto row = day_row(cust, "01", "20260701", "N", [](int) { return "1"; });
  CHECK(code_of(day_list(row + R"(,{"returnCode":"openapi-4001"})")) == meter_errc::unavailable);
}

TEST_CASE("the message about the date of consent is told apart, whatever its code but that of an outage", "[kepco]") {
  const std::string message = R"({"errMsg":"고객이 정보제공에 동의한 날짜부터 조회가 가능합니다."})";
  CHECK(code_of(error_list(message + R"(,{"returnCode":"openapi-9001"})")) == meter_errc::no_consent);
  CHECK(code_of(error_list(R"({"returnCode":"openapi-5001"},)" + message)) == meter_errc::no_consent);
  CHECK(code_of(error_list(R"({"errMsg":"only from the date of Consent"})")) == meter_errc::no_consent);
  CHECK(
      code_of(error_list(R"({"errMsg":"동의정보를 일시적으로 조회할 수 없습니다."},{"returnCode":"openapi-4001"})")) ==
      meter_errc::unavailable);
}

TEST_CASE("an empty list is no data", "[kepco]") { CHECK(code_of(error_list("")) == meter_errc::no_data); }

TEST_CASE("what is no answer is garbage", "[kepco]") {
  auto whole = one_row([](int) { return "\"3.52\""; });
  const std::vector<std::string> bodies{
      "",
      "   \r\n",
      "null",
      "42",
      "[]",
      "{}",
      "<!DOCTYPE html><html><body>점검중</body></html>",
      "<?xml version=\"1.0\"?><response/>",
      R"({"header":{"resultCode":"99"}})",
      R"({"dayLpDataInfoList":null})",
      R"({"dayLpDataInfoList":"none"})",
      R"({"dayLpDataInfoList":[1]})",
      R"({"dayLpDataInfoList":[null]})",
      R"({"dayLpDataInfoList":[{}]})",
      R"({"minuteLpDataInfoList":[]})",
      whole + "x",
      "\xff\xfe{}",
      "{\"dayLpDataInfoList\":[{\"errMsg\":\"\xb5\xa5\"}]}", // not UTF-8
      std::string(200'000, '['),
      std::string("\0\0\0", 3),
  };
  for (const auto& body : bodies) {
    CAPTURE(body.substr(0, 80));
    CHECK(code_of(body) == meter_errc::garbage);
  }
}

TEST_CASE("an answer cut off anywhere is garbage", "[kepco]") {
  auto whole = one_row([](int) { return "\"3.52\""; });
  REQUIRE(decode(whole).has_value());
  for (std::size_t length = 0; length < whole.size(); ++length)
    if (auto got = decode(whole.substr(0, length)); got || got.error().code != meter_errc::garbage) FAIL(length);
}

TEST_CASE("any single broken byte gives a value or an error and nothing worse", "[kepco]") {
  auto whole = one_row([](int quarter) { return quarter % 2 ? "\"3.52\"" : "85"; });
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (char c : {'\0', '"', '{', ']', '-', '\xff'}) {
      auto broken = whole;
      broken[i] = c;
      if (auto got = decode(broken)) {
        for (auto wh : got->wh)
          if (wh < day_profile::missing) FAIL(i);
      } else if (got.error().detail.empty()) {
        FAIL(i);
      }
    }
  }
}

TEST_CASE("another customer or another day is garbage", "[kepco]") {
  auto value = [](int) { return "1"; };
  CHECK(code_of(day_list(day_row("9999999999", "01", "20260701", "N", value))) == meter_errc::garbage);
  CHECK(code_of(day_list(day_row(cust, "01", "20260702", "N", value))) == meter_errc::garbage);
  CHECK(code_of(day_list(day_row(cust, "01", "20260701", "Y", value) + "," +
                         day_row("9999999999", "02", "20260701", "Y", value))) == meter_errc::garbage);
}

TEST_CASE("negative, absurd and non-numeric values are garbage", "[kepco]") {
  for (const char* value : {"-1", "\"-0.01\"", "1e30", "\"1e9\"", "12345678901234567890123", "\"abc\"", "\"1,000\"",
                            "true", "[1]", "{\"v\":1}", "\"0x10\"", "\"NaN\""}) {
    CAPTURE(value);
    CHECK(code_of(one_row([&](int quarter) { return quarter == 40 ? always(value, 0) : "1"; })) == meter_errc::garbage);
  }
  auto huge = [](int) { return "900000"; };
  CHECK(code_of(day_list(day_row(cust, "01", "20260701", "Y", huge) + "," +
                         day_row(cust, "02", "20260701", "Y", huge))) == meter_errc::garbage);
}

TEST_CASE("too many meters are garbage", "[kepco]") {
  std::string rows;
  for (int i = 0; i < 65; ++i)
    rows += (i ? "," : "") + day_row(cust, std::to_string(i), "20260701", "Y", [](int) { return "1"; });
  CHECK(code_of(day_list(rows)) == meter_errc::garbage);
}

TEST_CASE("details are one bounded line of whole characters", "[kepco]") {
  CHECK(one_line("a\nb\tc\x01") == "a b c ");
  CHECK(one_line("가나다", 4) == "가");
  std::string message;
  for (int i = 0; i < 500; ++i) message += "한";
  auto got = decode(error_list(R"({"errMsg":")" + message + R"("},{"returnCode":"openapi-4001"})"));
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error().detail.size() <= 200);
  CHECK(got.error().detail.find('\n') == std::string::npos);
}

TEST_CASE("minute answers give the quarter hour, and missing while it is not ready", "[kepco]") {
  auto minute = [](const std::string& rows) {
    return decode_minute(R"({"minuteLpDataInfoList":[)" + rows + "]}", cust, that_day, 55);
  };
  const std::string head = R"({"custNo":"0123456789","mr_ymd":"20260701","mr_hhmi":"1400","meterNo":)";
  auto got = minute(head + R"("01","pwr_qty":"3.525"})");
  REQUIRE(got.has_value());
  CHECK(*got == 3525);
  auto two = minute(head + R"("01","pwr_qty":1},)" + head + R"("02","pwr_qty":"2"})");
  REQUIRE(two.has_value());
  CHECK(*two == 3000);
  auto half_ready = minute(head + R"("01","pwr_qty":1},)" + head + R"("02"})");
  REQUIRE(half_ready.has_value());
  CHECK(*half_ready == day_profile::missing);
  CHECK(minute(R"({"errMsg":"x"},{"returnCode":"openapi-9001"})").error().code == meter_errc::no_data);
  CHECK(minute(R"({"custNo":"0123456789","mr_ymd":"20260701","mr_hhmi":"1415","pwr_qty":1})").error().code ==
        meter_errc::garbage);
}

TEST_CASE("the list of customers is read with Korean names", "[kepco]") {
  auto got = decode_customers(R"({"custNoInfoList":[{"custNm":"삼성 ⚡","custNo":"0000000001"},{"custNo":2}]})");
  REQUIRE(got.has_value());
  CHECK(*got == std::vector<customer>{{"0000000001", "삼성 ⚡"}, {"0000000002", ""}});
  CHECK(decode_customers(R"({"custNoInfoList":[]})")->empty());
  CHECK(decode_customers(R"({"custNoInfoList":[{"custNo":"abc"}]})").error().code == meter_errc::garbage);
}

TEST_CASE("all customers' readings of a day become profiles", "[kepco]") {
  auto row = [](const char* cust_no, const char* meter, const char* hhmi, const char* value) {
    return std::string(R"({"custNo":")") + cust_no + R"(","meter":")" + meter + R"(","mr_ymd":"20260701","mr_hhmi":")" +
           hhmi + R"(","pwr_qty":)" + value + "}";
  };
  auto list = [](const std::string& rows) { return R"({"allCustPeriodDataInfoList":[)" + rows + "]}"; };
  auto got = decode_period(list(row("0000000002", "1", "0015", "\"1\"") + "," + row("0000000001", "1", "0015", "2") +
                                "," + row("0000000001", "2", "0015", "3") + "," + row("0000000001", "1", "2400", "4")),
                           that_day);
  REQUIRE(got.has_value());
  REQUIRE(got->size() == 2);
  CHECK((*got)[0].cust_no == "0000000001");
  CHECK((*got)[0].profile.wh[0] == 5000);
  CHECK((*got)[0].profile.wh[95] == day_profile::missing); // the second meter's is not there
  CHECK((*got)[1].profile.wh[0] == 1000);
  CHECK(decode_period(list(row("0000000001", "1", "0007", "1")), that_day).error().code == meter_errc::garbage);
}
