// The audit on Postgres: clean on true books, and each planted corruption is named.
#include "audit/audit.hpp"
#include "storage/check_input.hpp"
#include "storage/postgres/pg_audit.hpp"
#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;
using audit::finding_kind;

namespace {

constexpr std::int32_t usual_wh = 100'000; ///< per quarter hour
constexpr std::int32_t reduced_wh = 50'000;
const korean_day event_day = korean_day_of(noon());

void keep_days(house& on, const user& of, std::int32_t event_wh) {
  for (int back = 0; back <= 20; ++back) {
    auto day = profile(usual_wh);
    if (back == 0)
      for (int q = quarter_of(noon()); q < quarter_of(noon()) + 12; ++q) day.wh[static_cast<std::size_t>(q)] = event_wh;
    on.must<done>(save_profile{of.cust_no, event_day - std::chrono::days{back}, day, true, noon(70)});
  }
}

response_id response_in(house& on, const campaign& c, const user& of) {
  return on.read().responses({c.id, of.id, {}}, {}).value().items.at(0).id;
}

/// Settles as verification does.
reduction_check settle_truly(house& on, response_id id, time_point at) {
  auto material = on.read().check_materials(std::vector{id}).value().at(0);
  reduction_check check;
  check.response = id;
  check.revision = material.revision;
  check.checked_at = at;
  fill(check, std::get<evaluation>(evaluate(storage::input_of(material, {}))));
  return on.must<check_settled>(settle_check{check}).check;
}

/// samsung (user 1) reduces and is credited by two overlapping campaigns; lg (2) accepts and does not reduce; sk (3)
/// denies. One check is still queued, one campaign runs, one was canceled, one was a test.
struct true_books {
  house on{kind::postgres};
  campaign first, second, third, running;
  response_id samsung_first, samsung_second, samsung_third, lg_first;

  true_books() {
    auto samsung = on.enrol("samsung", 100'000, 1000);
    auto lg = on.enrol("lg", 100'000, 50);
    auto sk = on.enrol("sk", 100'000, 0);
    keep_days(on, samsung, reduced_wh);
    keep_days(on, lg, usual_wh);
    first = on.open();
    auto optional = planned("자발적");
    optional.type = "voluntary";
    optional.terms.mandatory = false;
    second = on.open(optional);
    samsung_first = answer_in(first, samsung);
    samsung_second = answer_in(second, samsung);
    lg_first = answer_in(first, lg);
    on.must<response_changed>(choose_answer{response_in(on, first, sk), answer::deny, {}, noon(5)});
    on.must<response_changed>(mark_delivered{samsung_first, noon(6)});
    for (const auto& c : {first, second}) end_and_freeze(c, 60);
    settle_truly(on, samsung_first, noon(80));
    settle_truly(on, samsung_second, noon(81));
    settle_truly(on, lg_first, noon(82));
    third = on.open(later(100));
    samsung_third = answer_in(third, samsung, 101);
    end_and_freeze(third, 150);
    running = on.open(later(160));
    answer_in(running, samsung, 161);
    auto test = later(165);
    test.test = true;
    auto tried = on.open(test);
    answer_in(tried, lg, 166);
    end_and_freeze(tried, 170);
    auto off = on.open(later(171));
    on.must<campaign>(save_campaign{canceled(off, "계통 회복", noon(172)).value(), off.version, noon(172)});
    on.must<ledger_entry>(withdraw_points{samsung.id, 100, noon(175)});
  }

  static campaign later(int minutes) {
    auto c = planned();
    c.ordered_at = c.starts_at = noon(minutes);
    return c;
  }
  response_id answer_in(const campaign& c, const user& of, int minutes = 4) {
    auto id = response_in(on, c, of);
    on.must<response_changed>(choose_answer{id, answer::accept, {}, noon(minutes)});
    return id;
  }
  void end_and_freeze(const campaign& c, int minutes) {
    on.end(c.id, noon(minutes));
    on.freeze(c.id, noon(minutes));
  }
  void plant(const std::string& sql) const { on.postgres().run(sql); }
};

audit::report audited(const house& on) {
  postgres_options options;
  options.url = on.postgres().url();
  auto reader = open_postgres_audit(options);
  audit::options how;
  how.page = 2; // so that there is more than one
  auto all = audit::run(*reader, how);
  REQUIRE(all);
  return *all;
}

std::string told(const audit::report& all) {
  std::string text;
  for (const auto& one : all.found.kept())
    text += std::string(to_string(one.kind)) + ": " + place_text(one.where) + ": " + one.what + ": " + one.stored +
            " / " + one.computed + "\n";
  return text;
}

struct corruption {
  const char* name;
  const char* sql;
  finding_kind kind;
};

} // namespace

TEST_CASE("the audit finds nothing in true books, overlap, deny, cancel and test included", "[storage][audit]") {
  true_books books;
  auto all = audited(books.on);
  INFO(told(all));
  CHECK(all.found.kept().empty());
  CHECK(all.seen.users == 3);
  CHECK(all.seen.responses == 18);
  CHECK(all.seen.checks == 3);
  CHECK(all.seen.recomputed == 3);
  CHECK(all.seen.queued == 1);
  CHECK(all.seen.points == 1000 + 120 + 80 - 100 + 50);
}

TEST_CASE("the audit of an empty database finds nothing", "[storage][audit]") {
  house on{kind::postgres};
  auto all = audited(on);
  CHECK(all.found.kept().empty());
  CHECK(all.seen.users == 0);
}

TEST_CASE("the audit names each planted corruption", "[storage][audit]") {
  const auto planted = GENERATE(values<corruption>({
      {"a changed balance", "UPDATE users SET points = points + 1 WHERE id = 2", finding_kind::balance},
      {"a changed debt", "UPDATE users SET owed_points = 5 WHERE id = 1", finding_kind::credit},
      {"a lost credit", "DELETE FROM ledger WHERE response_id IS NOT NULL AND amount = 120", finding_kind::credit},
      {"a lost withdrawal", "DELETE FROM ledger WHERE amount = -100", finding_kind::event},
      {"a lost opening entry", "DELETE FROM ledger WHERE user_id = 2", finding_kind::balance},
      {"a changed entry", "UPDATE ledger SET balance_after = balance_after + 1 WHERE amount = 120",
       finding_kind::ledger_chain},
      {"an entry with the wrong sign", "UPDATE ledger SET amount = -50 WHERE user_id = 2", finding_kind::ledger_entry},
      {"a credit made twice",
       "WITH u AS (UPDATE users SET points = points + 120 WHERE id = 1 RETURNING points) "
       "INSERT INTO ledger (user_id,amount,balance_after,campaign_id,response_id,at,revision,kind) "
       "SELECT l.user_id,l.amount,u.points,l.campaign_id,l.response_id,l.at,2,2 FROM ledger l, u WHERE l.amount = 120",
       finding_kind::credit},
      {"a wrong count", "UPDATE campaign SET accept = accept + 1 WHERE id = 1", finding_kind::campaign_counts},
      {"a wrong sum", "UPDATE campaign SET points_credited = points_credited - 1 WHERE id = 2",
       finding_kind::campaign_counts},
      {"a settlement that is not over", "UPDATE campaign SET settlement = 3 WHERE id = 3",
       finding_kind::campaign_counts},
      {"a missing choice event", "DELETE FROM event WHERE type = 'AcceptChosen' AND response_id = 1",
       finding_kind::event},
      {"a missing check event", "DELETE FROM event WHERE type = 'ReductionCheck' AND response_id = 1",
       finding_kind::event},
      {"a missing points event", "DELETE FROM event WHERE type = 'PointChanged' AND response_id = 1",
       finding_kind::event},
      {"a missing end event", "DELETE FROM event WHERE type = 'DrEnded' AND campaign_id = 1", finding_kind::event},
      {"a missing enrolment", "DELETE FROM event WHERE type = 'UserEnrolled' AND user_id = 3", finding_kind::event},
      {"a gap in the numbers", "DELETE FROM event WHERE seq = 3", finding_kind::event_numbers},
      {"a lost end of the log", "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)",
       finding_kind::event_numbers},
      {"a changed check",
       "UPDATE reduction_check SET baseline_wh = baseline_wh + 10, reduction_wh = reduction_wh + 10 "
       "WHERE response_id = 1",
       finding_kind::settlement},
      {"a check that contradicts its event", "UPDATE reduction_check SET is_real = true WHERE adjust_points = 0",
       finding_kind::check},
      {"a credit without its reduction",
       "UPDATE reduction_check SET spread = jsonb_set(spread,'{0,1}','1') WHERE response_id = 1", finding_kind::check},
      {"changed metering data", "UPDATE day_profile SET wh[60] = 90000 WHERE day = '2026-07-01'",
       finding_kind::settlement},
      {"a changed answer", "UPDATE response SET answer = 2, turned = false WHERE id = 1", finding_kind::response},
      {"a lost queue row", "DELETE FROM verification", finding_kind::queue},
      {"a queue row too many",
       "INSERT INTO verification (response_id,campaign_id,user_id,next_try_at,queued_at,revision) "
       "SELECT 1,1,1,now(),now(),1",
       finding_kind::queue},
      {"a second response", "INSERT INTO response (campaign_id,user_id,capacity_w,method,saa) VALUES (1,1,1,1,false)",
       finding_kind::response},
      {"a lost response", "DELETE FROM response WHERE id = 2", finding_kind::campaign_counts},
      {"a lost user", "DELETE FROM users WHERE id = 3", finding_kind::stray},
      {"a lost campaign", "DELETE FROM campaign WHERE id = 1", finding_kind::stray},
      {"a sequence that fell back", "SELECT setval('response_id_seq', 1)", finding_kind::id_source},
  }));
  DYNAMIC_SECTION(planted.name) {
    true_books books;
    books.plant(planted.sql);
    auto all = audited(books.on);
    INFO(told(all));
    CHECK(all.found.count(planted.kind) > 0);
    CHECK(all.found.differences() > 0);
  }
}

TEST_CASE("a quarter hour credited to two campaigns for more than was reduced is named", "[storage][audit]") {
  true_books books;
  // All of it to the second one too, its event, points and counts alike: only the overlap is wrong, and what follows.
  books.plant("UPDATE reduction_check SET spread = (SELECT spread FROM reduction_check WHERE response_id = 1), "
              "credited_wh = 120000, adjust_points = 120 WHERE campaign_id = 2");
  auto all = audited(books.on);
  INFO(told(all));
  CHECK(all.found.count(finding_kind::double_credit) == 4); // quarter hours
  CHECK(all.found.count(finding_kind::settlement) == 1);
}

TEST_CASE("metering data that came in after the check is a note, not a difference", "[storage][audit]") {
  true_books books;
  books.plant("UPDATE day_profile SET wh[60] = 90000, fetched_at = fetched_at + interval '1 hour' "
              "WHERE day = '2026-07-01'");
  auto all = audited(books.on);
  INFO(told(all));
  CHECK(all.found.differences() == 0);
  CHECK(all.found.count(finding_kind::refreshed) > 0);
}

TEST_CASE("refreshed data that settles the same needs no note", "[storage][audit]") {
  true_books books;
  books.plant("UPDATE day_profile SET fetched_at = fetched_at + interval '1 hour'");
  auto all = audited(books.on);
  CHECK(all.found.kept().empty());
}

TEST_CASE("a check whose metering data is not kept any more is not recomputable, and still held against its event",
          "[storage][audit]") {
  true_books books;
  books.plant("DELETE FROM day_profile");
  auto all = audited(books.on);
  INFO(told(all));
  CHECK(all.found.differences() == 0);
  CHECK(all.found.count(finding_kind::not_recomputable) == 3);
  CHECK(all.seen.recomputed == 0);
  books.plant("UPDATE reduction_check SET metered_wh = metered_wh - 10, reduction_wh = reduction_wh + 10");
  CHECK(audited(books.on).found.count(finding_kind::check) == 3);
}

TEST_CASE("the quarter hour that was still running when KEPCO was asked is taken from the check", "[storage][audit]") {
  true_books books;
  // 15:00 Korean time is the end of the window; the quarter before it was never kept.
  books.plant("UPDATE day_profile SET wh[60] = -1, closed = false WHERE day = '2026-07-01'");
  auto all = audited(books.on);
  INFO(told(all));
  CHECK(all.found.kept().empty());
  CHECK(all.seen.recomputed == 3);
  books.plant("UPDATE day_profile SET wh[57] = 120000 WHERE day = '2026-06-30'");
  CHECK(audited(books.on).found.count(finding_kind::settlement) > 0);
}

TEST_CASE("points that a recheck could not take back are owed, and the audit knows", "[storage][audit]") {
  house on{kind::postgres};
  auto who = on.enrol("samsung", 400'000, 0);
  auto c = on.open();
  auto id = response_in(on, c, who);
  on.must<response_changed>(choose_answer{id, answer::accept, {}, noon(4)});
  on.end(c.id);
  on.freeze(c.id);
  on.settle(id, 300);
  on.must<ledger_entry>(withdraw_points{who.id, 250, noon(100)});
  auto check = on.read().checks({c.id, {}}, {}).value().items.at(0).id;
  on.must<done>(order_recheck{check, noon(101)});
  on.settle(id, 100, true, 2); // 150 in hand, 300 to give back
  on.must<done>(order_recheck{check, noon(103)});
  auto all = audited(on);
  INFO(told(all));
  CHECK(all.found.differences() == 0);
  on.settle(id, 40, true, 3);
  on.must<done>(order_recheck{check, noon(105)});
  on.settle(id, 0, false, 4);
  auto later = audited(on);
  INFO(told(later));
  CHECK(later.found.differences() == 0);
  CHECK(on.user_now(who.id).owed_points > 0);
  on.postgres().run("DELETE FROM ledger WHERE kind = 4 AND revision = 3");
  CHECK(audited(on).found.differences() > 0);
}

TEST_CASE("imported users are explained by their imports", "[storage][audit]") {
  house on{kind::postgres};
  import_users chunk;
  chunk.rows = {{1, "가", 1000, "1111111111", 70, {}, {}}, {2, "나", 1000, "2222222222", 0, {}, {}}};
  chunk.at = noon();
  on.must<imported>(chunk);
  CHECK(audited(on).found.kept().empty());
  on.postgres().run("DELETE FROM users WHERE points = 0");
  CHECK(audited(on).found.count(finding_kind::event) == 1);
}

TEST_CASE("the audit reads one instant, whatever is written meanwhile", "[storage][audit]") {
  true_books books;
  postgres_options options;
  options.url = books.on.postgres().url();
  auto reader = open_postgres_audit(options);
  audit::options how;
  how.page = 1;
  how.progress = [&](std::int64_t users, std::int64_t) {
    // Everything that has not been read yet changes under its hands.
    if (users != 1) return;
    books.plant("UPDATE users SET points = points + 1");
    books.on.must<ledger_entry>(withdraw_points{user_id{3}, 1, noon(200)});
  };
  auto all = audit::run(*reader, how);
  REQUIRE(all);
  INFO(told(*all));
  CHECK(all->found.kept().empty());
}

TEST_CASE("the audit refuses a database without tables, one that is gone, and one that is lost on the way",
          "[storage][audit]") {
  test_database empty;
  postgres_options options;
  options.url = empty.url();
  CHECK(audit::run(*open_postgres_audit(options), {}).error().code == errc::invalid);
  options.url = "postgresql://nobody@127.0.0.1:1/none";
  CHECK(audit::run(*open_postgres_audit(options), {}).error().code == errc::store_unavailable);

  true_books books;
  options.url = books.on.postgres().url();
  audit::options how;
  how.page = 1;
  how.progress = [&](std::int64_t, std::int64_t) { books.on.postgres().end_connections(); };
  CHECK(audit::run(*open_postgres_audit(options), how).error().code == errc::store_unavailable);
}
