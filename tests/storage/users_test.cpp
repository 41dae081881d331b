#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

TEST_CASE("users get contiguous ids, an opening entry and an assigned KEPCO number", "[storage][users]") {
  house s{DR_BOTH};
  auto first = s.enrol("samsung", 400'000, 1000);
  auto second = s.enrol("lg", 300'000, 0);
  CHECK(first.id.value == 1);
  CHECK(second.id.value == 2);
  CHECK(first.cust_no == "0000000001");
  CHECK(first.points == 1000);
  CHECK(first.version == 1);
  CHECK(s.user_now(first.id) == first);
  auto entries = s.ledger_of(first.id);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].kind == entry_kind::opening);
  CHECK(entries[0].amount == 1000);
  CHECK(entries[0].at == noon(-60));
  CHECK(s.ledger_of(second.id).empty());
  CHECK(s.event_types() == std::vector<std::string>{"UserEnrolled", "UserEnrolled"});
  s.holds();
}

TEST_CASE("a KEPCO number belongs to one user, also after that one has left", "[storage][users]") {
  house s{DR_BOTH};
  auto first = s.enrol("a", 1000, 0, "0000000002");
  create_user again{"b", 1000, 0, "0000000002", false, {}, {}, noon()};
  CHECK(s.refused(again) == errc::cust_no_taken);
  s.must<user>(withdraw_user{first.id, {}, noon()});
  CHECK(s.refused(again) == errc::cust_no_taken);
  // The id of the next user is 2, whose number is taken: it gets none. A refusal costs no id.
  auto second = s.enrol("b", 1000, 0);
  CHECK(second.id.value == 2);
  CHECK(second.cust_no.empty());
  CHECK(s.refused(change_user{second.id, {}, {}, {}, "0000000002", {}, {}, noon()}) == errc::cust_no_taken);
  s.holds();
}

TEST_CASE("two users of one batch cannot get the same KEPCO number", "[storage][users]") {
  house s{DR_BOTH};
  create_user one{"a", 1000, 0, "1234567890", false, {}, {}, noon()};
  auto done = s.batch({one, one});
  CHECK(done.results[0].has_value());
  REQUIRE(!done.results[1]);
  CHECK(done.results[1].error().code == errc::cust_no_taken);
  s.holds();
}

TEST_CASE("names survive: quotes, backslashes, emoji and two hundred Korean characters", "[storage][users]") {
  house s{DR_BOTH};
  std::string korean;
  for (int i = 0; i < 200; ++i) korean += "힣";
  for (const auto& name : {std::string("O'Brien \"Bob\" \\ {a,b} NULL %_ $1"), std::string("⚡🏭👩‍🏭 공장"),
                           korean, std::string("NULL"), std::string("a\tb\nc")}) {
    auto made = s.enrol(name);
    CHECK(s.user_now(made.id).name == name);
    auto changed = s.must<user>(change_user{made.id, {}, name + "!", {}, {}, {}, {}, noon()});
    CHECK(s.user_now(made.id).name == name + "!");
  }
  s.holds();
}

TEST_CASE("a change writes what differs and nothing else", "[storage][users]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  auto same = s.must<user>(change_user{u.id, 1, "samsung", 400'000, {}, {}, {}, noon()});
  CHECK(same == u);
  CHECK(s.events().size() == 1);
  change_user all{
      u.id, 1, "삼성", 500'500, "9999999999", std::optional{baseline_method::mid_6_10}, std::optional{true}, noon()};
  auto changed = s.must<user>(all);
  CHECK(changed.version == 2);
  CHECK(changed.capacity_w == 500'500);
  CHECK(changed.method == baseline_method::mid_6_10);
  CHECK(changed.saa == true);
  CHECK(s.user_now(u.id) == changed);
  change_user clear{u.id, 2, {}, {}, "", std::optional<baseline_method>{}, std::optional<bool>{}, noon()};
  auto cleared = s.must<user>(clear);
  CHECK(cleared.cust_no.empty());
  CHECK(!cleared.method);
  CHECK(!cleared.saa);
  CHECK(s.user_now(u.id) == cleared);
  s.enrol("lg", 1000, 0, "9999999999"); // free again
  CHECK(s.refused(change_user{u.id, 2, "x", {}, {}, {}, {}, noon()}) == errc::version_conflict);
  CHECK(s.refused(change_user{{77}, {}, "x", {}, {}, {}, {}, noon()}) == errc::not_found);
  CHECK(s.events({0, {}, u.id, "UserChanged", 10}).size() == 2);
  s.holds();
}

TEST_CASE("a user who leaves keeps its history and can no longer be changed", "[storage][users]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  s.must<user>(set_token{u.id, "aa", noon()});
  CHECK(s.refused(withdraw_user{u.id, 1, noon()}) == errc::version_conflict);
  auto gone = s.must<user>(withdraw_user{u.id, {}, noon()});
  CHECK(!gone.enrolled);
  CHECK(!gone.token_created_at);
  CHECK(s.must<user>(withdraw_user{u.id, {}, noon(1)}) == gone);
  CHECK(s.read().user_of_token("aa").error().code == errc::not_found);
  CHECK(s.refused(change_user{u.id, {}, "x", {}, {}, {}, {}, noon()}) == errc::user_withdrawn);
  CHECK(s.refused(set_token{u.id, "bb", noon()}) == errc::user_withdrawn);
  CHECK(s.refused(withdraw_user{{9}, {}, noon()}) == errc::not_found);
  CHECK(s.open().counts.dispatched == 0);
  CHECK(s.event_types() ==
        std::vector<std::string>{"UserEnrolled", "TokenIssued", "UserWithdrawn", "DRstarted", "Listmade"});
  s.holds();
}

TEST_CASE("a token is set, rotated and revoked", "[storage][users]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung");
  CHECK(s.must<user>(set_token{u.id, "aa", noon()}).token_created_at == noon());
  CHECK(s.read().user_of_token("aa").value() == u.id);
  s.must<user>(set_token{u.id, "bb", noon(1)});
  CHECK(s.read().user_of_token("aa").error().code == errc::not_found);
  CHECK(s.read().user_of_token("bb").value() == u.id);
  CHECK(!s.must<user>(set_token{u.id, {}, noon(2)}).token_created_at);
  s.must<user>(set_token{u.id, {}, noon(3)}); // nothing to revoke: no event
  CHECK(s.read().user_of_token("bb").error().code == errc::not_found);
  CHECK(s.read().user_of_token("").error().code == errc::not_found);
  CHECK(s.refused(set_token{{9}, "cc", noon()}) == errc::not_found);
  CHECK(s.event_types() == std::vector<std::string>{"UserEnrolled", "TokenIssued", "TokenIssued", "TokenRevoked"});
}

TEST_CASE("withdrawals never take a balance below zero", "[storage][points]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung", 400'000, 1000);
  auto entry = s.must<ledger_entry>(withdraw_points{u.id, 300, noon()});
  CHECK(entry.amount == -300);
  CHECK(entry.balance_after == 700);
  CHECK(entry.kind == entry_kind::withdrawal);
  CHECK(s.ledger_of(u.id).back() == entry);
  CHECK(s.refused(withdraw_points{u.id, 701, noon()}) == errc::insufficient_points);
  CHECK(s.refused(withdraw_points{u.id, 0, noon()}) == errc::invalid);
  CHECK(s.refused(withdraw_points{u.id, -5, noon()}) == errc::invalid);
  CHECK(s.refused(withdraw_points{{9}, 1, noon()}) == errc::not_found);
  s.must<ledger_entry>(withdraw_points{u.id, 700, noon()});
  CHECK(s.user_now(u.id).points == 0);
  CHECK(s.user_now(u.id).version == 3);
  s.holds();
}

TEST_CASE("many withdrawals of one user in one batch come out as if in order", "[storage][points]") {
  house s{DR_BOTH};
  auto u = s.enrol("samsung", 400'000, 1000);
  auto other = s.enrol("lg", 400'000, 50);
  std::vector<change> changes;
  for (int i = 0; i < 300; ++i) {
    changes.push_back(withdraw_points{u.id, i % 7 + 1, noon()});
    if (i % 50 == 0) changes.push_back(withdraw_points{other.id, 20, noon()});
  }
  auto done = s.batch(changes);
  std::map<user_id, std::int64_t> balance{{u.id, 1000}, {other.id, 50}};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& asked = std::get<withdraw_points>(changes[i]);
    auto& left = balance[asked.id];
    if (left < asked.amount) {
      REQUIRE(!done.results[i]);
      CHECK(done.results[i].error().code == errc::insufficient_points);
      continue;
    }
    left -= asked.amount;
    REQUIRE(done.results[i]);
    CHECK(std::get<ledger_entry>(*done.results[i]).balance_after == left);
  }
  CHECK(s.user_now(u.id).points == balance[u.id]);
  CHECK(s.user_now(other.id).points == balance[other.id]);
  s.holds();
}

TEST_CASE("an import creates, changes, and reports what it cannot take", "[storage][import]") {
  house s{DR_BOTH};
  auto known = s.enrol("samsung", 400'000, 500, "1111111111");
  auto gone = s.enrol("gone", 1000, 0, "2222222222");
  s.must<user>(withdraw_user{gone.id, {}, noon()});
  import_users chunk;
  chunk.at = noon();
  chunk.assign_cust_no = true;
  chunk.rows = {{2, "삼성", 450'000, "1111111111", 999, {}, {}},
                {3, "lg", 300'000, "3333333333", 70, baseline_method::mid_6_10, true},
                {4, "back", 1000, "2222222222", 0, {}, {}},
                {5, "lg renamed", 310'000, "3333333333", 0, {}, {}},
                {6, "", 1000, "", 0, {}, {}},
                {7, "sk", 0, "", 0, {}, {}},
                {8, "kt", 2000, "", 0, {}, {}}};
  auto done = s.must<imported>(chunk);
  CHECK(done.created == 2);
  CHECK(done.updated == 2);
  REQUIRE(done.errors.size() == 3);
  CHECK(done.errors[0].line == 4);
  CHECK(done.errors[0].field == "custNo");
  CHECK(done.errors[1].field == "name");
  CHECK(done.errors[2].field == "capacity");
  auto samsung = s.user_now(known.id);
  CHECK(samsung.name == "삼성");
  CHECK(samsung.points == 500);
  CHECK(samsung.version == 2);
  auto lg = s.user_now({3});
  CHECK(lg.name == "lg renamed");
  CHECK(lg.points == 70);
  CHECK(lg.method == baseline_method::mid_6_10);
  CHECK(s.user_now({4}).cust_no == "0000000004");
  CHECK(s.events({0, {}, {}, "UsersImported", 10}).size() == 1);
  auto again = s.must<imported>(chunk);
  CHECK(again.created == 1); // the one that carries no number to know it by
  CHECK(again.updated == 3);
  s.holds();
}

TEST_CASE("ten thousand users are imported and dispatched in order", "[storage][import]") {
  house s{DR_BOTH};
  for (int chunk = 0; chunk < 10; ++chunk) {
    import_users rows;
    rows.at = noon(-10);
    rows.assign_cust_no = true;
    for (int i = 0; i < 1000; ++i) rows.rows.push_back({i, "user " + std::to_string(i), 100'000 + i, "", 10, {}, {}});
    CHECK(s.must<imported>(rows).created == 1000);
  }
  auto c = s.open();
  CHECK(c.counts.dispatched == 10'000);
  page_request at;
  at.size = 1000;
  std::int64_t expected = 1;
  for (bool more = true; more;) {
    auto part = s.read().responses({c.id, {}, {}}, at).value();
    for (const auto& r : part.items) {
      REQUIRE(r.id.value == expected);
      REQUIRE(r.user.value == expected);
      REQUIRE(r.answer == answer::ignore);
      ++expected;
    }
    at.after = part.items.back().id.value;
    more = part.more;
  }
  CHECK(expected == 10'001);
  CHECK(s.user_now({10'000}).cust_no == "0000010000");
}
