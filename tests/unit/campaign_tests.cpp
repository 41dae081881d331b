#include "domain/campaign.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;

namespace {

const auto now = at(event_day, 13);
const std::vector<programme> programmes{standard_programme()};

campaign_order order(std::optional<time_point> starts_at = {}, std::optional<time_point> ends_at = {}) {
  campaign_order o;
  o.name = "저녁 피크";
  o.type = "reliable";
  o.ordered_at = now;
  o.starts_at = starts_at;
  o.ends_at = ends_at;
  return o;
}

campaign planned(const campaign_order& o) {
  auto c = plan_campaign(o, programmes, {}, {}, now);
  REQUIRE(c);
  return *c;
}
campaign running() { return planned(order({}, now + 2h)); }
campaign scheduled() { return planned(order(now + 2h, now + 3h)); }

template <class T> errc code_of(const result<T>& outcome) {
  REQUIRE(outcome.has_error());
  CHECK_FALSE(outcome.error().detail.empty());
  return outcome.error().code;
}

std::vector<std::string> wrong_fields(const result<campaign>& outcome) {
  REQUIRE(outcome.has_error());
  CHECK(outcome.error().code == errc::invalid);
  std::vector<std::string> pointers;
  for (const auto& field : outcome.error().fields) pointers.push_back(field.pointer);
  return pointers;
}

using pointers = std::vector<std::string>;

} // namespace

TEST_CASE("a start more than a day back is a slip, not an order", "[unit][campaign]") {
  CHECK(planned(order(now - 24h)).status == campaign_status::running);
  CHECK(wrong_fields(plan_campaign(order(now - 24h - 1ms), programmes, {}, {}, now)) == pointers{"/startsAt"});
}

TEST_CASE("an order without a later start runs at once", "[unit][campaign]") {
  for (const auto& starts_at : {std::optional<time_point>{}, {now}, {now - 1h}}) {
    auto c = planned(order(starts_at));
    CHECK(c.status == campaign_status::running);
    CHECK(c.starts_at == now);
  }
  auto c = planned(order());
  CHECK_FALSE(c.id);
  CHECK(c.name == "저녁 피크");
  CHECK(c.settlement == settlement_status::none);
  CHECK(c.counts == campaign_counts{});
  CHECK(c.version == 1);
  CHECK(c.terms == standard_terms());
}

TEST_CASE("an order with a later start is scheduled", "[unit][campaign]") {
  auto c = scheduled();
  CHECK(c.status == campaign_status::scheduled);
  CHECK(c.starts_at == now + 2h);
  CHECK(c.open());
}

TEST_CASE("the terms are those in force on the Korean day of the start", "[unit][campaign]") {
  auto later = standard_programme();
  later.effective_from = event_day + std::chrono::days{1};
  later.terms.performs_at_percent = 90;
  std::vector<programme> two{standard_programme(), later};
  auto last_moment = plan_campaign(order(at(event_day, 24) - 1ms), two, {}, {}, now);
  auto next_day = plan_campaign(order(at(event_day, 24)), two, {}, {}, now);
  CHECK(last_moment->terms.performs_at_percent == 70);
  CHECK(next_day->terms.performs_at_percent == 90);
}

TEST_CASE("the baselines' figures are those in force on the Korean day of the start", "[unit][campaign]") {
  const method_rules other{4, 6, 1, 0, 2, 3};
  const std::vector<baseline_edition> editions{
      {baseline_method::max_4_5, event_day + std::chrono::days{1}, other},
      {baseline_method::max_4_5, on(2024, 2, 1), baseline_rules{}.of(baseline_method::max_4_5)}};
  auto starting = [&](time_point when) {
    return plan_campaign(order(when), programmes, editions, {}, now)->terms.baselines;
  };
  CHECK(starting(at(event_day, 24) - 1ms) == baseline_rules{});
  auto next_day = starting(at(event_day, 24));
  CHECK(next_day.of(baseline_method::max_4_5) == other);
  next_day.of(baseline_method::max_4_5) = baseline_rules{}.of(baseline_method::max_4_5);
  CHECK(next_day == baseline_rules{}); // the other methods keep theirs
}

TEST_CASE("an unknown type is refused with the known ones", "[unit][campaign]") {
  auto o = order();
  o.type = "reliabel";
  auto c = plan_campaign(o, programmes, {}, {}, now);
  CHECK(wrong_fields(c) == pointers{"/type"});
  CHECK(c.error().detail.find("reliable") != std::string::npos);
}

TEST_CASE("a type that is not yet in force is refused", "[unit][campaign]") {
  auto rules = standard_programme();
  rules.effective_from = event_day + std::chrono::days{1};
  auto c = plan_campaign(order(), {rules}, {}, {}, now);
  CHECK(wrong_fields(c) == pointers{"/type"});
  CHECK(c.error().detail.find("not yet in force") != std::string::npos);
}

TEST_CASE("a start more than a year ahead is taken for a slip", "[unit][campaign]") {
  const auto year = std::chrono::hours{24 * 366};
  CHECK(plan_campaign(order(now + year), programmes, {}, {}, now).has_value());
  const auto slip = plan_campaign(order(now + year + 1ms), programmes, {}, {}, now);
  CHECK(wrong_fields(slip) == pointers{"/startsAt"});
  CHECK(slip.error().detail.find("within a year") != std::string::npos);
}

TEST_CASE("wrong times are refused together, by field", "[unit][campaign]") {
  CHECK(wrong_fields(plan_campaign(order(now + 2h, now + 2h), programmes, {}, {}, now)) == pointers{"/endsAt"});
  CHECK(wrong_fields(plan_campaign(order(now + 2h, now + 1h), programmes, {}, {}, now)) == pointers{"/endsAt"});
  CHECK(wrong_fields(plan_campaign(order({}, now), programmes, {}, {}, now)) == pointers{"/endsAt"});
  auto o = order({}, now + 1h);
  o.respond_by = now;
  CHECK(wrong_fields(plan_campaign(o, programmes, {}, {}, now)) == pointers{"/respondBy"});
  o.respond_by = now + 1h + 1ms;
  CHECK(wrong_fields(plan_campaign(o, programmes, {}, {}, now)) == pointers{"/respondBy"});
  o.respond_by = now + 1h;
  CHECK(plan_campaign(o, programmes, {}, {}, now));
  o.type = "x";
  o.ends_at = now - 1h;
  o.respond_by = now - 1h;
  CHECK(wrong_fields(plan_campaign(o, programmes, {}, {}, now)) == pointers{"/type", "/endsAt", "/respondBy"});
}

TEST_CASE("a scheduled campaign begins once and keeps its start", "[unit][campaign]") {
  auto c = begun(scheduled(), now + 2h + 3s);
  REQUIRE(c);
  CHECK(c->status == campaign_status::running);
  CHECK(c->starts_at == now + 2h);
  CHECK(c->version == 2);
  CHECK(*begun(*c, now + 3h) == *c);
}

TEST_CASE("what is over does not begin", "[unit][campaign]") {
  CHECK(code_of(begun(*ended(running(), now + 1h), now + 1h)) == errc::campaign_ended);
  CHECK(code_of(begun(*canceled(running(), "", now), now)) == errc::campaign_canceled);
}

TEST_CASE("a running campaign ends once", "[unit][campaign]") {
  auto c = ended(running(), now + 1h);
  REQUIRE(c);
  CHECK(c->status == campaign_status::end);
  CHECK(c->ended_at == now + 1h);
  CHECK(c->settlement == settlement_status::verifying);
  CHECK(c->version == 2);
  CHECK_FALSE(c->open());
  CHECK(*ended(*c, now + 5h) == *c);
}

TEST_CASE("an end that is recorded late is the planned one", "[unit][campaign]") {
  CHECK(ended(running(), now + 9h)->ended_at == now + 2h);
  CHECK(ended(planned(order()), now + 9h)->ended_at == now + 9h);
}

TEST_CASE("a test campaign ends without a verification", "[unit][campaign]") {
  auto o = order();
  o.test = true;
  CHECK(ended(planned(o), now + 1h)->settlement == settlement_status::none);
}

TEST_CASE("a scheduled or canceled campaign cannot be ended", "[unit][campaign]") {
  CHECK(code_of(ended(scheduled(), now)) == errc::campaign_scheduled);
  CHECK(code_of(ended(*canceled(scheduled(), "", now), now)) == errc::campaign_canceled);
}

TEST_CASE("an open campaign is canceled once, with its first reason", "[unit][campaign]") {
  for (const auto& open : {running(), scheduled()}) {
    auto c = canceled(open, "KPX withdrew the order", now + 1min);
    REQUIRE(c);
    CHECK(c->status == campaign_status::canceled);
    CHECK(c->cancel_reason == "KPX withdrew the order");
    CHECK(c->ended_at == now + 1min);
    CHECK(c->settlement == settlement_status::none);
    CHECK(c->version == 2);
    CHECK(*canceled(*c, "again", now + 2min) == *c);
  }
}

TEST_CASE("an ended campaign cannot be canceled", "[unit][campaign]") {
  CHECK(code_of(canceled(*ended(running(), now + 1h), "", now + 1h)) == errc::campaign_ended);
  // Its end is due, though not yet recorded.
  auto over = running();
  over.ends_at = now + 1h;
  CHECK(canceled(over, "", now + 1h - 1ms).has_value());
  CHECK(code_of(canceled(over, "", now + 1h)) == errc::campaign_ended);
}

TEST_CASE("a change touches only the fields it names", "[unit][campaign]") {
  campaign_change change;
  change.name = "renamed";
  auto c = changed(running(), change, programmes, {}, now + 1min);
  REQUIRE(c);
  auto expected = running();
  expected.name = "renamed";
  expected.version = 2;
  CHECK(*c == expected);
}

TEST_CASE("a change can set and clear times and the ordered power", "[unit][campaign]") {
  campaign_change change;
  change.respond_by = now + 30min;
  change.ends_at = std::optional<time_point>{};
  change.order_w = 5'000'000;
  auto c = changed(running(), change, programmes, {}, now);
  REQUIRE(c);
  CHECK(c->respond_by == now + 30min);
  CHECK_FALSE(c->ends_at);
  CHECK(c->order_w == 5'000'000);
  campaign_change clear;
  clear.respond_by = std::optional<time_point>{};
  clear.order_w = std::optional<std::int64_t>{};
  auto cleared = changed(*c, clear, programmes, {}, now);
  CHECK_FALSE(cleared->respond_by);
  CHECK_FALSE(cleared->order_w);
  CHECK(cleared->version == 3);
}

TEST_CASE("a change that changes nothing keeps the version", "[unit][campaign]") {
  auto c = running();
  campaign_change same;
  same.name = c.name;
  same.ends_at = c.ends_at;
  CHECK(*changed(c, same, programmes, {}, now + 1h) == c);
  CHECK(*changed(c, {}, programmes, {}, now + 1h) == c);
}

TEST_CASE("a deadline that has passed may be sent back unchanged", "[unit][campaign]") {
  auto c = running();
  c.respond_by = now + 10min;
  campaign_change change;
  change.name = "renamed";
  change.respond_by = c.respond_by;
  CHECK(changed(c, change, programmes, {}, now + 30min));
  change.respond_by = now + 20min;
  CHECK(wrong_fields(changed(c, change, programmes, {}, now + 30min)) == pointers{"/respondBy"});
}

TEST_CASE("changed times obey the rules of planning", "[unit][campaign]") {
  campaign_change change;
  change.ends_at = now + 2h;
  CHECK(wrong_fields(changed(scheduled(), change, programmes, {}, now)) == pointers{"/endsAt"});
  change.ends_at = now + 30min;
  CHECK(wrong_fields(changed(running(), change, programmes, {}, now + 40min)) == pointers{"/endsAt"});
  auto c = running();
  c.respond_by = now + 90min;
  change.ends_at = now + 1h;
  CHECK(wrong_fields(changed(c, change, programmes, {}, now)) == pointers{"/endsAt"});
}

TEST_CASE("what is over cannot be changed", "[unit][campaign]") {
  campaign_change change;
  change.name = "x";
  CHECK(code_of(changed(*ended(running(), now + 1h), change, programmes, {}, now + 1h)) == errc::campaign_ended);
  CHECK(code_of(changed(*canceled(running(), "", now), change, programmes, {}, now)) == errc::campaign_canceled);
  change.ends_at = now + 5h;
  CHECK(code_of(changed(running(), change, programmes, {}, now + 2h)) == errc::campaign_ended);
}

TEST_CASE("of overlapping campaigns the mandatory, the earlier and the lower id credit first", "[unit][campaign]") {
  campaign a;
  campaign b;
  a.id = campaign_id{2};
  b.id = campaign_id{1};
  a.starts_at = b.starts_at = now;
  CHECK(credits_before(b, a));
  CHECK_FALSE(credits_before(a, b));
  b.starts_at = now + 1min;
  CHECK(credits_before(a, b));
  b.starts_at = now - 1h;
  b.terms.mandatory = false;
  CHECK(credits_before(a, b));
  CHECK_FALSE(credits_before(a, a));
}
