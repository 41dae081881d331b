#include "domain/overlap.hpp"
#include "storage/check_input.hpp"
#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

namespace {

template <class T> std::vector<std::int64_t> ids(const std::vector<T>& items) {
  std::vector<std::int64_t> out;
  for (const auto& item : items) out.push_back(item.id.value);
  return out;
}

using list = std::vector<std::int64_t>;

korean_day day(int d) { return korean_day_of(noon()) + std::chrono::days{d}; }

} // namespace

TEST_CASE("lists come in pages, by number with totals and by id without", "[storage][reading]") {
  house s{DR_BOTH};
  for (int i = 0; i < 7; ++i) s.enrol("user");
  auto first = s.read().users({}, {0, 0, 3}).value();
  CHECK(ids(first.items) == list{1, 2, 3});
  CHECK(first.total == 7);
  CHECK(first.more);
  auto last = s.read().users({}, {0, 2, 3}).value();
  CHECK(ids(last.items) == list{7});
  CHECK(!last.more);
  CHECK(s.read().users({}, {0, 3, 3}).value().items.empty());
  auto behind = s.read().users({}, {3, 0, 3}).value();
  CHECK(ids(behind.items) == list{4, 5, 6});
  CHECK(!behind.total);
  CHECK(behind.more);
  CHECK(!s.read().users({}, {4, 0, 3}).value().more);
}

TEST_CASE("users are found by the beginning of their name, whatever its case and script", "[storage][reading]") {
  house s{DR_BOTH};
  for (const auto* name : {"Samsung", "samSUNG sdi", "lg", "100%_pure\\", "삼성전자", "삼성물산", "⚡ energy"})
    s.enrol(name);
  s.must<user>(withdraw_user{{3}, {}, noon()});
  auto with = [&](const std::string& prefix) { return ids(s.read().users({prefix, {}}, {}).value().items); };
  CHECK(with("SAM") == list{1, 2});
  CHECK(with("삼성") == list{5, 6});
  CHECK(with("삼성전") == list{5});
  CHECK(with("100%_") == list{4});
  CHECK(with("100%_pure\\") == list{4});
  CHECK(with("1%") == list{});
  CHECK(with("_") == list{});
  CHECK(with("⚡") == list{7});
  CHECK(with("' OR 1=1 --") == list{});
  CHECK(ids(s.read().users({"", true}, {}).value().items) == list{1, 2, 4, 5, 6, 7});
  CHECK(ids(s.read().users({"", false}, {}).value().items) == list{3});
  CHECK(s.read().users({"sam", true}, {}).value().total == 2);
}

TEST_CASE("single items that are not there are not found", "[storage][reading]") {
  house s{DR_BOTH};
  CHECK(s.read().find_user({1}).error().code == errc::not_found);
  CHECK(s.read().find_campaign({1}).error().code == errc::not_found);
  CHECK(s.read().find_response({1}).error().code == errc::not_found);
  CHECK(s.read().find_check({1}).error().code == errc::not_found);
  CHECK(s.read().dispatched({1}, {}, 10, false).value().empty());
  CHECK(s.read().statement({1}, {}, 10).value().empty());
  CHECK(s.read().ledger({1}, {}).value().items.empty());
  CHECK(s.read().ping().has_value());
}

TEST_CASE("campaigns and responses are filtered", "[storage][reading]") {
  house s{DR_BOTH};
  for (int i = 0; i < 3; ++i) s.enrol("user");
  s.open();
  auto other = planned();
  other.type = "citizen";
  s.open(other);
  s.end({1});
  s.must<response_changed>(choose_answer{{5}, answer::accept, {}, noon(1)});
  CHECK(ids(s.read().campaigns({campaign_status::running, ""}, {}).value().items) == list{2});
  CHECK(ids(s.read().campaigns({{}, "reliable"}, {}).value().items) == list{1});
  CHECK(s.read().campaigns({campaign_status::end, "citizen"}, {}).value().total == 0);
  CHECK(ids(s.read().responses({{2}, {}, {}}, {}).value().items) == list{4, 5, 6});
  CHECK(ids(s.read().responses({{}, {2}, {}}, {}).value().items) == list{2, 5});
  CHECK(ids(s.read().responses({{2}, {}, answer::accept}, {}).value().items) == list{5});
  CHECK(ids(s.read().responses({{2}, {}, answer::ignore}, {4, 0, 10}).value().items) == list{6});
  CHECK(ids(s.read().unfinished_campaigns().value()) == list{1, 2});
  auto open = s.read().open_responses({2}).value();
  REQUIRE(open.size() == 1);
  CHECK(open[0].campaign == s.campaign_now({2}));
  CHECK(open[0].response == s.response_now({5}));
  s.open(planned());
  using memberships = std::vector<membership>;
  auto parts = s.read().memberships(std::vector<user_id>{{3}, {1}, {99}}).value();
  std::ranges::sort(parts, {}, [](const membership& m) { return std::pair(m.user, m.campaign); });
  CHECK(parts == memberships{{{1}, {2}}, {{1}, {3}}, {{3}, {2}}, {{3}, {3}}});
  CHECK(s.read().memberships({}).value().empty());
}

TEST_CASE("a list of responses tells what their campaign promises now", "[storage][reading]") {
  house s{DR_BOTH};
  for (int i = 0; i < 3; ++i) s.enrol("user", 100'000);
  auto c = s.open();
  const auto promised = [&] {
    auto listed = s.read().responses({c.id, {}, {}}, {}).value();
    CHECK(listed.total == 3);
    for (const auto& r : listed.items) CHECK(r == s.response_now(r.id));
    return listed.items.at(0).expected_points;
  };
  const auto whole = promised();
  CHECK(whole > 0);
  CHECK(promised() == whole);
  s.end(c.id, noon(30)); // half of it
  CHECK(promised() < whole);
  CHECK(s.read().responses({{99}, {}, {}}, {}).value().total == 0);
}

TEST_CASE("dispatched responses are walked, all or those that still wait", "[storage][reading]") {
  house s{DR_BOTH};
  for (int i = 0; i < 5; ++i) s.enrol("user", 1000 + i);
  auto c = s.open();
  auto part = s.read().dispatched(c.id, {2}, 2, true).value();
  CHECK(ids(part) == list{3, 4});
  CHECK(part[0].user.value == 3);
  CHECK(part[0].capacity_w == 1002);
  s.must<response_changed>(choose_answer{{2}, answer::accept, {}, noon(1)});
  s.must<response_changed>(choose_answer{{4}, answer::accept, {}, noon(1)});
  s.end(c.id);
  CHECK(s.read().dispatched(c.id, {}, 10, true).value().empty());
  s.freeze(c.id);
  auto pending = s.read().dispatched(c.id, {}, 10, true).value();
  CHECK(ids(pending) == list{2, 4});
  CHECK(pending[0].answer == answer::accept);
  CHECK(pending[0].version == s.response_now({2}).version);
  s.settle({2}, 10);
  CHECK(ids(s.read().dispatched(c.id, {}, 10, true).value()) == list{4});
  CHECK(s.read().dispatched(c.id, {}, 10, false).value().size() == 5);
}

TEST_CASE("checks, the statement and the ledger are read", "[storage][reading]") {
  house s{DR_BOTH};
  for (int i = 0; i < 3; ++i) s.enrol("user " + std::to_string(i));
  auto c = s.open();
  for (std::int64_t id : {1, 3}) s.must<response_changed>(choose_answer{{id}, answer::accept, {}, noon(1)});
  s.end(c.id);
  s.freeze(c.id);
  s.settle({3}, 100);
  s.settle({1}, 0, false);
  s.must<ledger_entry>(withdraw_points{{3}, 30, noon(99)});
  CHECK(ids(s.read().checks({c.id, {}}, {}).value().items) == list{1, 2});
  CHECK(s.read().checks({{}, {1}}, {}).value().items.at(0).response.value == 1);
  CHECK(s.read().checks({{9}, {}}, {}).value().total == 0);
  CHECK(s.read().find_check({1}).value().spread == check_of({3}, 100, true, 1).spread);
  auto rows = s.read().statement(c.id, {}, 10).value();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].cust_no == "0000000001");
  CHECK(rows[0].check->id.value == 2);
  CHECK(!rows[1].check);
  CHECK(rows[2].response == s.response_now({3}));
  CHECK(s.read().statement(c.id, {2}, 10).value().size() == 1);
  CHECK(s.read().statement(c.id, {}, 2).value().size() == 2);
  auto newest = s.read().ledger({3}, {0, 0, 2}).value();
  REQUIRE(newest.items.size() == 2);
  CHECK(newest.items[0].kind == entry_kind::withdrawal);
  CHECK(newest.total == 3);
  CHECK(newest.more);
  auto older = s.read().ledger({3}, {newest.items[1].id.value, 0, 2}).value();
  REQUIRE(older.items.size() == 1);
  CHECK(older.items[0].kind == entry_kind::opening);
  CHECK(!older.more);
  CHECK(s.read().ledger({3}, {0, 1, 2}).value().items.size() == 1);
}

TEST_CASE("events are filtered, limited and read from the end", "[storage][reading]") {
  house s{DR_BOTH};
  for (int i = 0; i < 3; ++i) s.enrol("user \"" + std::to_string(i) + "\"");
  auto c = s.open();
  s.must<response_changed>(choose_answer{{2}, answer::accept, {}, noon(1)});
  CHECK(s.read().events({0, {}, {}, "", 2}).value().size() == 2);
  CHECK(s.read().events({4, {}, {}, "", 9}).value().front().seq == 5);
  CHECK(s.read().events({0, c.id, {}, "", 9}).value().size() == 3);
  auto of_user = s.read().events({0, {}, {2}, "", 9}).value();
  REQUIRE(of_user.size() == 2);
  CHECK(of_user[1].type == "AcceptChosen");
  CHECK(of_user[1].response.value == 2);
  CHECK(of_user[1].campaign == c.id);
  CHECK(of_user[1].at == noon(1));
  CHECK(of_user[1].data == R"({"answer":"accept","before":"ignore"})");
  CHECK(s.read().events({0, {}, {2}, "UserEnrolled", 9}).value().size() == 1);
  CHECK(s.read().events({0, {}, {}, "Nothing", 9}).value().empty());
  auto last = s.read().last_events(2).value();
  REQUIRE(last.size() == 2);
  CHECK(last[0].seq == 5);
  CHECK(last[1].seq == 6);
  CHECK(s.read().last_events(100).value().size() == 6);
}

TEST_CASE("a kept day never forgets a value, and says whether to ask again", "[storage][profiles]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung", 1000, 0, "1234567890");
  s.enrol("without", 1000, 0, "2234567890");
  s.must<user>(change_user{{2}, {}, {}, {}, "", {}, {}, noon()});
  auto partly = profile(100);
  partly.wh[95] = day_profile::missing;
  s.must<done>(save_profile{"1234567890", day(-1), partly, false, noon(1)});
  day_profile later;
  later.wh[0] = 7;
  later.wh[95] = 9;
  s.batch({save_profile{"1234567890", day(-1), later, false, noon(2)},
           save_profile{"1234567890", day(-2), profile(5), true, noon(2)},
           save_profile{"1234567890", day(-2), day_profile{}, false, noon(3)}});
  auto c = s.open();
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  s.end(c.id);
  s.freeze(c.id);
  auto m = s.read().check_materials(std::vector{response_id{1}}).value().at(0);
  REQUIRE(m.days.size() == 2);
  auto expected = profile(100);
  expected.wh[0] = 7;
  expected.wh[95] = 9;
  CHECK(m.days.at(day(-1)).profile == expected);
  CHECK(!m.days.at(day(-1)).closed);
  CHECK(m.days.at(day(-2)).profile.wh[56] == 5); // the event's hour
  CHECK(m.days.at(day(-2)).closed);
  CHECK(m.days.at(day(-2)).fetched_at == noon(3));
  auto history = s.read().history({}, 10, day(-2), day(-1)).value();
  REQUIRE(history.size() == 1);
  CHECK(history[0].user == u.id);
  CHECK(history[0].closed == std::set<korean_day>{day(-2)});
  CHECK(s.read().history({}, 10, day(-1), day(0)).value().at(0).closed.empty());
  CHECK(s.read().history(u.id, 10, day(-9), day(0)).value().empty());
  s.enrol("more", 1000, 0, "3234567890");
  CHECK(s.read().history({}, 1, day(-9), day(0)).value().size() == 1);
  CHECK(s.read().history({}, 9, day(-9), day(0)).value().size() == 2);
  s.must<done>(order_recheck{s.settle({1}, 300).check.id, noon(100)}); // which is given all of a closed day
  CHECK(s.read().check_materials(std::vector{response_id{1}}).value().at(0).days.at(day(-2)).profile == profile(5));
}

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
  CHECK(m.neighbours[1].settled_at == check_of({9}, 50, true, 1).checked_at);
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

TEST_CASE("of an overlap a verdict is told who goes before and who comes behind", "[storage][materials]") {
  check_material m;
  m.campaign.id = {5};
  m.campaign.terms.mandatory = true;
  m.campaign.starts_at = noon(60);
  m.campaign.ends_at = noon(120);
  m.settled_at = noon(200);
  m.credited = {{noon(60), 5}};
  const auto neighbour_of = [&](std::int64_t id, bool mandatory, std::int64_t settled_at, dr::answer answer) {
    neighbour n;
    n.campaign = m.campaign;
    n.campaign.id = {id};
    n.campaign.frozen = true;
    n.campaign.terms.mandatory = mandatory;
    n.response.answer = answer;
    n.spread = {{noon(60), id}};
    n.settled_at = noon(settled_at);
    m.neighbours.push_back(n);
  };
  neighbour_of(1, true, 300, answer::accept);  // the better right
  neighbour_of(7, false, 300, answer::accept); // behind, and settled since
  neighbour_of(8, false, 100, answer::accept); // behind, but settled first: what is settled stands
  neighbour_of(9, true, 100, answer::deny);    // no event
  const auto input = input_of(m, {});
  CHECK(input.others.size() == 3);
  CHECK(input.credited.first == std::vector<credited_quarter>{{noon(60), 1}, {noon(60), 8}});
  CHECK(input.credited.behind == std::vector<credited_quarter>{{noon(60), 7}});
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
  CHECK(m.settled_at == check.checked_at);
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
