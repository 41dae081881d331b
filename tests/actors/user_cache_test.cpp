// The cache of users: exact in front of changes, doubt, crashes and fencing; bounded.
#include "actor_world.hpp"
#include "actors/open_batch.hpp"
#include "actors/user_cache.hpp"

using namespace dr;
using namespace dr::actor_test;

namespace {

user make_user(std::int64_t id, std::int64_t points = 0) {
  user made;
  made.id = {id};
  made.points = points;
  return made;
}

/// A transaction with one change.
std::shared_ptr<open_batch> transaction(const std::shared_ptr<user_cache>& cache, storage::change what) {
  auto made = std::make_shared<open_batch>(cache, 1);
  storage::write change{std::move(what), nullptr};
  REQUIRE(made->add(change));
  return made;
}

/// Reads a user as the front does; nothing more may have happened in between.
void put(user_cache& cache, std::int64_t id) {
  const auto asked = cache.find({id});
  REQUIRE(asked.ticket != 0);
  cache.keep(make_user(id), asked.ticket);
  REQUIRE(cache.find({id}).row);
}

/// Nothing is there, and nothing may be kept.
bool kept_out(user_cache& cache, user_id id) {
  const auto asked = cache.find(id);
  return !asked.row && asked.ticket == 0;
}

struct cached_world : actor_world {
  cached_world() {
    for (const auto* name : {"one", "two"}) enrol(name, 100'000, 1'000);
  }
  user_cache& cache() { return *all.users; }
  /// What GET /users/{id} shows.
  user seen(std::int64_t id) {
    const auto asked = cache().find({id});
    if (asked.row) return *asked.row;
    auto row = look([&](storage::reader& r) { return r.find_user({id}); });
    if (asked.ticket) cache().keep(row, asked.ticket);
    return row;
  }
  auto withdraw(std::int64_t id, std::int64_t amount) {
    auto got =
        send<storage::written>(all.store, persist{{storage::withdraw_points{{id}, amount, clock->now()}, nullptr}});
    run();
    return got;
  }
};

} // namespace

TEST_CASE("a user is kept out of the cache while a transaction may change it", "[actors][users]") {
  auto cache = std::make_shared<user_cache>(10);
  storage::settle_check settle;
  settle.check.user = {1};
  const storage::change all[] = {storage::change_user{{1}, {}, {}, {}, {}, {}, {}, {}},
                                 storage::withdraw_user{{1}, {}, {}}, storage::set_token{{1}, {}, {}},
                                 storage::withdraw_points{{1}, 5, {}}, settle};
  for (const auto& what : all) {
    INFO("alternative " << what.index());
    put(*cache, 1);
    put(*cache, 2);
    auto under_way = transaction(cache, what);
    CHECK(kept_out(*cache, {1}));
    CHECK(cache->find({2}).row);
    auto of_writer = under_way; // the transaction goes on when the store that asked for it is dead
    under_way.reset();
    CHECK(kept_out(*cache, {1}));
    of_writer.reset();
    put(*cache, 1);
  }
}

TEST_CASE("everybody is kept out while a transaction may change anybody", "[actors][users]") {
  auto cache = std::make_shared<user_cache>(10);
  for (const storage::change& what :
       {storage::change{storage::import_users{}}, storage::change{storage::settle_check{}}}) {
    put(*cache, 1);
    auto first = transaction(cache, what);
    auto second = transaction(cache, what);
    CHECK(kept_out(*cache, {1}));
    first.reset();
    CHECK(kept_out(*cache, {1}));
    second.reset();
    put(*cache, 1);
  }
}

TEST_CASE("what changes no user leaves the cache as it is", "[actors][users]") {
  auto cache = std::make_shared<user_cache>(10);
  put(*cache, 1);
  auto under_way = transaction(cache, storage::choose_answer{{1}, answer::accept, {}, {}});
  CHECK(cache->find({1}).row);
}

TEST_CASE("a read that began before a change is not kept after it", "[actors][users]") {
  auto cache = std::make_shared<user_cache>(10);
  const auto before = cache->find({1});
  auto under_way = transaction(cache, storage::withdraw_points{{1}, 5, {}});
  cache->keep(make_user(1, 1'000), before.ticket);
  CHECK(kept_out(*cache, {1}));
  const auto meanwhile = cache->find({1});
  under_way.reset();
  cache->keep(make_user(1, 1'000), before.ticket);
  cache->keep(make_user(1, 1'000), meanwhile.ticket);
  CHECK_FALSE(cache->find({1}).row);
  const auto after = cache->find({1});
  cache->keep(make_user(1, 1'000), before.ticket); // another read of the same user is under way now
  CHECK_FALSE(cache->find({1}).row);
  cache->keep(make_user(1, 995), after.ticket);
  REQUIRE(cache->find({1}).row);
  CHECK(cache->find({1}).row->points == 995);
}

TEST_CASE("the cache is bounded: whoever was asked for longest ago makes room", "[actors][users]") {
  auto cache = std::make_shared<user_cache>(2);
  put(*cache, 1);
  put(*cache, 2);
  CHECK(cache->find({1}).row);
  put(*cache, 3);
  CHECK(cache->size() == 2);
  CHECK(cache->find({1}).row);
  CHECK_FALSE(cache->find({2}).row);
  auto none = std::make_shared<user_cache>(0);
  CHECK(kept_out(*none, {1}));
}

TEST_CASE("a change that was answered is seen through the cache", "[actors][users]") {
  cached_world w;
  CHECK(w.seen(1).points == 1'000);
  CHECK(w.seen(2).points == 1'000);
  const auto done = w.withdraw(1, 100);
  CHECK(value_of<ledger_entry>(**done).balance_after == 900);
  CHECK(w.seen(1).points == 900);
  CHECK(w.cache().find({1}).row);
  CHECK(w.cache().find({2}).row->points == 1'000);
}

TEST_CASE("while a commit is in doubt its user is read from the database", "[actors][users]") {
  cached_world w;
  CHECK(w.seen(1).points == 1'000);
  w.database->faults().lose_commit_answers(1);
  const auto lost = w.withdraw(1, 100);
  REQUIRE_FALSE(*lost);
  CHECK(kept_out(w.cache(), {1}));
  CHECK(w.seen(1).points == 900);
  CHECK(w.seen(2).points == 1'000);
  CHECK(w.cache().find({2}).row);
  w.pass(100ms);
  CHECK(value_of<ledger_entry>(**lost).balance_after == 900);
  CHECK(w.seen(1).points == 900);
  CHECK(w.cache().find({1}).row);
}

TEST_CASE("a store that dies in a transaction leaves the cache empty until another one was committed",
          "[actors][users][crash]") {
  cached_world w;
  CHECK(w.seen(2).points == 1'000);
  w.database->faults().set_down(true);
  const auto interrupted = w.withdraw(1, 100);
  CHECK(w.cache().find({2}).row);
  w.kill(w.all.store);
  CHECK(error_of(**interrupted) == errc::outcome_unknown);
  CHECK(kept_out(w.cache(), {1}));
  CHECK(kept_out(w.cache(), {2}));
  w.database->faults().set_down(false);
  w.pass(2s);
  const auto next = w.withdraw(2, 1);
  CHECK(value_of<ledger_entry>(**next).balance_after == 999);
  CHECK(w.seen(1).points == 1'000);
  CHECK(w.seen(2).points == 999);
  CHECK(w.cache().find({1}).row);
  CHECK(w.cache().find({2}).row);
}

TEST_CASE("a fenced store's cache stays empty for ever", "[actors][users]") {
  cached_world w;
  CHECK(w.seen(2).points == 1'000);
  REQUIRE(w.database->take_lease("another"));
  CHECK(error_of(**w.withdraw(1, 100)) == errc::fenced);
  CHECK(kept_out(w.cache(), {1}));
  CHECK(kept_out(w.cache(), {2}));
}
