#include "tests/storage/house.hpp"

using namespace dr;
using namespace dr::test;

namespace {

campaign everything_set() {
  auto c = planned("여름 피크 \"1\"");
  c.status = campaign_status::scheduled;
  c.starts_at = noon(60);
  c.respond_by = noon(30);
  c.ends_at = noon(120);
  c.order_w = 1'500'500;
  c.warnings = {"outside of the programme's window", "짧은 \"통보\""};
  c.terms.cap_percent.reset();
  c.terms.mandatory = false;
  c.terms.default_baseline = {baseline_method::mid_4_6, true};
  c.terms.baselines.of(baseline_method::max_4_5) = {1, 2, 3, 4, 5, 6};
  c.terms.baselines.of(baseline_method::mid_8_10) = {7, 8, 9, 10, 11, 12};
  return c;
}

} // namespace

TEST_CASE("a campaign comes back from the store exactly as ordered", "[storage][campaigns]") {
  house s{DR_BOTH};
  auto made = s.open(everything_set());
  auto expected = everything_set();
  expected.id = {1};
  CHECK(made == expected);
  CHECK(s.campaign_now(made.id) == expected);
  auto millis = planned();
  millis.starts_at += std::chrono::milliseconds{123};
  CHECK(s.campaign_now(s.open(millis).id).starts_at == millis.starts_at);
  s.holds();
}

TEST_CASE("a campaign that was stored without the baselines' figures has the built-in ones", "[storage][campaigns]") {
  house s{kind::postgres};
  auto made = s.open(everything_set());
  s.postgres().run("UPDATE campaign SET terms = terms - 'baselines'");
  auto expected = made.terms;
  expected.baselines = baseline_rules{};
  CHECK(s.campaign_now(made.id).terms == expected);
}

TEST_CASE("dispatch makes one response per enrolled user with capacity and baseline frozen", "[storage][campaigns]") {
  house s{DR_BOTH};
  auto samsung = s.enrol("samsung", 400'000);
  create_user chooser{"lg", 300'000, 0, "5555555555", false, baseline_method::mid_6_10, true, noon()};
  s.must<user>(chooser);
  chooser.cust_no.clear();
  chooser.method = baseline_method::mid_8_10; // not allowed by the terms
  chooser.saa.reset();
  s.must<user>(chooser);
  s.must<user>(withdraw_user{s.enrol("gone").id, {}, noon()});
  auto c = s.open();
  CHECK(c.counts.dispatched == 3);
  auto list = s.read().responses({c.id, {}, {}}, {}).value();
  REQUIRE(list.items.size() == 3);
  CHECK(list.total == 3);
  CHECK(list.items[0].id.value == 1);
  CHECK(list.items[0].user == samsung.id);
  CHECK(list.items[0].user_name == "samsung");
  CHECK(list.items[0].capacity_w == 400'000);
  CHECK(list.items[0].baseline == baseline_choice{baseline_method::max_4_5, false});
  CHECK(list.items[0].expected_points == expected_points(c, 400'000));
  CHECK(list.items[0].version == 1);
  CHECK(list.items[1].baseline == baseline_choice{baseline_method::mid_6_10, true});
  CHECK(list.items[2].baseline == baseline_choice{baseline_method::max_4_5, false});
  s.must<user>(change_user{samsung.id, {}, "삼성", 999'000, {}, {}, {}, noon()});
  auto r = s.response_now({1});
  CHECK(r.capacity_w == 400'000);
  CHECK(r.user_name == "삼성");
  auto without_saa = planned();
  without_saa.terms.saa_allowed = false;
  auto second = s.open(without_saa);
  CHECK(s.read().responses({second.id, {}, {}}, {}).value().items[1].baseline ==
        baseline_choice{baseline_method::mid_6_10, false});
  s.holds();
}

TEST_CASE("a user enrolled in the same batch is part of the campaign behind it", "[storage][campaigns]") {
  house s{DR_BOTH};
  create_user u{"samsung", 1000, 0, "", false, {}, {}, noon()};
  auto done = s.batch({u, open_campaign{planned(), noon()}, u});
  CHECK(std::get<campaign>(*done.results[1]).counts.dispatched == 1);
  s.holds();
}

TEST_CASE("a campaign without users is opened, ended and settled at once", "[storage][campaigns]") {
  house s{DR_BOTH};
  auto c = s.open();
  CHECK(c.counts == campaign_counts{});
  s.end(c.id);
  auto frozen = s.freeze(c.id);
  CHECK(frozen.settlement == settlement_status::settled);
  CHECK(s.read().unfinished_campaigns().value().empty());
  CHECK(s.event_types() == std::vector<std::string>{"DRstarted", "Listmade", "DrEnded", "Listsaved"});
  s.holds();
}

TEST_CASE("a campaign is saved only over the version it was made from", "[storage][campaigns]") {
  house s{DR_BOTH};
  auto c = s.open(everything_set());
  auto next = c;
  next.name = "renamed";
  next.respond_by.reset();
  next.order_w.reset();
  ++next.version;
  CHECK(s.must<campaign>(save_campaign{next, 1, noon()}) == next);
  CHECK(s.campaign_now(c.id) == next);
  CHECK(s.refused(save_campaign{next, 1, noon()}) == errc::version_conflict);
  CHECK(s.must<campaign>(save_campaign{next, 2, noon()}) == next); // nothing differs
  auto unknown = next;
  unknown.id = {9};
  CHECK(s.refused(save_campaign{unknown, 2, noon()}) == errc::not_found);
  auto started = s.must<campaign>(save_campaign{begun(next, noon(60)).value(), 2, noon(60)});
  CHECK(started.status == campaign_status::running);
  auto over = s.must<campaign>(save_campaign{ended(started, noon(90)).value(), 3, noon(90)});
  CHECK(over.ended_at == noon(90));
  CHECK(s.campaign_now(c.id) == over);
  CHECK(s.event_types() == std::vector<std::string>{"DRstarted", "Listmade", "DrChanged", "DrBegun", "DrEnded"});
  s.holds();
}

TEST_CASE("a canceled campaign freezes its answers and verifies nothing", "[storage][campaigns]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto c = s.open();
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  auto before = s.campaign_now(c.id);
  auto gone =
      s.must<campaign>(save_campaign{canceled(before, "기상 \"악화\"", noon(5)).value(), before.version, noon(5)});
  CHECK(gone.cancel_reason == "기상 \"악화\"");
  CHECK(s.campaign_now(c.id) == gone);
  CHECK(s.refused(choose_answer{{1}, answer::deny, {}, noon(6)}) == errc::answer_frozen);
  CHECK(s.must<campaign>(freeze_campaign{c.id, noon(6), noon(6)}) == gone);
  CHECK(!s.read().next_check_due().value());
  CHECK(s.event_types().back() == "DrCanceled");
  s.holds();
}

TEST_CASE("the counts of a saved campaign are the store's own", "[storage][campaigns]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto c = s.open();
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  auto stale = ended(c, noon(30)).value(); // made before the answer came
  auto saved = s.must<campaign>(save_campaign{stale, 1, noon(30)});
  CHECK(saved.counts.accept == 1);
  CHECK(saved.counts.committed_w == 400'000);
  s.holds();
}

TEST_CASE("freezing counts the answers and queues a check per accept, once", "[storage][campaigns]") {
  house s{DR_BOTH};
  for (int i = 0; i < 4; ++i) s.enrol("user", 100'000 + i);
  auto c = s.open();
  CHECK(s.refused(freeze_campaign{c.id, noon(), noon()}) == errc::campaign_scheduled);
  CHECK(s.refused(freeze_campaign{{9}, noon(), noon()}) == errc::not_found);
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  s.must<response_changed>(choose_answer{{2}, answer::accept, {}, noon(1)});
  s.must<response_changed>(choose_answer{{3}, answer::deny, {}, noon(1)});
  auto over = s.end(c.id);
  CHECK(s.read().unfinished_campaigns().value().size() == 1);
  auto frozen = s.freeze(c.id, noon(75));
  CHECK(frozen.frozen);
  CHECK(frozen.version == over.version + 1);
  CHECK(frozen.settlement == settlement_status::verifying);
  CHECK(frozen.counts.accept == 2);
  CHECK(frozen.counts.deny == 1);
  CHECK(frozen.counts.ignore() == 1);
  CHECK(frozen.counts.committed_w == 200'001);
  CHECK(frozen.counts.pending == 2);
  CHECK(s.freeze(c.id, noon(99)) == frozen);
  CHECK(s.campaign_now(c.id) == frozen);
  CHECK(s.response_now({1}).verification == verification::pending);
  CHECK(s.response_now({1}).version == 3); // a visible change has a version of its own
  CHECK(s.response_now({3}).verification == verification::none);
  CHECK(s.read().due_checks(noon(74), 10).value().empty());
  auto due = s.read().due_checks(noon(75), 10).value();
  REQUIRE(due.size() == 2);
  CHECK(due[0].id.value == 1);
  CHECK(s.read().next_check_due().value() == noon(75));
  CHECK(s.event_types().back() == "Listsaved");
  s.holds();
}

TEST_CASE("a test campaign counts answers and verifies nothing", "[storage][campaigns]") {
  house s{DR_BOTH};
  s.enrol("samsung");
  auto drill = planned();
  drill.test = true;
  auto c = s.open(drill);
  s.must<response_changed>(choose_answer{{1}, answer::accept, {}, noon(1)});
  s.end(c.id);
  auto frozen = s.freeze(c.id);
  CHECK(frozen.settlement == settlement_status::none);
  CHECK(frozen.counts.accept == 1);
  CHECK(frozen.counts.pending == 0);
  CHECK(s.response_now({1}).verification == verification::none);
  CHECK(s.read().unfinished_campaigns().value().empty());
  s.holds();
}
