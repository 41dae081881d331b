// A process that starts over what an earlier one left: it goes on with what is open and takes the steps that are
// missing.
#include "actor_world.hpp"
#include "actors/registry.hpp"

using namespace dr;
using namespace dr::actor_test;

namespace {

/// Makes changes straight in a store, as an earlier process did.
storage::written commit(storage::database& database, storage::change what) {
  auto writer = database.open_writer(storage::lane_of(what), *database.take_lease("earlier"));
  static int batch = 0;
  storage::write one{std::move(what), nullptr};
  auto done = writer->commit("earlier-" + std::to_string(++batch), {&one, 1});
  if (!done || !done->results[0]) FAIL("the past cannot be made");
  return *done->results[0];
}

/// A world that starts over what an earlier process left.
class revived : public stepped_system {
public:
  explicit revived(std::shared_ptr<storage::memory_database> db, std::shared_ptr<test_clock> time)
      : database(db), clock(time) {}
  void start() {
    config->programmes = shipped_programmes();
    config->actors.spawn_batch = 3;
    tree_options options;
    options.config = config;
    options.clock = clock;
    options.database = database;
    options.epoch = *database->take_lease("test");
    options.encoder = std::make_shared<plain_encoder>();
    options.workers_on = worker_thread::scheduler;
    all = start_tree(system, options);
    run();
  }
  ~revived() {
    caf::anon_send(all.root, stop_tree{});
    run();
    all = {};
  }
  void pass(std::chrono::milliseconds by) {
    advance(by, [this](std::chrono::milliseconds step) { clock->advance(step); });
  }
  campaign stored(campaign_id id) { return *database->open_reader()->find_campaign(id); }
  std::map<std::string, std::int64_t> alive() { return ask<population>(all.registry, get_population{})->counts; }
  std::shared_ptr<storage::memory_database> database;
  std::shared_ptr<test_clock> clock;
  std::shared_ptr<settings> config = std::make_shared<settings>();
  services all;
};

/// A past with one campaign and two users, and a present that revives it.
struct past {
  std::shared_ptr<storage::memory_database> database = storage::make_memory_database();
  std::shared_ptr<test_clock> clock = std::make_shared<test_clock>();
  campaign dr;

  explicit past(campaign_order what = {}) {
    for (auto name : {"samsung", "lg"}) {
      storage::create_user user;
      user.name = name;
      user.capacity_w = 100'000;
      user.at = clock->now();
      commit(*database, user);
    }
    what.name = "dr";
    what.type = "reliable";
    what.ordered_at = clock->now();
    auto planned = plan_campaign(what, shipped_programmes(), {}, {}, clock->now());
    dr = std::get<campaign>(commit(*database, storage::open_campaign{*planned, clock->now()}));
    commit(*database, storage::choose_answer{{1}, answer::accept, {}, clock->now()});
    dr = *database->open_reader()->find_campaign(dr.id);
  }
  void save(const campaign& next) {
    dr = std::get<campaign>(commit(*database, storage::save_campaign{next, dr.version, clock->now()}));
  }
};

} // namespace

TEST_CASE("a restarted process goes on with a running campaign: responses, counts and end", "[actors]") {
  past before{make_order({}, test_clock{}.now() + 1min)};
  revived now{before.database, before.clock};
  now.start();
  auto there = now.alive();
  CHECK(there["campaigns"] == 1);
  CHECK(there["responses"] == 2);
  CHECK(now.ask<campaign>(now.all.registry, get_campaign{before.dr.id})->counts.accept == 1);
  CHECK(now.ask<storage::written>(now.all.registry, choose{{2}, answer::deny, {}, {}, nullptr}));
  now.pass(61s);
  CHECK(now.stored(before.dr.id).status == campaign_status::end);
  CHECK(now.stored(before.dr.id).frozen);
  CHECK(now.stored(before.dr.id).counts.deny == 1);
}

TEST_CASE("a scheduled campaign whose start and end passed while nobody ran takes both steps", "[actors]") {
  auto zero = test_clock{}.now();
  past before{make_order(zero + 1min, zero + 2min)};
  before.clock->advance(1h);
  revived now{before.database, before.clock};
  now.start();
  auto over = now.stored(before.dr.id);
  CHECK(over.status == campaign_status::end);
  CHECK(over.ended_at == zero + 2min);
  CHECK(over.frozen);
  CHECK(over.settlement == settlement_status::verifying);
}

TEST_CASE("a crash between the end and the freeze is made good at the next start", "[actors]") {
  past before;
  before.clock->advance(1min);
  before.save(*ended(before.dr, before.clock->now()));
  REQUIRE_FALSE(before.dr.frozen);
  revived now{before.database, before.clock};
  now.start();
  CHECK(now.stored(before.dr.id).frozen);
  CHECK(now.stored(before.dr.id).counts.pending == 1);
  now.pass(1s);
  CHECK(now.alive()["responses"] == 1); // the one that waits for its check
}

TEST_CASE("a crash after the freeze leaves a campaign that waits for its checks", "[actors]") {
  past before;
  before.clock->advance(1min);
  before.save(*ended(before.dr, before.clock->now()));
  commit(*before.database, storage::freeze_campaign{before.dr.id, before.clock->now(), before.clock->now()});
  revived now{before.database, before.clock};
  now.start();
  now.pass(1s);
  CHECK(now.alive()["campaigns"] == 1);
  CHECK(now.alive()["responses"] == 1);
}

TEST_CASE("a finished campaign and a settled response are revived to answer, and go again", "[actors]") {
  past before;
  before.save(*canceled(before.dr, "no", before.clock->now()));
  revived now{before.database, before.clock};
  now.start();
  CHECK(now.alive()["campaigns"] == 0);
  CHECK(now.ask<campaign>(now.all.registry, get_campaign{before.dr.id})->status == campaign_status::canceled);
  CHECK(error_of(now.ask<storage::written>(now.all.registry, choose{{2}, answer::accept, {}, {}, nullptr})) ==
        errc::answer_frozen);
  CHECK(now.ask<storage::written>(now.all.registry, choose{{1}, answer::accept, {}, {}, nullptr}));
  CHECK(error_of(now.ask<campaign>(now.all.registry, get_campaign{{99}})) == errc::not_found);
  now.pass(1s);
  CHECK(now.alive()["campaigns"] == 0);
  CHECK(now.alive()["responses"] == 0);
}

TEST_CASE("commands that come before the store is up wait for it or are told so, and the next ones pass", "[actors]") {
  past before;
  before.database->faults().set_down(true);
  revived now{before.database, before.clock};
  now.start();
  auto early = now.send<storage::written>(now.all.registry, choose{{2}, answer::accept, {}, {}, nullptr});
  now.pass(2s);
  REQUIRE(*early); // the row could not be read
  CHECK(error_of(**early) == errc::store_unavailable);
  before.database->faults().set_down(false);
  now.pass(2s);
  CHECK(now.alive()["responses"] == 2);
  CHECK(now.ask<storage::written>(now.all.registry, choose{{2}, answer::accept, {}, {}, nullptr}));
}
