// The whole tree on real threads: start, work, stop, crashes under load, fencing.
#include "actor_world.hpp"

#include <caf/scoped_actor.hpp>

#include <condition_variable>
#include <mutex>

using namespace dr;
using namespace dr::actor_test;

namespace {

/// A tree as the program makes it, over the memory store.
struct real_tree {
  std::shared_ptr<settings> config = std::make_shared<settings>();
  dr::actors::actor_system_config cfg{config->actors};
  caf::actor_system system{cfg};
  std::shared_ptr<storage::memory_database> database = storage::make_memory_database();
  std::atomic<int> fenced{0};
  services all;

  real_tree() {
    config->programmes = shipped_programmes();
    config->database.request_timeout = 2s;
    tree_options options;
    options.config = config;
    options.clock = std::make_shared<test_clock>();
    options.database = database;
    options.epoch = *database->take_lease("test");
    options.encoder = std::make_shared<plain_encoder>();
    options.on_fenced = [this] { ++fenced; };
    all = start_tree(system, options);
  }
  ~real_tree() { CHECK(stop_tree_and_wait(system, all, 10s)); }

  template <class Answer, class Handle, class Question> result<Answer> ask(const Handle& whom, Question what) {
    caf::scoped_actor self{system, true};
    result<Answer> out = fail(errc::internal);
    self->request(whom, 20s, std::move(what))
        .receive([&](Answer& got) { out = std::move(got); }, [&](const caf::error& why) { out = from_caf(why); });
    return out;
  }
  /// Asks again while the answer is one that passes, for at most ten seconds.
  template <class Answer, class Handle, class Question> result<Answer> insist(const Handle& whom, Question what) {
    auto until = std::chrono::steady_clock::now() + 10s;
    for (;;) {
      auto got = ask<Answer>(whom, what);
      if (got || !passing(got.error()) || std::chrono::steady_clock::now() > until) return got;
      std::this_thread::yield();
    }
  }
  campaign campaign_for(int users) {
    for (int i = 0; i < users; ++i) {
      storage::create_user what;
      what.name = "u" + std::to_string(i);
      what.capacity_w = 1'000;
      REQUIRE(insist<storage::written>(all.store, persist{{what, nullptr}}));
    }
    auto made = insist<storage::written>(all.registry, order_campaign{make_order(), nullptr});
    return value_of<campaign>(made);
  }
};

} // namespace

TEST_CASE("the tree starts, works, shows itself and stops in order", "[actors]") {
  real_tree tree;
  auto dr = tree.campaign_for(3);
  CHECK(dr.counts.dispatched == 3);
  CHECK(tree.insist<storage::written>(tree.all.registry, choose{{1}, answer::accept, {}, {}, nullptr}));
  auto root = tree.ask<tree_node>(tree.all.root, get_tree{});
  REQUIRE(root);
  std::vector<std::string> names;
  for (const auto& group : root->children) {
    names.push_back(group.name);
    CHECK(group.state == tree_node::condition::up);
  }
  CHECK(names == std::vector<std::string>{"storage", "dispatch", "front"});
  CHECK(root->children[0].children[1].children[0].name == "hot_writer");
  CHECK(tree.ask<storage_state>(tree.all.store, get_storage_state{})->commit_ms_p99 >= 0);
}

TEST_CASE("services answer shutting down after the stop, and handles stay safe to use", "[actors]") {
  auto config = std::make_shared<settings>();
  dr::actors::actor_system_config cfg{config->actors};
  caf::actor_system system{cfg};
  auto database = storage::make_memory_database();
  tree_options options;
  options.config = config;
  options.clock = std::make_shared<test_clock>();
  options.database = database;
  options.epoch = *database->take_lease("test");
  options.encoder = std::make_shared<plain_encoder>();
  auto all = start_tree(system, options);
  auto kept = all;
  CHECK(stop_tree_and_wait(system, all, 10s));
  caf::scoped_actor self{system, true};
  errc code{};
  self->request(kept.registry, 5s, get_population{})
      .receive([](const population&) {}, [&](const caf::error& why) { code = from_caf(why).code; });
  CHECK(code == errc::shutting_down);
  self->request(kept.root, 5s, get_tree{})
      .receive([](const tree_node&) {}, [&](const caf::error& why) { code = from_caf(why).code; });
  CHECK(code == errc::shutting_down);
}

TEST_CASE("answers go on while actors of every kind are killed, and every one is counted once", "[actors]") {
  real_tree tree;
  constexpr int users = 60;
  auto dr = tree.campaign_for(users);
  auto victims = {caf::actor_cast<caf::actor>(tree.all.store), caf::actor_cast<caf::actor>(tree.all.registry),
                  caf::actor_cast<caf::actor>(tree.all.hub)};
  auto next = victims.begin();
  for (int i = 1; i <= users; ++i) {
    if (i % 20 == 10) {
      if (auto victim = incarnation_of(*next)) caf::anon_send_exit(victim, caf::exit_reason::kill);
      ++next;
    }
    auto got = tree.insist<storage::written>(tree.all.registry, choose{{i}, answer::accept, {}, {}, nullptr});
    if (!got) FAIL(got.error().detail);
  }
  auto ended = tree.insist<storage::written>(tree.all.registry, end_campaign{dr.id, {}, nullptr});
  CHECK(value_of<campaign>(ended).counts.accept == users);
  CHECK(tree.database->open_reader()->find_campaign(dr.id)->counts.accept == users);
}

TEST_CASE("a stuck transaction is broken off by the watchdog and its change still happens once", "[actors]") {
  real_tree tree;
  tree.campaign_for(1);
  tree.database->faults().block_commits();
  std::atomic<bool> answered{false};
  result<storage::written> got = fail(errc::internal);
  std::thread customer([&] {
    got = tree.ask<storage::written>(tree.all.registry, choose{{1}, answer::accept, {}, {}, nullptr});
    answered = true;
  });
  REQUIRE(tree.database->faults().wait_for_blocked(1, 5s));
  auto until = std::chrono::steady_clock::now() + 8s;
  while (tree.database->faults().aborts == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(tree.database->faults().aborts >= 1);
  tree.database->faults().release_commits();
  customer.join();
  // The caller may have been told that nothing is known; asking again tells.
  auto again = tree.insist<storage::written>(tree.all.registry, choose{{1}, answer::accept, {}, {}, nullptr});
  CHECK(value_of<storage::response_changed>(again).response.answer == answer::accept);
}

TEST_CASE("a process that lost the lease is told to stop", "[actors]") {
  real_tree tree;
  tree.campaign_for(1);
  REQUIRE(tree.database->take_lease("another process"));
  auto got = tree.ask<storage::written>(tree.all.registry, choose{{1}, answer::accept, {}, {}, nullptr});
  CHECK(error_of(got) == errc::fenced);
  auto until = std::chrono::steady_clock::now() + 8s; // the word to the process comes behind the answer
  while (tree.fenced == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(tree.fenced == 1);
}
