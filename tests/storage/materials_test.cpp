// What a verification is given: its job, the user's other campaigns, what was credited, and the kept days.
#include "storage/check_input.hpp"
#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

namespace {

using list = std::vector<std::int64_t>;

korean_day day(int d) { return korean_day_of(noon()) + std::chrono::days{d}; }

} // namespace

TEST_CASE("the material reaches back as far as the campaign's baselines may look", "[storage][materials]") {
  house s{DR_BOTH};
  s.enrol("samsung", 400'000, 0, "1234567890");
  auto far = planned();
  far.terms.baselines.of(baseline_method::mid_4_6).look_back = 60;
  s.open(far);
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  s.end({1});
  s.freeze({1});
  for (int d : {-211, -210, -100}) s.must<done>(save_profile{"1234567890", day(d), profile(100), true, noon()});
  auto material = s.read().check_materials(std::vector{response_id{1}}).value().at(0);
  CHECK(material.days.size() == 2);
  CHECK(!material.days.contains(day(-211)));
}

TEST_CASE("the material of a verification holds the job, the neighbours and the days", "[storage][materials]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung", 400'000, 0, "1234567890");
  s.enrol("other");
  auto accept = [&](std::int64_t response, time_point at) {
    s.must<response_changed>(choose_answer{{response}, answer::accept, {}, at});
  };
  auto long_ago = planned("long ago");
  long_ago.starts_at = start_of(day(-91)) + std::chrono::hours{23};
  auto edge = planned("edge");
  edge.starts_at = start_of(day(-90));
  auto canceled_one = planned("canceled");
  auto drill = planned("drill");
  drill.test = true;
  auto settled = planned("settled");
  auto denied = planned("denied");
  auto turned = planned("turned");
  auto open = planned("open");
  auto mine = planned("mine");
  auto tomorrow = planned("tomorrow");
  tomorrow.starts_at = start_of(day(1));
  auto silent = planned("silent");
  std::vector<campaign> all{long_ago, edge, canceled_one, drill, settled, denied, turned, open, mine, tomorrow, silent};
  for (auto& c : all) c = s.open(c);
  for (std::int64_t i = 0; i < 10; ++i)
    if (i != 5) accept(2 * i + 1, noon(1));
  auto canceled_now = s.campaign_now(all[2].id);
  s.must<campaign>(save_campaign{canceled(canceled_now, "x", noon(2)).value(), canceled_now.version, noon(2)});
  for (int i : {4, 5, 6, 8}) {
    s.end(all[static_cast<std::size_t>(i)].id);
    s.freeze(all[static_cast<std::size_t>(i)].id);
  }
  s.settle({9}, 50);
  s.settle({13}, 0, false);
  for (int d : {-91, -90, -1, 0, 1}) s.must<done>(save_profile{"1234567890", day(d), profile(100), true, noon()});
  s.must<done>(postpone_checks{{{{17}, noon(99), 3, false, "later"}}, noon(61)});

  auto materials = s.read().check_materials(std::vector{response_id{17}, response_id{9}, response_id{999}}).value();
  REQUIRE(materials.size() == 1); // the others have no queued check
  const auto& m = materials[0];
  CHECK(m.campaign == s.campaign_now(all[8].id));
  CHECK(m.response == s.response_now({17}));
  CHECK(m.response.user == u.id);
  CHECK(m.cust_no == "1234567890");
  CHECK(m.revision == 1);
  CHECK(!m.fresh);
  CHECK(m.attempts == 3);
  CHECK(m.queued_at == noon(60));
  list neighbours;
  for (const auto& n : m.neighbours) neighbours.push_back(n.campaign.id.value);
  CHECK(neighbours == list{2, 5, 7, 8, 11});
  CHECK(m.neighbours[1].campaign == s.campaign_now({5}));
  CHECK(!m.neighbours[1].check_open);
  CHECK(m.neighbours[1].spread == check_of({9}, 50, true, 1).spread);
  CHECK(m.neighbours[1].check == check_id{1});
  CHECK(m.neighbours[2].response.turned);
  CHECK(!m.neighbours[2].check_open);
  CHECK(m.neighbours[3].check_open); // not frozen yet
  CHECK(m.neighbours[4].check_open); // not answered, but it may be
  CHECK(m.neighbours[4].response.answer == answer::ignore);
  CHECK(m.credited.empty());
  CHECK(m.days.size() == 3);
  CHECK(m.days.contains(day(-90)));
  CHECK(!m.days.contains(day(1)));
  // The neighbours of another check: this one is queued, then parked.
  s.end(all[7].id);
  s.freeze(all[7].id);
  auto seen = [&] {
    auto other = s.read().check_materials(std::vector{response_id{15}}).value().at(0);
    for (const auto& n : other.neighbours)
      if (n.response.id.value == 17) return n.check_open;
    return false;
  };
  CHECK(seen());
  s.must<done>(postpone_checks{{{{17}, noon(99), 4, true, "poison"}}, noon(61)});
  CHECK(!seen());
}

TEST_CASE("of an overlap a recheck is told who was settled before and who behind it", "[storage][materials]") {
  check_material m;
  m.campaign.id = {5};
  m.campaign.terms.mandatory = true;
  m.campaign.starts_at = noon(60);
  m.campaign.ends_at = noon(120);
  m.check = {20};
  m.credited = {{noon(60), 5}};
  const auto neighbour_of = [&](std::int64_t id, bool mandatory, std::int64_t check, dr::answer answer) {
    neighbour n;
    n.campaign = m.campaign;
    n.campaign.id = {id};
    n.campaign.frozen = true;
    n.campaign.terms.mandatory = mandatory;
    n.response.answer = answer;
    n.spread = {{noon(60), id}};
    n.check = {check};
    m.neighbours.push_back(n);
  };
  neighbour_of(1, true, 30, answer::accept);  // the better right, but it came late: what is settled stands
  neighbour_of(7, false, 30, answer::accept); // behind by right, too
  neighbour_of(8, false, 10, answer::accept); // behind by right, but settled first
  neighbour_of(9, true, 10, answer::deny);    // no event
  const auto input = input_of(m, {});
  CHECK(input.others.size() == 3);
  CHECK(input.credited.first == std::vector<credited_quarter>{{noon(60), 8}});
  CHECK(input.credited.behind == std::vector<credited_quarter>{{noon(60), 1}, {noon(60), 7}});
  CHECK(input.credited.own == m.credited);
}

TEST_CASE("the material of a recheck holds what was credited", "[storage][materials]") {
  house s{DR_BOTH};
  s.enrol("samsung", 400'000, 0, "1234567890");
  s.open(planned());
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  s.end({1});
  s.freeze({1});
  auto check = s.settle({1}, 300).check;
  s.must<done>(order_recheck{check.id, noon(100)});
  auto m = s.read().check_materials(std::vector{response_id{1}}).value().at(0);
  CHECK(m.revision == 2);
  REQUIRE(!check.spread.empty());
  CHECK(m.credited == check.spread);
  CHECK(m.check == check.id);
  s.must<check_settled>(settle_check{check_of({1}, 300, true, 2), {}});
  s.must<done>(order_recheck{check.id, noon(110)});
  CHECK(s.read().check_materials(std::vector{response_id{1}}).value().at(0).check == check.id); // as before
}

TEST_CASE("the material reaches back behind all event days, until enough other days are there",
          "[storage][materials]") {
  house s{DR_BOTH};
  s.enrol("every day", 400'000, 0, "1234567890");
  s.enrol("today only", 400'000, 0, "2234567890");
  // An event on each of 90 days, and one long before.
  const auto mine = s.open(planned());
  std::vector<campaign_id> before;
  auto hour_on = [&](int which) {
    auto one = planned();
    one.starts_at = start_of(day(which)) + std::chrono::hours{10};
    one.ends_at = one.starts_at + std::chrono::hours{1};
    const auto id = s.open(one).id;
    s.must<response_changed>(choose_answer{{2 * id.value - 1}, answer::accept, {}, one.starts_at});
    return id;
  };
  for (int back = 1; back <= 90; ++back) before.push_back(hour_on(-back));
  before.push_back(hour_on(-170));
  for (std::int64_t id : {1, 2}) s.must<response_changed>(choose_answer{{id}, answer::accept, {}, noon(1)});
  for (int d : {-1, -90, -91, -180, -181}) s.must<done>(save_profile{"1234567890", day(d), profile(100), true, noon()});
  before.push_back(mine.id);
  for (auto id : before) {
    s.end(id);
    s.freeze(id);
  }
  const auto all = s.read().check_materials(std::vector{response_id{1}, response_id{2}}).value();
  REQUIRE(all.size() == 2);
  CHECK(all[0].first_day == day(-180));
  CHECK(all[0].neighbours.size() == before.size() - 1);
  CHECK(all[0].days.size() == 4);
  CHECK(all[1].first_day == day(-90));
}

TEST_CASE("materials are read for two hundred checks at once", "[storage][materials]") {
  house s{DR_BOTH};
  std::vector<change> days;
  for (int i = 0; i < 200; ++i) s.enrol("user", 1000, 0);
  auto c = s.open();
  std::vector<change> answers;
  std::vector<response_id> wanted;
  for (std::int64_t id = 200; id > 0; --id) {
    answers.push_back(choose_answer{{id}, answer::accept, {}, noon(1)});
    wanted.push_back({id});
    char cust_no[16];
    std::snprintf(cust_no, sizeof cust_no, "%010d", static_cast<int>(id));
    for (int d = 1; d <= 5; ++d)
      days.push_back(save_profile{cust_no, day(-d), profile(static_cast<std::int32_t>(id)), true, noon()});
  }
  s.batch(answers);
  s.batch(days);
  s.end(c.id);
  s.freeze(c.id);
  auto all = s.read().check_materials(wanted).value();
  REQUIRE(all.size() == 200);
  for (std::size_t i = 0; i < 200; ++i) {
    CHECK(all[i].response.id == wanted[i]);
    CHECK(all[i].days.size() == 5);
    CHECK(all[i].days.begin()->second.profile.wh[56] == wanted[i].value); // the event's hour
  }
}
