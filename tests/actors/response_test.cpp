// The life of a response: answers, refusals, receipts, freezing, revival.
#include "actor_world.hpp"

using namespace dr;
using namespace dr::actor_test;
using storage::response_changed;

namespace {

struct two_customers : actor_world {
  user_id samsung = enrol("samsung", 400'000), lg = enrol("lg", 300'000);
  campaign dr = start_campaign();
  response_id first{1}, second{2};
  /// Settles the check of samsung's response.
  storage::check_settled settle(bool is_real) {
    reduction_check check;
    check.campaign = dr.id;
    check.user = samsung;
    check.response = first;
    check.is_real = is_real;
    check.checked_at = clock->now();
    return value_of<storage::check_settled>(write(storage::settle_check{check}));
  }
};

} // namespace

TEST_CASE_METHOD(two_customers, "an answer is stored, counted, told to its customer and to the console", "[actors]") {
  auto hers = connect(samsung), his = connect(lg);
  auto console = connect_admin();
  auto done = value_of<response_changed>(answer_with(first, answer::accept, samsung));
  CHECK(done.changed);
  CHECK(done.before == answer::ignore);
  CHECK(stored(first).answer == answer::accept);
  CHECK(hers->got == std::vector<std::string>{"response 1 accept"});
  CHECK(his->got.empty());
  auto counts = ask<campaign>(all.registry, get_campaign{dr.id})->counts;
  CHECK(counts.accept == 1);
  CHECK(counts.committed_w == 400'000);
  pass(300ms);
  CHECK(std::ranges::find(console->got, "summary 1: 1/0") != console->got.end());
}

TEST_CASE_METHOD(two_customers, "a campaign's numbers are the commits' own and need no read, but after a doubt",
                 "[actors]") {
  auto counts = [&] { return ask<campaign>(all.registry, get_campaign{dr.id})->counts; };
  CHECK(counts().accept == 0);
  pass(1s); // the first summary is behind it
  auto& faults = database->faults();
  answer_with(first, answer::accept, samsung);
  int reads = faults.reads;
  CHECK(counts().accept == 1);
  CHECK(counts().committed_w == 400'000);
  CHECK(faults.reads == reads);
  faults.lose_commit_answers(1);
  auto unheard = send<storage::written>(all.registry, choose{second, answer::deny, {}, {lg}, nullptr});
  pass(1s);
  REQUIRE(*unheard);
  CHECK(counts().deny == 1);
  CHECK(faults.reads > reads);
}

TEST_CASE_METHOD(two_customers, "an answer may change, and repeating it changes nothing", "[actors]") {
  answer_with(first, answer::accept, samsung);
  auto again = value_of<response_changed>(answer_with(first, answer::accept, samsung));
  CHECK_FALSE(again.changed);
  CHECK(again.response.version == 2);
  auto changed = value_of<response_changed>(answer_with(first, answer::deny, samsung));
  CHECK(changed.before == answer::accept);
  auto counts = ask<campaign>(all.registry, get_campaign{dr.id})->counts;
  CHECK(counts.accept == 0);
  CHECK(counts.deny == 1);
  CHECK(counts.committed_w == 0);
}

TEST_CASE_METHOD(two_customers, "another customer's response does not exist, and the admin may answer for anybody",
                 "[actors]") {
  CHECK(error_of(answer_with(first, answer::accept, lg)) == errc::not_found);
  CHECK(error_of(answer_with({99}, answer::accept)) == errc::not_found);
  CHECK(error_of(ask<storage::written>(all.registry, acknowledge_alert{first, {lg}})) == errc::not_found);
  CHECK(answer_with(first, answer::accept));
}

TEST_CASE_METHOD(two_customers, "a command names the version it means", "[actors]") {
  answer_with(first, answer::accept, samsung);
  CHECK(error_of(ask<storage::written>(all.registry, choose{first, answer::deny, 1, {samsung}, nullptr})) ==
        errc::version_conflict);
  CHECK(ask<storage::written>(all.registry, choose{first, answer::deny, 2, {samsung}, nullptr}));
}

TEST_CASE_METHOD(two_customers, "the first delivery receipt counts, later ones change nothing", "[actors]") {
  auto once = value_of<response_changed>(ask<storage::written>(all.registry, acknowledge_alert{first, {samsung}}));
  CHECK(once.changed);
  CHECK(once.response.delivered_at == clock->now());
  pass(1s);
  auto twice = value_of<response_changed>(ask<storage::written>(all.registry, acknowledge_alert{first, {samsung}}));
  CHECK_FALSE(twice.changed);
  CHECK(twice.response.delivered_at == once.response.delivered_at);
  CHECK(ask<campaign>(all.registry, get_campaign{dr.id})->counts.delivered == 1);
}

TEST_CASE_METHOD(two_customers, "the same key gets the first answer again, even a refusal", "[actors]") {
  auto key = make_key("k1");
  value_of<response_changed>(answer_with(first, answer::accept, samsung, key));
  CHECK(value_of<storage::replayed>(answer_with(first, answer::accept, samsung, key)).answer == "ok");
  CHECK(error_of(answer_with(first, answer::accept, samsung, make_key("k1", "other"))) == errc::key_reused);
  end(dr.id);
  auto late = make_key("k2");
  CHECK(error_of(answer_with(second, answer::accept, lg, late)) == errc::answer_frozen);
  CHECK(value_of<storage::replayed>(answer_with(second, answer::accept, lg, late)).answer == "error answer-frozen");
}

TEST_CASE_METHOD(two_customers, "commands of one response wait for each other, within bounds", "[actors]") {
  std::vector<pending<storage::written>> sent;
  for (int i = 0; i < 20; ++i)
    sent.push_back(send<storage::written>(
        all.registry, choose{first, i % 2 == 0 ? answer::accept : answer::deny, {}, {samsung}, nullptr}));
  run();
  int taken = 0, refused = 0;
  for (auto& one : sent) {
    REQUIRE(*one);
    if (**one)
      ++taken;
    else
      refused += error_of(**one) == errc::too_many_requests;
  }
  CHECK(taken + refused == 20);
  CHECK(taken >= 16);
  auto counts = ask<campaign>(all.registry, get_campaign{dr.id})->counts;
  CHECK(counts.accept + counts.deny == 1);
  CHECK(stored(dr.id).counts == counts);
}

TEST_CASE_METHOD(two_customers, "strangers do not fill the place of a response's owner", "[actors]") {
  end(dr.id);
  pass(1s);
  REQUIRE(alive()["responses"] == 0); // whose they are is read anew
  std::vector<pending<storage::written>> strangers;
  for (int i = 0; i < 20; ++i)
    strangers.push_back(send<storage::written>(all.registry, choose{second, answer::deny, {}, {samsung}, nullptr}));
  auto owner = send<storage::written>(all.registry, choose{second, answer::ignore, {}, {lg}, nullptr});
  run();
  REQUIRE(*owner);
  CHECK(owner->has_value());
  CHECK((*owner)->has_value());
  int refused = 0;
  for (auto& one : strangers) refused += error_of(**one) == errc::too_many_requests ? 1 : 0;
  CHECK(refused == 4);
}

TEST_CASE_METHOD(two_customers, "a late answer is refused after the campaign has ended, the frozen one may be repeated",
                 "[actors]") {
  answer_with(first, answer::accept, samsung);
  end(dr.id);
  auto late = answer_with(second, answer::accept, lg);
  CHECK(error_of(late) == errc::answer_frozen);
  CHECK(late.error().detail.find("ended") != std::string::npos);
  CHECK_FALSE(value_of<response_changed>(answer_with(second, answer::ignore, lg)).changed);
  CHECK_FALSE(value_of<response_changed>(answer_with(first, answer::accept, samsung)).changed);
  CHECK(error_of(answer_with(first, answer::deny, samsung)) == errc::answer_frozen);
}

TEST_CASE_METHOD(two_customers, "after the end only accepting responses live on, and they end when their check is in",
                 "[actors]") {
  CHECK(alive()["responses"] == 2);
  answer_with(first, answer::accept, samsung);
  end(dr.id);
  pass(1s);
  CHECK(alive()["responses"] == 1);
  CHECK(settle(true).campaign_settled);
  pass(1s);
  CHECK(alive()["responses"] == 0);
  CHECK(alive()["campaigns"] == 0); // nothing left to do
  CHECK(ask<campaign>(all.registry, get_campaign{dr.id})->settlement == settlement_status::settled);
  pass(1s);
  CHECK(alive()["campaigns"] == 0);
}

TEST_CASE_METHOD(two_customers, "the accept that was turned may be repeated", "[actors]") {
  answer_with(first, answer::accept, samsung);
  end(dr.id);
  CHECK(settle(false).response.turned);
  pass(1s);
  auto again = value_of<response_changed>(answer_with(first, answer::accept, samsung));
  CHECK_FALSE(again.changed);
  CHECK(again.response.answer == answer::deny);
  CHECK_FALSE(value_of<response_changed>(answer_with(first, answer::deny, samsung)).changed);
}

TEST_CASE("answers are taken until respondBy", "[actors]") {
  actor_world world;
  auto user = world.enrol("samsung");
  campaign_order order;
  order.respond_by = world.clock->now() + 60s;
  world.order(order);
  world.pass(59s);
  CHECK(world.answer_with({1}, answer::accept, user));
  world.pass(1s);
  CHECK(error_of(world.answer_with({1}, answer::deny, user)) == errc::answer_frozen);
}

TEST_CASE_METHOD(two_customers, "a longer respondBy holds for the very next answer", "[actors]") {
  campaign_change change;
  change.respond_by = clock->now() + 10s;
  CHECK(ask<storage::written>(all.registry, alter_campaign{dr.id, change, {}, nullptr}));
  pass(11s);
  CHECK(error_of(answer_with(first, answer::accept, samsung)) == errc::answer_frozen);
  change.respond_by = clock->now() + 10s;
  CHECK(ask<storage::written>(all.registry, alter_campaign{dr.id, change, {}, nullptr}));
  CHECK(answer_with(first, answer::accept, samsung));
}

TEST_CASE_METHOD(two_customers, "a lost commit answer is found out, and the customer hears the truth", "[actors]") {
  database->faults().lose_commit_answers(1);
  auto got = send<storage::written>(all.registry, choose{first, answer::accept, {}, {samsung}, nullptr});
  run();
  CHECK_FALSE(*got);
  pass(100ms);
  REQUIRE(*got);
  CHECK(value_of<response_changed>(**got).changed);
  CHECK(stored(dr.id).counts.accept == 1);
}

TEST_CASE_METHOD(two_customers, "an answer whose outcome nobody could tell is told to its customer when it is known",
                 "[actors]") {
  auto hers = connect(samsung);
  const auto steps = GENERATE(range(1, 20, 1));
  CAPTURE(steps);
  auto got = send<storage::written>(all.registry, choose{first, answer::accept, {}, {samsung}, nullptr});
  for (int i = 0; i < steps && sched.has_job(); ++i) sched.run_once();
  kill(all.store);
  database->faults().fail_reads(3); // the first look fails too
  pass(10s);
  REQUIRE(*got);
  const auto expected = stored(first).answer == answer::accept ? 1 : 0;
  CHECK(std::ranges::count(hers->got, "response 1 accept") == expected);
  CHECK(alive()["responses"] == 2);
}

TEST_CASE_METHOD(two_customers, "an answer waits out a short outage of the store", "[actors]") {
  database->faults().set_down(true);
  auto got = send<storage::written>(all.registry, choose{first, answer::accept, {}, {samsung}, nullptr});
  pass(3s);
  CHECK_FALSE(*got);
  database->faults().set_down(false);
  pass(1s);
  REQUIRE(*got);
  CHECK(value_of<response_changed>(**got).changed);
}
