#include "kepco/decimal.hpp"

#include <catch2/catch.hpp>

using namespace dr::kepco;

namespace {

std::int32_t wh(const char* text) { return round_to_wh(parse_kwh(text).value()); }

} // namespace

TEST_CASE("kWh become Wh half-up, exactly", "[kepco]") {
  CHECK(wh("3.52") == 3520);
  CHECK(wh("85") == 85'000);
  CHECK(wh("0") == 0);
  CHECK(wh("0.0911") == 91);
  CHECK(wh("0.0005") == 1);
  CHECK(wh("0.0004999999999") == 0);
  CHECK(wh("1.0015") == 1002); // as a double it lies below the half
  CHECK(wh("2.0085") == 2009);
  CHECK(wh("000012.5") == 12'500);
  CHECK(wh(".5") == 500);
  CHECK(wh("7.") == 7000);
}

TEST_CASE("exponents move the decimal point", "[kepco]") {
  CHECK(wh("1e2") == 100'000);
  CHECK(wh("1.25E-1") == 125);
  CHECK(wh("12500e-4") == 1250);
  CHECK(wh("1e-30") == 0);
  CHECK(wh("0e30") == 0);
}

TEST_CASE("digits below a billionth of a Wh are cut", "[kepco]") {
  CHECK(parse_kwh("0.0000000000019") == nano_wh{1});
  CHECK(wh("3.5200000000000000177") == 3520);
}

TEST_CASE("what is not a sane energy is refused", "[kepco]") {
  for (const char* text : {"",
                           " ",
                           "-1",
                           "-0",
                           "+1",
                           "1,000",
                           "abc",
                           "1.2.3",
                           ".",
                           "e5",
                           "1e",
                           "1e+",
                           "1e31",
                           "1e400",
                           "0x10",
                           "nan",
                           "inf",
                           "1 2",
                           "1000000.000000000001",
                           "1000001",
                           "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_kwh(text).has_value());
  }
  CHECK_FALSE(parse_kwh(std::string(65, '0')).has_value());
  CHECK(wh("1000000") == 1'000'000'000);
}
