#include "http/pace.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::http;
using namespace std::chrono_literals;

namespace {

const pace::time_point start{std::chrono::hours{1}};
const user_id samsung{1};
const user_id lg{2};

int let_through(pace& of, user_id who, pace::time_point at, int asked) {
  int passed = 0;
  for (int i = 0; i < asked; ++i) passed += of.lets(who, at) ? 1 : 0;
  return passed;
}

} // namespace

TEST_CASE("a customer may ask so many times at once, and then at the steady rate", "[http][pace]") {
  pace five(5, 10);
  CHECK(let_through(five, samsung, start, 20) == 10);
  CHECK(let_through(five, samsung, start + 199ms, 20) == 0);
  CHECK(let_through(five, samsung, start + 200ms, 20) == 1);
  CHECK(let_through(five, samsung, start + 1200ms, 20) == 5);
  CHECK(let_through(five, samsung, start + 1h, 20) == 10); // what was not used does not pile up
}

TEST_CASE("one customer's haste costs nobody else", "[http][pace]") {
  pace five(5, 10);
  CHECK(let_through(five, samsung, start, 1000) == 10);
  CHECK(let_through(five, lg, start, 1000) == 10);
}

TEST_CASE("who goes on asking too fast is let through at the steady rate, however long", "[http][pace]") {
  pace five(5, 10);
  int passed = 0;
  for (auto at = start; at < start + 60s; at += 10ms) passed += five.lets(samsung, at) ? 1 : 0;
  CHECK(passed == 10 + 60 * 5 - 1);
}

TEST_CASE("a rate of 0 is no limit", "[http][pace]") {
  pace any(0, 1);
  CHECK(let_through(any, samsung, start, 1000) == 1000);
}
