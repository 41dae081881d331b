// The push hub: who hears what, in which order; the console's tail of events.
#include "actor_world.hpp"
#include "actors/push_hub.hpp"

using namespace dr;
using namespace dr::actor_test;

namespace {

using texts = std::vector<std::string>;

bool has(const texts& got, const std::string& text) { return std::ranges::find(got, text) != got.end(); }

bool has_text(const std::string& got, const std::string& part) { return got.find(part) != std::string::npos; }

struct hub_world : actor_world {
  user_id samsung = enrol("samsung"), lg = enrol("lg");
  void news(campaign_notice_kind kind, const campaign& of) {
    caf::anon_send(all.hub, campaign_noticed{kind, std::make_shared<const campaign>(of)});
    run();
  }
  texts events_of(const recording_sink& console) {
    texts events;
    for (const auto& t : console.got)
      if (!t.starts_with("summary")) events.push_back(t);
    return events;
  }
};

} // namespace

TEST_CASE_METHOD(hub_world, "who connects during a campaign hears of its end, who is not part of it does not",
                 "[actors]") {
  auto dr = start_campaign();
  auto sk = enrol("sk"); // came after the dispatch
  auto hers = connect(samsung), stranger = connect(sk);
  CHECK(hers->got.empty()); // the snapshot has it
  end(dr.id);
  CHECK(has(hers->got, "ended 1"));
  CHECK(stranger->got.empty());
}

TEST_CASE_METHOD(hub_world, "who connects between a campaign's end and the news of it hears of it", "[actors]") {
  auto dr = start_campaign();
  auto sk = enrol("sk");
  auto over = *ended(stored(dr.id), clock->now());
  REQUIRE(
      write(storage::save_campaign{over, dr.version, clock->now()})); // the campaign's actor knows nothing of it yet
  auto hers = connect(samsung), stranger = connect(sk);
  news(campaign_notice_kind::ended, stored(dr.id));
  CHECK(hers->got == texts{"ended 1"});
  CHECK(stranger->got.empty());
}

TEST_CASE_METHOD(hub_world, "the hub tells of a closed campaign whose actor is not heard of any more", "[actors]") {
  auto dr = start_campaign();
  auto hers = connect(samsung);
  auto over = *ended(stored(dr.id), clock->now());
  kill(all.registry);
  database->faults().set_down(true); // so that nobody takes the campaign up
  auto what = std::make_shared<storage::committed>();
  what->results.push_back(storage::written{over});
  caf::anon_send(all.hub, batch_committed{what});
  pass(closing_patience - 1s);
  CHECK(hers->got.empty());
  database->faults().set_down(false);
  pass(2s);
  CHECK(has(hers->got, "ended 1"));
}

TEST_CASE_METHOD(hub_world, "an end is told once, however often and in whatever order the hub hears of it",
                 "[actors]") {
  auto dr = start_campaign();
  auto hers = connect(samsung);
  end(dr.id);
  news(campaign_notice_kind::ended, stored(dr.id)); // by an actor that was revived
  auto over = stored(dr.id);
  over.frozen = false;
  auto what = std::make_shared<storage::committed>();
  what->results.push_back(storage::written{over});
  caf::anon_send(all.hub, batch_committed{what}); // of a commit whose outcome was in doubt
  pass(closing_patience + 1s);
  CHECK(hers->got == texts{"ended 1"});
  // Who was told meanwhile that it goes on hears of the end again.
  auto row = storage::dispatched_response{{1}, samsung, 100'000, answer::ignore, 1};
  caf::anon_send(all.hub, alert_users{std::make_shared<const campaign>(dr), {row}});
  news(campaign_notice_kind::ended, stored(dr.id));
  REQUIRE(hers->got.size() == 3);
  CHECK(hers->got.back() == "ended 1");
  news(campaign_notice_kind::changed, dr);
  news(campaign_notice_kind::ended, stored(dr.id));
  CHECK(hers->got.back() == "ended 1");
}

TEST_CASE_METHOD(hub_world, "a connected customer's alert carries its present name", "[actors]") {
  auto hers = connect(samsung), his = connect(lg);
  storage::change_user name;
  name.id = samsung;
  name.name = "삼성전자";
  REQUIRE(write(name));
  storage::import_row row;
  row.line = 1;
  row.name = "엘지";
  row.capacity_w = 100'000;
  row.cust_no = look([&](storage::reader& from) { return from.find_user(lg); }).cust_no;
  REQUIRE_FALSE(row.cust_no.empty());
  REQUIRE(write(storage::import_users{{row}, false, clock->now()}));
  start_campaign();
  REQUIRE(hers->got.size() == 1);
  REQUIRE(his->got.size() == 1);
  CHECK(has_text(hers->got[0], "of 삼성전자 "));
  CHECK(has_text(his->got[0], "of 엘지 "));
}

TEST_CASE_METHOD(hub_world, "news waits until storage can say whom it concerns, and older news gives way to newer",
                 "[actors]") {
  auto dr = start_campaign();
  auto sk = enrol("sk");
  auto hers = connect(samsung), stranger = connect(sk);
  auto later = dr;
  ++later.version;
  SECTION("of two pieces of news the newest is told") {
    database->faults().set_down(true);
    news(campaign_notice_kind::changed, dr);
    later.status = campaign_status::end;
    news(campaign_notice_kind::ended, later);
    pass(2s);
    CHECK(hers->got.empty());
    database->faults().set_down(false);
    pass(1s);
    CHECK(hers->got == texts{"ended 1"});
  }
  SECTION("an alert says all that older news would say") {
    database->faults().set_down(true);
    news(campaign_notice_kind::changed, dr);
    auto row = storage::dispatched_response{{1}, samsung, 100'000, answer::ignore, 1};
    caf::anon_send(all.hub, alert_users{std::make_shared<const campaign>(later), {row}});
    run();
    database->faults().set_down(false);
    pass(1s);
    CHECK(hers->got.size() == 1);
  }
  SECTION("older news is dropped also when nobody is connected") {
    database->faults().set_down(true);
    news(campaign_notice_kind::changed, dr);
    caf::anon_send(all.hub, detach{hers});
    caf::anon_send(all.hub, detach{stranger});
    later.status = campaign_status::end;
    news(campaign_notice_kind::ended, later);
    auto back = connect(samsung);
    database->faults().set_down(false);
    pass(1s);
    CHECK(back->got.empty());
    hers->got.emplace_back("the one");
  }
  SECTION("what is being read when newer news comes is not told") {
    caf::anon_send(all.hub, campaign_noticed{campaign_notice_kind::changed, std::make_shared<const campaign>(dr)});
    later.status = campaign_status::canceled;
    caf::anon_send(all.hub, campaign_noticed{campaign_notice_kind::canceled, std::make_shared<const campaign>(later)});
    run();
    CHECK(hers->got == texts{"canceled 1"});
  }
  CHECK(stranger->got.empty());
  CHECK(hers->got.size() == 1);
}

TEST_CASE_METHOD(hub_world, "a customer who was found to be part of a campaign hears of it at once from then on",
                 "[actors]") {
  auto dr = start_campaign();
  auto hers = connect(samsung);
  news(campaign_notice_kind::changed, dr);
  REQUIRE(hers->got == texts{"changed 1"});
  database->faults().set_down(true);
  news(campaign_notice_kind::changed, dr);
  CHECK(hers->got.size() == 2);
}

TEST_CASE_METHOD(hub_world, "of a storm of connections everybody hears of the end, also who left and came back",
                 "[actors]") {
  std::vector<user_id> users;
  for (int i = 0; i < 1'200; ++i) users.push_back(enrol("user " + std::to_string(i)));
  auto dr = start_campaign();
  auto first = std::make_shared<recording_sink>();
  std::vector<std::shared_ptr<recording_sink>> sinks;
  caf::anon_send(all.hub, attach_customer{users.front(), "back", first});
  for (auto user : users) {
    sinks.push_back(std::make_shared<recording_sink>());
    caf::anon_send(all.hub, attach_customer{user, "user", sinks.back()});
  }
  for (auto sink : {first, sinks.front()}) caf::anon_send(all.hub, detach{sink});
  caf::anon_send(all.hub, attach_customer{users.front(), "back", first});
  run();
  end(dr.id);
  sinks.front() = first;
  for (const auto& sink : sinks) REQUIRE(sink->got == texts{"ended 1"});
}

TEST_CASE_METHOD(hub_world, "an alert that was read before an answer does not take it back", "[actors]") {
  auto dr = start_campaign();
  auto rows = look([&](storage::reader& r) { return r.dispatched(dr.id, {}, 10); });
  auto hers = connect(samsung);
  answer_with({1}, answer::deny);
  REQUIRE(hers->got == texts{"response 1 deny"});
  caf::anon_send(all.hub, alert_users{std::make_shared<const campaign>(dr), rows});
  run();
  REQUIRE(hers->got.size() == 2);
  CHECK(has_text(hers->got[1], " deny worth"));
}

TEST_CASE_METHOD(hub_world, "every socket of a user hears, a detached one does not", "[actors]") {
  auto one = connect(samsung), two = connect(samsung);
  CHECK(ask<push_state>(all.hub, get_push_state{})->customers == 1);
  CHECK(ask<push_state>(all.hub, get_push_state{})->sockets == 2);
  start_campaign();
  CHECK(one->got.size() == 1);
  CHECK(two->got == one->got);
  caf::anon_send(all.hub, detach{two});
  run();
  answer_with({1}, answer::accept);
  CHECK(one->got.size() == 2);
  CHECK(two->got.size() == 1);
  caf::anon_send(all.hub, detach{one});
  run();
  CHECK(ask<push_state>(all.hub, get_push_state{})->customers == 0);
  CHECK(ask<push_state>(all.hub, get_push_state{})->sockets == 0);
  CHECK(one.use_count() == 1); // the hub lets go of it
}

TEST_CASE_METHOD(hub_world, "a killed hub lets go of its sockets, and the next one serves whoever connects",
                 "[actors]") {
  auto one = connect(samsung);
  auto console = connect_admin();
  CHECK(one.use_count() > 1);
  kill(all.hub);
  CHECK(one.use_count() == 1);
  CHECK(console.use_count() == 1);
  pass(100ms);
  auto again = connect(samsung);
  start_campaign();
  CHECK(again->got.size() == 1);
}

TEST_CASE_METHOD(hub_world, "a settled check is told with its points, a turned answer too", "[actors]") {
  auto dr = start_campaign();
  answer_with({1}, answer::accept);
  end(dr.id);
  auto hers = connect(samsung), his = connect(lg);
  reduction_check check;
  check.campaign = dr.id;
  check.user = samsung;
  check.response = {1};
  check.is_real = true;
  check.adjust_points = 30;
  check.checked_at = clock->now();
  // The store itself tells the hub: whoever asked for the settlement may be gone by the time of its commit.
  write(storage::settle_check{check});
  CHECK(hers->got == texts{"checked 1", "points of 1: 30 by 30"});
  write(storage::settle_check{check}); // a repetition tells nothing
  CHECK(hers->got.size() == 2);
  CHECK(his->got.empty());
}

TEST_CASE_METHOD(hub_world, "the console hears every event once, in order, without gaps", "[actors]") {
  auto console = connect_admin();
  auto from = look([](storage::reader& r) { return r.last_events(1); }).back().seq;
  auto dr = start_campaign();
  for (int i = 0; i < 30; ++i) answer_with({1}, i % 2 == 0 ? answer::accept : answer::deny);
  end(dr.id);
  pass(1s);
  auto events = events_of(*console);
  auto all_types = event_types();
  REQUIRE(events.size() == all_types.size() - static_cast<std::size_t>(from));
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto seq = static_cast<std::size_t>(from) + i;
    CHECK(events[i] == std::to_string(seq + 1) + " " + all_types[seq]);
  }
}

TEST_CASE_METHOD(hub_world, "the console's tail waits out an outage of the store", "[actors]") {
  auto console = connect_admin();
  auto key = make_key("z");
  database->faults().fail_reads(3);
  start_campaign();
  pass(3s);
  auto events = events_of(*console);
  REQUIRE(events.size() == 2);
  CHECK(events[0].ends_with("DRstarted"));
  CHECK(events[1].ends_with("Listmade"));
}

TEST_CASE_METHOD(hub_world, "a burst of events is read in pages, not one by one", "[actors]") {
  auto console = connect_admin();
  auto before = database->faults().reads.load();
  for (int i = 0; i < 200; ++i)
    caf::anon_send(all.store, persist{{storage::withdraw_user{samsung, {}, clock->now()}, nullptr}});
  std::vector<pending<storage::written>> sent;
  for (int i = 0; i < 600; ++i) {
    storage::create_user what;
    what.name = "u" + std::to_string(i);
    what.at = clock->now();
    sent.push_back(send<storage::written>(all.store, persist{{what, nullptr}}));
  }
  run();
  CHECK(events_of(*console).size() <= 200); // a socket holds 256 frames: what came so far leaves room
  pass(1s);
  CHECK(events_of(*console).size() == 601);
  CHECK(database->faults().reads.load() - before < 20);
}
