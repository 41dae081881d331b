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
  CHECK(s.read().dispatched({1}, {}, 10).value().empty());
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
  auto late = s.enrol("late").id; // part of no campaign
  CHECK(ids(s.read().campaigns({{}, "", {2}}, {}).value().items) == list{1, 2});
  CHECK(ids(s.read().campaigns({campaign_status::end, "", {2}}, {}).value().items) == list{1});
  CHECK(ids(s.read().campaigns({{}, "citizen", {2}}, {1, 0, 10}).value().items) == list{2});
  auto first = s.read().campaigns({{}, "", {2}}, {0, 0, 1}).value();
  CHECK((first.total == 2 && first.more));
  CHECK(s.read().campaigns({{}, "", late}, {}).value().total == 0);
  // Without an answer the number comes from the campaigns; it is that of the rows all the same.
  for (const auto campaign : {campaign_id{}, campaign_id{1}, campaign_id{2}, campaign_id{99}})
    for (const auto chosen : {std::optional<answer>{}, std::optional{answer::ignore}, std::optional{answer::accept},
                              std::optional{answer::deny}}) {
      auto rows = s.read().responses({campaign, {}, chosen}, {0, 0, 100}).value();
      CHECK(rows.total == std::ssize(rows.items));
    }
  CHECK(ids(s.read().responses({{}, {}, {}}, {0, 1, 4}).value().items) == list{5, 6});
  CHECK(s.read().open_responses(late).value().empty());
  CHECK(ids(s.read().unfinished_campaigns().value()) == list{1, 2});
  auto open = s.read().open_responses({2}).value();
  REQUIRE(open.size() == 1);
  CHECK(open[0].campaign == s.campaign_now({2}));
  CHECK(open[0].response == s.response_now({5}));
  using users = std::vector<user_id>;
  const auto part_of = [&s](campaign_id id, const users& of) {
    auto found = s.read().part_of(id, of).value();
    std::ranges::sort(found);
    return found;
  };
  auto sk = s.enrol("sk").id; // after the dispatch of all but the last
  auto last = s.open(planned());
  CHECK(part_of({1}, {{3}, {1}, {99}, sk}) == users{{1}, {3}}); // also of one that is over
  CHECK(part_of(last.id, {{3}, {1}, {99}, sk}) == users{{1}, {3}, sk});
  CHECK(part_of({99}, {{1}}).empty());
  CHECK(part_of({1}, {}).empty());
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

TEST_CASE("dispatched responses are walked while they wait", "[storage][reading]") {
  house s{DR_BOTH};
  for (int i = 0; i < 5; ++i) s.enrol("user", 1000 + i);
  auto c = s.open();
  auto part = s.read().dispatched(c.id, {2}, 2).value();
  CHECK(ids(part) == list{3, 4});
  CHECK(part[0].user.value == 3);
  CHECK(part[0].capacity_w == 1002);
  s.must<response_changed>(choose_answer{{2}, answer::accept, {}, noon(1)});
  s.must<response_changed>(choose_answer{{4}, answer::accept, {}, noon(1)});
  s.end(c.id);
  CHECK(s.read().dispatched(c.id, {}, 10).value().empty());
  s.freeze(c.id);
  auto pending = s.read().dispatched(c.id, {}, 10).value();
  CHECK(ids(pending) == list{2, 4});
  CHECK(pending[0].answer == answer::accept);
  CHECK(pending[0].version == s.response_now({2}).version);
  s.settle({2}, 10);
  CHECK(ids(s.read().dispatched(c.id, {}, 10).value()) == list{4});
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
  CHECK(history[0].noted.size() == 1);
  CHECK(history[0].noted.contains(day(-1)));
  CHECK(s.read().history({}, 10, day(-1), day(0)).value().at(0).closed.empty());
  CHECK(s.read().history(u.id, 10, day(-9), day(0)).value().empty());
  s.enrol("more", 1000, 0, "3234567890");
  CHECK(s.read().history({}, 1, day(-9), day(0)).value().size() == 1);
  CHECK(s.read().history({}, 9, day(-9), day(0)).value().size() == 2);
  s.must<done>(order_recheck{s.settle({1}, 300).check.id, noon(100)}); // which is given all of a closed day
  CHECK(s.read().check_materials(std::vector{response_id{1}}).value().at(0).days.at(day(-2)).profile == profile(5));
}
