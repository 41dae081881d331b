#include "audit/account_view.hpp"
#include "audit/audit.hpp"
#include "storage/engine/event_data.hpp"
#include "tests/unit/sample_days.hpp"

#include <catch2/catch.hpp>

using namespace dr;
using namespace dr::test;
using audit::finding_kind;

namespace {

/// One user who accepted one campaign, reduced 40 kWh and was credited 40 points: everything that is stored of it.
struct one_account {
  audit::campaign_map campaigns;
  storage::account account;

  one_account() {
    campaign c;
    c.id = {1};
    c.status = campaign_status::end;
    c.settlement = settlement_status::settled;
    c.frozen = true;
    c.starts_at = c.ordered_at = at(event_day, 14);
    c.ended_at = at(event_day, 15);
    c.terms = standard_terms();
    campaigns.emplace(c.id, c);

    account.user.id = {1};
    account.user.cust_no = "0000000001";
    account.user.points = 1040;
    response r;
    r.id = {1};
    r.campaign = {1};
    r.user = {1};
    r.capacity_w = 40'000;
    r.baseline = {baseline_method::max_4_5, false};
    r.answer = answer::accept;
    r.verification = verification::real;
    account.responses.push_back(r);
    for (auto day : weekdays_before) account.days[day] = {flat_day(25'000), true, at(event_day, 16)};
    auto event_profile = flat_day(25'000);
    set_hour(event_profile, 14, 60'000);
    account.days[event_day] = {event_profile, false, at(event_day, 16)};

    reduction_check check;
    check.id = {1};
    check.campaign = {1};
    check.user = {1};
    check.response = {1};
    check.checked_at = at(event_day, 16);
    check_input input;
    input.event = {campaign_id{1}, window(event_day, 14, 0, 15, 0), r.baseline};
    input.terms = c.terms;
    input.capacity_w = r.capacity_w;
    for (const auto& [day, stored] : account.days) input.metered.days[day] = stored.profile;
    fill(check, finished(input));
    REQUIRE(check.adjust_points == 40);
    account.checks.push_back(check);
    enter(entry_kind::opening, 1000, 1000, 0);
    enter(entry_kind::credit, 40, 1040, 1);
    tell(storage::user_enrolled_event(with_points(1000), at(event_day, 9)));
    tell(storage::answer_event(r, answer::ignore, at(event_day, 14, 1)));
    tell(storage::check_event(check, r.answer));
    tell(storage::points_changed_event(check, 40, account.user));
  }

  user with_points(std::int64_t points) const {
    auto u = account.user;
    u.points = points;
    return u;
  }
  void enter(entry_kind kind, std::int64_t amount, std::int64_t balance, int revision) {
    ledger_entry entry;
    entry.id = {static_cast<std::int64_t>(account.entries.size()) + 1};
    entry.user = {1};
    entry.kind = kind;
    entry.amount = amount;
    entry.balance_after = balance;
    entry.revision = revision;
    if (revision > 0) {
      entry.campaign = {1};
      entry.response = {1};
    }
    account.entries.push_back(entry);
  }
  void tell(event e) {
    e.seq = static_cast<std::int64_t>(account.events.size()) + 1;
    account.events.push_back(std::move(e));
  }
};

audit::findings audited(const one_account& books, audit::recomputed* done = nullptr) {
  audit::findings out;
  audit::recomputed ignored;
  auto view = audit::view_of(books.account, books.campaigns, out);
  audit_ledger(view, out);
  audit_responses(view, out);
  audit_events(view, out);
  audit_settlements(view, {}, out, done ? *done : ignored);
  return out;
}

std::string told(const audit::findings& found) {
  std::string text;
  for (const auto& one : found.kept())
    text += std::string(to_string(one.kind)) + ": " + one.what + ": " + one.stored + " / " + one.computed + "\n";
  return text;
}

/// The only finding there is.
audit::finding only(const audit::findings& found) {
  INFO(told(found));
  REQUIRE(found.kept().size() == 1);
  return found.kept().front();
}

/// As if the only check had been settled at its deadline, with what there was.
void settle_by_estimate(one_account& books) {
  books.account.checks.front().quality = check_quality::estimated;
  books.account.events.resize(2);
  books.tell(storage::check_event(books.account.checks.front(), answer::accept));
  books.tell(storage::points_changed_event(books.account.checks.front(), 40, books.account.user));
}

} // namespace

TEST_CASE("an account whose parts agree gives no finding, and its check is computed anew", "[unit][audit]") {
  audit::recomputed done;
  auto found = audited(one_account{}, &done);
  INFO(told(found));
  CHECK(found.kept().empty());
  CHECK(done.checks == 1);
}

TEST_CASE("a changed balance is the one finding, with what is stored and what the ledger comes to", "[unit][audit]") {
  one_account books;
  books.account.user.points = 1041;
  auto one = only(audited(books));
  CHECK(one.kind == finding_kind::balance);
  CHECK(one.stored == "1041");
  CHECK(one.computed == "1040");
  CHECK(place_text(one.where) == "user 1");
}

TEST_CASE("an entry that does not follow from the one before is named once, not with all that come after",
          "[unit][audit]") {
  one_account books;
  books.enter(entry_kind::withdrawal, -1, 1039, 0);
  books.enter(entry_kind::withdrawal, -1, 1038, 0);
  books.account.entries[1].balance_after = 1045;
  auto found = audited(books);
  CHECK(found.count(finding_kind::ledger_chain) == 2); // it, and the step from it back to the truth
}

TEST_CASE("a credit for a revision that there is not is named", "[unit][audit]") {
  one_account books;
  books.enter(entry_kind::credit, 40, 1080, 2);
  books.account.user.points = 1080;
  auto found = audited(books);
  INFO(told(found));
  CHECK(found.count(finding_kind::credit) == 1);
  CHECK(told(found).find("40 points for revision 2 / revision 1 at most") != std::string::npos);
}

TEST_CASE("a check that was changed together with its event and ledger is still computed anew", "[unit][audit]") {
  one_account books;
  // More baseline, more reduction, more points, everywhere alike.
  auto& check = books.account.checks.front();
  check.baseline_wh += 4'000;
  check.reduction_wh += 4'000;
  check.credited_wh += 4'000;
  check.adjust_points += 4;
  check.spread.front().wh += 4'000;
  books.account.user.points = books.account.entries.back().balance_after = 1044;
  books.account.entries.back().amount = 44;
  books.account.events.resize(2);
  books.tell(storage::check_event(check, answer::accept));
  books.tell(storage::points_changed_event(check, 44, books.account.user));
  auto one = only(audited(books));
  CHECK(one.kind == finding_kind::settlement);
  CHECK(one.stored.find("baselineWh 104000") != std::string::npos);
  CHECK(one.computed.find("baselineWh 100000") != std::string::npos);
}

TEST_CASE("data fetched after the check makes a different settlement a note, and says which days", "[unit][audit]") {
  one_account books;
  set_hour(books.account.days[event_day].profile, 14, 80'000);
  CHECK(only(audited(books)).kind == finding_kind::settlement);
  books.account.days[event_day].fetched_at = at(event_day, 17);
  auto one = only(audited(books));
  CHECK(one.kind == finding_kind::refreshed);
  CHECK_FALSE(is_difference(one.kind));
  CHECK(one.what.find("2026-11-18 were fetched after the check") != std::string::npos);
}

TEST_CASE("a customer number that was changed after the check makes a different settlement a note", "[unit][audit]") {
  one_account books;
  books.account.user.cust_no.clear();
  CHECK(only(audited(books)).kind == finding_kind::settlement);
  auto before = books.account.user;
  before.cust_no = "0000000001";
  books.tell(storage::user_changed_event(before, books.account.user, at(event_day, 17)));
  CHECK(only(audited(books)).kind == finding_kind::refreshed);
}

TEST_CASE("a check settled at the deadline with gaps is computed anew with the same gaps", "[unit][audit]") {
  one_account books;
  books.account.days.erase(weekdays_before[0]);
  auto one = only(audited(books));
  CHECK(one.kind == finding_kind::not_recomputable); // a final one must have had that day
  CHECK(one.what.find("2026-11-17") != std::string::npos);
  settle_by_estimate(books);
  auto found = audited(books);
  INFO(told(found));
  CHECK(found.kept().empty());
}

TEST_CASE("a day that was given up at the deadline may be found empty since", "[unit][audit]") {
  one_account books;
  books.account.days[weekdays_before[0]] = {{}, true, at(event_day, 100)};
  settle_by_estimate(books);
  auto found = audited(books);
  INFO(told(found));
  CHECK(found.kept().empty());
}

TEST_CASE("a day that is kept without any value was too old for the check to wait for", "[unit][audit]") {
  one_account books;
  books.account.days[weekdays_before[4]] = {{}, false, at(event_day, 16)};
  audit::recomputed done;
  auto found = audited(books, &done);
  INFO(told(found));
  CHECK(found.kept().empty());
  CHECK(done.checks == 1);
  // Found empty again, and closed, since: no reason why the figures should differ.
  books.account.days[weekdays_before[4]] = {{}, true, at(event_day, 17)};
  CHECK(audited(books).kept().empty());
  set_hour(books.account.days[event_day].profile, 14, 80'000);
  CHECK(only(audited(books)).kind == finding_kind::settlement);
}

TEST_CASE("an accept of a frozen campaign has a check or a queued one", "[unit][audit]") {
  one_account books;
  books.account.checks.clear();
  books.account.entries.pop_back();
  books.account.events.resize(2);
  books.account.user.points = 1000;
  books.account.responses.front().verification = verification::none;
  CHECK(only(audited(books)).kind == finding_kind::queue);
  storage::queued_check job;
  job.response = {1};
  job.campaign = {1};
  job.user = {1};
  books.account.queued.push_back(job);
  CHECK(audited(books).kept().empty());
  books.account.queued.front().parked = true;
  CHECK(only(audited(books)).computed == "CheckParked");
}

TEST_CASE("of each kind the first findings are kept and all are counted", "[unit][audit]") {
  audit::findings found(2);
  for (int i = 0; i < 5; ++i) found.add(finding_kind::balance, {}, "differs", i, 0);
  found.add(finding_kind::refreshed, {}, "differs", 1, 0);
  CHECK(found.kept().size() == 3);
  CHECK(found.count(finding_kind::balance) == 5);
  CHECK(found.differences() == 5);
}
