#include "domain/response.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

namespace {

const auto start = at(event_day, 14);

campaign running() {
  campaign c;
  c.status = campaign_status::running;
  c.starts_at = start;
  return c;
}

response answered(answer value) {
  response r;
  r.answer = value;
  return r;
}

errc refusal(const campaign& c, const response& r, answer wanted, time_point now) {
  auto allowed = may_answer(c, r, wanted, now);
  REQUIRE(allowed.has_error());
  CHECK_FALSE(allowed.error().detail.empty());
  return allowed.error().code;
}

} // namespace

TEST_CASE("an answer may change while the campaign is scheduled or running", "[unit][response]") {
  auto c = running();
  for (auto status : {campaign_status::scheduled, campaign_status::running}) {
    c.status = status;
    CHECK(may_answer(c, answered(answer::ignore), answer::accept, start));
    CHECK(may_answer(c, answered(answer::ignore), answer::deny, start));
    CHECK(may_answer(c, answered(answer::accept), answer::deny, start));
    CHECK(may_answer(c, answered(answer::deny), answer::accept, start));
  }
}

TEST_CASE("an answer is taken before respondBy and refused at it", "[unit][response]") {
  auto c = running();
  c.respond_by = start + 10min;
  CHECK(may_answer(c, answered(answer::ignore), answer::accept, start + 10min - 1ms));
  CHECK(refusal(c, answered(answer::ignore), answer::accept, start + 10min) == errc::answer_frozen);
}

TEST_CASE("an answer is refused at the planned end even before the end is recorded", "[unit][response]") {
  auto c = running();
  c.ends_at = start + 1h;
  CHECK(may_answer(c, answered(answer::ignore), answer::accept, start + 1h - 1ms));
  CHECK(refusal(c, answered(answer::ignore), answer::accept, start + 1h) == errc::answer_frozen);
}

TEST_CASE("a late answer is refused after the end and after a cancellation", "[unit][response]") {
  auto c = running();
  c.status = campaign_status::end;
  CHECK(refusal(c, answered(answer::ignore), answer::deny, start) == errc::answer_frozen);
  CHECK(refusal(c, answered(answer::accept), answer::deny, start) == errc::answer_frozen);
  c.status = campaign_status::canceled;
  CHECK(refusal(c, answered(answer::ignore), answer::accept, start) == errc::answer_frozen);
}

TEST_CASE("repeating the present answer is always fine", "[unit][response]") {
  auto c = running();
  c.respond_by = start;
  for (auto status : {campaign_status::running, campaign_status::end, campaign_status::canceled}) {
    c.status = status;
    for (auto value : {answer::ignore, answer::accept, answer::deny})
      CHECK(may_answer(c, answered(value), value, start + 1h));
  }
}

TEST_CASE("a turned response takes its frozen answer and its present one as repeats", "[unit][response]") {
  auto c = running();
  c.status = campaign_status::end;
  auto r = answered(answer::deny);
  r.turned = true;
  CHECK(r.frozen_answer() == answer::accept);
  CHECK(may_answer(c, r, answer::accept, start));
  CHECK(may_answer(c, r, answer::deny, start));
  CHECK(refusal(c, r, answer::ignore, start) == errc::answer_frozen);
}

TEST_CASE("nobody goes back to ignore", "[unit][response]") {
  CHECK(refusal(running(), answered(answer::accept), answer::ignore, start) == errc::invalid);
}
