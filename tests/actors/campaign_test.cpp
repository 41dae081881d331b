// The course of a campaign on a clock moved by hand: schedule, start, change, end, freeze, cancel.
#include "actor_world.hpp"

using namespace dr;
using namespace dr::actor_test;

namespace {

using texts = std::vector<std::string>;

struct two_sites : actor_world {
  user_id samsung = enrol("samsung", 400'000), lg = enrol("lg", 300'000);
  result<storage::written> alter(campaign_id id, campaign_change change, std::optional<std::int64_t> version = {}) {
    return ask<storage::written>(all.registry, alter_campaign{id, change, version, nullptr});
  }
  result<storage::written> cancel(campaign_id id) {
    return ask<storage::written>(all.registry, cancel_campaign{id, "by mistake", {}, nullptr});
  }
};

campaign_change renamed(std::string name) {
  campaign_change change;
  change.name = std::move(name);
  return change;
}
campaign_change with_end(std::optional<time_point> at) {
  campaign_change change;
  change.ends_at = at;
  return change;
}
campaign_change with_order(std::int64_t watts) {
  campaign_change change;
  change.order_w = watts;
  return change;
}

bool has(const texts& got, const std::string& text) { return std::ranges::find(got, text) != got.end(); }

} // namespace

TEST_CASE_METHOD(two_sites, "an order makes one response per user and alerts who is connected, each in person",
                 "[actors]") {
  auto hers = connect(samsung), his = connect(lg);
  auto dr = start_campaign();
  CHECK(dr.status == campaign_status::running);
  CHECK(dr.counts.dispatched == 2);
  CHECK(hers->got == texts{"started 1|response 1 of user1 ignore worth 400"});
  CHECK(his->got == texts{"started 1|response 2 of user2 ignore worth 300"});
  CHECK(encoder->heads == 1); // made once for all
  auto there = alive();
  CHECK(there["campaigns"] == 1);
  CHECK(there["responses"] == 2);
}

TEST_CASE_METHOD(two_sites, "who connects while an order is still being announced hears of no change before the alert",
                 "[actors]") {
  database->faults().fail_reads(1); // of the first page of responses: it is read again half a second later
  auto dr = start_campaign();
  auto hers = connect(samsung);
  CHECK(hers->got.empty());
  REQUIRE(alter(dr.id, with_order(5'000)));
  pass(1s);
  CHECK(hers->got == texts{"started 1|response 1 of user1 ignore worth 400", "changed 1"});
}

TEST_CASE_METHOD(two_sites, "who connects while a campaign is changed and ended hears of its end alone", "[actors]") {
  auto dr = start_campaign();
  database->faults().fail_reads(1); // of the customer's campaigns: they are read again half a second later
  auto hers = connect(samsung);
  REQUIRE(alter(dr.id, with_order(5'000)));
  REQUIRE(end(dr.id));
  pass(1s);
  CHECK(hers->got == texts{"ended 1"});
}

TEST_CASE_METHOD(two_sites, "an order is refused with all its wrong fields, and a key keeps the refusal", "[actors]") {
  campaign_order wrong;
  wrong.type = "unknown";
  wrong.ends_at = clock->now() - 1h;
  auto key = make_key("o1");
  auto refused = order(wrong, key);
  CHECK(error_of(refused) == errc::invalid);
  CHECK(refused.error().fields.size() == 2);
  auto again = ask<storage::written>(all.registry, order_campaign{wrong, key});
  CHECK(value_of<storage::replayed>(again).answer == "error invalid");
}

TEST_CASE_METHOD(two_sites, "the same order with the same key is carried out once", "[actors]") {
  auto key = make_key("o2");
  CHECK(order({}, key));
  campaign_order same;
  same.name = "dr for test";
  same.type = "reliable";
  CHECK(value_of<storage::replayed>(ask<storage::written>(all.registry, order_campaign{same, key})).answer == "ok");
  CHECK(look([](storage::reader& r) { return r.campaigns({}, {}); }).items.size() == 1);
}

TEST_CASE_METHOD(two_sites, "a campaign without users runs and settles", "[actors]") {
  actor_world empty;
  auto dr = empty.start_campaign();
  CHECK(dr.counts.dispatched == 0);
  CHECK(empty.end(dr.id));
  CHECK(empty.stored(dr.id).settlement == settlement_status::settled);
}

TEST_CASE_METHOD(two_sites, "a scheduled campaign is announced, answerable, starts and ends by itself", "[actors]") {
  auto hers = connect(samsung);
  campaign_order what;
  what.starts_at = clock->now() + 2min;
  what.ends_at = clock->now() + 5min;
  auto dr = *order(what);
  CHECK(dr.status == campaign_status::scheduled);
  CHECK(has(hers->got, "announced 1|response 1 of user1 ignore worth 100"));
  CHECK(answer_with({1}, answer::accept, samsung));
  CHECK(error_of(end(dr.id)) == errc::campaign_scheduled);
  pass(119s);
  CHECK(stored(dr.id).status == campaign_status::scheduled);
  pass(1s);
  CHECK(stored(dr.id).status == campaign_status::running);
  CHECK(has(hers->got, "started 1|response 1 of user1 accept worth 100"));
  pass(179s);
  CHECK(stored(dr.id).status == campaign_status::running);
  pass(2s);
  auto over = stored(dr.id);
  CHECK(over.status == campaign_status::end);
  CHECK(over.ended_at == what.ends_at);
  CHECK(over.frozen);
  CHECK(over.counts.accept == 1);
  CHECK(has(hers->got, "ended 1"));
  CHECK(checks_queued_heard == 1);
  CHECK(event_types() == texts{"UserEnrolled", "UserEnrolled", "DRstarted", "Listmade", "AcceptChosen", "DrBegun",
                               "DrEnded", "Listsaved"});
}

TEST_CASE_METHOD(two_sites, "ending repeats its answer, under a key too", "[actors]") {
  auto dr = start_campaign();
  auto key = make_key("e1");
  auto ended = value_of<campaign>(end(dr.id, key));
  CHECK(ended.status == campaign_status::end);
  CHECK(value_of<storage::replayed>(end(dr.id, key)).answer == "ok");
  CHECK(value_of<campaign>(end(dr.id)).ended_at == ended.ended_at);
  auto late_key = make_key("e2");
  CHECK(value_of<campaign>(end(dr.id, late_key)).status == campaign_status::end);
  CHECK(value_of<storage::replayed>(end(dr.id, late_key)).answer == "ok");
  CHECK(error_of(cancel(dr.id)) == errc::campaign_ended);
  CHECK(error_of(alter(dr.id, renamed("new"))) == errc::campaign_ended);
  CHECK(error_of(end({77})) == errc::not_found);
}

TEST_CASE_METHOD(two_sites, "a canceled campaign tells its customers, freezes and verifies nothing", "[actors]") {
  auto hers = connect(samsung);
  auto dr = start_campaign();
  answer_with({1}, answer::accept, samsung);
  CHECK(value_of<campaign>(cancel(dr.id)).cancel_reason == "by mistake");
  CHECK(has(hers->got, "canceled 1"));
  CHECK(value_of<campaign>(cancel(dr.id)).status == campaign_status::canceled);
  CHECK(error_of(answer_with({2}, answer::accept, lg)) == errc::answer_frozen);
  CHECK(error_of(end(dr.id)) == errc::campaign_canceled);
  pass(2s);
  CHECK(checks_queued_heard == 0);
  CHECK(stored(dr.id).settlement == settlement_status::none);
  CHECK(alive()["responses"] == 0);
  CHECK(alive()["campaigns"] == 0);
}

TEST_CASE_METHOD(two_sites, "a change is told to the customers, and a new end holds", "[actors]") {
  auto hers = connect(samsung);
  campaign_order what;
  what.ends_at = clock->now() + 5min;
  auto dr = *order(what);
  auto later = value_of<campaign>(alter(dr.id, with_end(clock->now() + 10min)));
  CHECK(later.version == dr.version + 1);
  CHECK(has(hers->got, "changed 1"));
  auto heard = hers->got.size();
  CHECK(value_of<campaign>(alter(dr.id, with_end(later.ends_at))).version == later.version);
  CHECK(hers->got.size() == heard); // nothing differed
  pass(6min);
  CHECK(stored(dr.id).status == campaign_status::running);
  value_of<campaign>(alter(dr.id, with_end(clock->now() + 1min)));
  pass(61s);
  CHECK(stored(dr.id).status == campaign_status::end);
}

TEST_CASE_METHOD(two_sites, "a change that means another version is refused", "[actors]") {
  auto dr = start_campaign();
  CHECK(error_of(alter(dr.id, renamed("a"), 7)) == errc::version_conflict);
  CHECK(value_of<campaign>(alter(dr.id, renamed("a"), 1)).version == 2);
  CHECK(error_of(alter(dr.id, renamed("b"), 1)) == errc::version_conflict);
}

TEST_CASE_METHOD(two_sites, "a row that changed behind the actor's back is read again and decided again", "[actors]") {
  auto dr = start_campaign();
  auto other = dr;
  other.name = "changed elsewhere";
  ++other.version;
  value_of<campaign>(write(storage::save_campaign{other, dr.version, clock->now()}));
  auto now = value_of<campaign>(alter(dr.id, with_order(5'000'000)));
  CHECK(now.name == "changed elsewhere");
  CHECK(now.version == 3);
}

TEST_CASE_METHOD(two_sites, "a test campaign ends without any settlement", "[actors]") {
  auto dr = start_campaign(true);
  answer_with({1}, answer::accept, samsung);
  end(dr.id);
  pass(1s);
  CHECK(stored(dr.id).frozen);
  CHECK(stored(dr.id).settlement == settlement_status::none);
  CHECK(alive()["responses"] == 0);
  CHECK(alive()["campaigns"] == 0);
}

TEST_CASE("the first tries of the checks wait for the last quarter hour and the metering lag", "[actors]") {
  auto early = GENERATE(true, false);
  actor_world world([&](settings& s) {
    s.metering.ask_early = early;
    s.metering.lag = 20min;
  });
  auto user = world.enrol("samsung");
  auto dr = world.start_campaign(); // at 14:00 in Korea
  world.answer_with({1}, answer::accept, user);
  world.pass(5min);
  world.end(dr.id);
  auto due = world.look([](storage::reader& r) { return r.next_check_due(); });
  REQUIRE(due);
  CHECK(*due == (early ? world.clock->now() : world.clock->now() + 30min)); // 14:15 and 20 minutes
}

TEST_CASE_METHOD(two_sites, "an end that the store loses sight of is found out and carried through", "[actors]") {
  auto hers = connect(samsung);
  auto dr = start_campaign();
  answer_with({1}, answer::accept, samsung);
  database->faults().lose_commit_answers(2);
  auto got = send<storage::written>(all.registry, end_campaign{dr.id, {}, nullptr});
  pass(5s);
  REQUIRE(*got);
  CHECK(value_of<campaign>(**got).status == campaign_status::end);
  CHECK(stored(dr.id).frozen);
  CHECK(has(hers->got, "ended 1"));
  CHECK(checks_queued_heard >= 1);
}

TEST_CASE_METHOD(two_sites, "a campaign ends by itself as soon as the store is back", "[actors]") {
  campaign_order what;
  what.ends_at = clock->now() + 1min;
  auto dr = *order(what);
  pass(50s);
  database->faults().set_down(true);
  pass(60s);
  database->faults().set_down(false);
  CHECK(stored(dr.id).status == campaign_status::running);
  pass(60s);
  CHECK(stored(dr.id).status == campaign_status::end);
  CHECK(stored(dr.id).ended_at == what.ends_at);
  CHECK(stored(dr.id).frozen);
}

TEST_CASE_METHOD(two_sites, "a step that fails while a command waits behind it is taken again", "[actors]") {
  campaign_order what;
  what.ends_at = clock->now() + 1min;
  auto dr = *order(what);
  pass(55s);
  database->faults().set_down(true);
  pass(10s); // the end is on its way to the store
  campaign_change larger;
  larger.order_w = 5'000'000;
  auto changed = send<storage::written>(all.registry, alter_campaign{dr.id, larger, {}, nullptr});
  pass(60s);
  database->faults().set_down(false);
  pass(60s);
  CHECK(*changed);
  CHECK(stored(dr.id).status == campaign_status::end);
  CHECK(value_of<campaign>(end(dr.id)).status == campaign_status::end);
}

TEST_CASE_METHOD(two_sites,
                 "a campaign whose settled row could not be read at first finds out that nothing is left to do",
                 "[actors]") {
  auto dr = start_campaign();
  answer_with({1}, answer::accept);
  end(dr.id);
  pass(2s);
  reduction_check check;
  check.campaign = dr.id;
  check.user = samsung;
  check.response = {1};
  check.is_real = true;
  check.checked_at = clock->now();
  REQUIRE(write(storage::settle_check{check}));
  database->faults().fail_reads(1);
  pass(10s);
  REQUIRE(stored(dr.id).settlement == settlement_status::settled);
  CHECK(alive()["campaigns"] == 0); // it knows that there is nothing left to do
}

TEST_CASE_METHOD(two_sites, "summaries come at most four times a second, and only when something moved", "[actors]") {
  auto console = connect_admin();
  start_campaign();
  auto summaries = [&] {
    return std::ranges::count_if(console->got, [](const auto& t) { return t.starts_with("summary"); });
  };
  pass(1s);
  auto before = summaries();
  for (int i = 0; i < 100; ++i) {
    answer_with({1}, i % 2 == 0 ? answer::accept : answer::deny, samsung);
    pass(10ms);
  }
  CHECK(summaries() - before >= 3);
  CHECK(summaries() - before <= 4);
  pass(1s);
  auto quiet = summaries();
  pass(10s);
  CHECK(summaries() == quiet);
}

TEST_CASE_METHOD(two_sites, "a keyed change that meets a newer row is decided again, and that is its answer",
                 "[actors]") {
  auto dr = start_campaign();
  auto other = dr;
  other.name = "changed elsewhere";
  ++other.version;
  value_of<campaign>(write(storage::save_campaign{other, dr.version, clock->now()}));
  auto key = make_key("c1");
  auto end_it = [&] { return ask<storage::written>(all.registry, end_campaign{dr.id, {}, key}); };
  CHECK(value_of<campaign>(end_it()).status == campaign_status::end);
  CHECK(value_of<storage::replayed>(end_it()).answer == "ok");
  CHECK(error_of(alter(dr.id, renamed("x"), 1)) == errc::version_conflict);
}
