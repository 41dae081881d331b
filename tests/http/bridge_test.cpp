// Pins the one-shot reply sink: whatever happens to the actor, a request completes exactly once.
#include "http/bridge.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <future>

namespace {

using namespace dr;
using namespace std::chrono_literals;
using state = actors::storage_state;
using probe_actor = caf::typed_actor<caf::replies_to<actors::get_storage_state>::with<state>>;
using probe = probe_actor::behavior_type;
using promise_store = std::shared_ptr<std::vector<caf::typed_response_promise<state>>>;

struct world {
  world() { config.set("scheduler.max-threads", std::size_t{2}); }
  caf::actor_system_config config;
  caf::actor_system system{config};
  boost::asio::io_context context;
};

struct outcome {
  int completions = 0;
  std::optional<result<state>> answer;
};

http::awaitable<void> wait_for(http::awaitable<result<state>> pending, outcome& into) {
  auto got = co_await std::move(pending);
  ++into.completions;
  into.answer = std::move(got);
}

/// Asks and runs the context until nothing is left to do.
outcome ask_once(world& in, const probe_actor& whom, std::chrono::milliseconds timeout) {
  outcome made;
  auto pending = http::ask<state>(in.system, whom, actors::get_storage_state{}, timeout);
  boost::asio::co_spawn(in.context, wait_for(std::move(pending), made), boost::asio::detached);
  in.context.restart();
  in.context.run();
  return made;
}

TEST_CASE("a request is answered by what the actor answers", "[http][bridge]") {
  world in;
  auto whom = in.system.spawn([]() -> probe {
    return {[](actors::get_storage_state) {
      state made;
      made.queued = 7;
      return made;
    }};
  });
  const auto got = ask_once(in, whom, 10s);
  CHECK(got.completions == 1);
  REQUIRE(got.answer->has_value());
  CHECK((*got.answer)->queued == 7);
}

TEST_CASE("a request fails with the error that the actor answers", "[http][bridge]") {
  world in;
  auto whom = in.system.spawn([]() -> probe {
    return {
        [](actors::get_storage_state) -> caf::result<state> { return actors::to_caf(fail(errc::overloaded, "full")); }};
  });
  const auto got = ask_once(in, whom, 10s);
  CHECK(got.completions == 1);
  REQUIRE(got.answer->has_error());
  CHECK(got.answer->error() == fail(errc::overloaded, "full"));
}

TEST_CASE("a request that is not answered in time fails with timed_out, and a late answer is dropped",
          "[http][bridge]") {
  world in;
  auto kept = std::make_shared<std::vector<caf::typed_response_promise<state>>>();
  auto arrived = std::make_shared<std::promise<void>>();
  auto whom = in.system.spawn([kept, arrived](probe_actor::pointer self) -> probe {
    return {[self, kept, arrived](actors::get_storage_state) {
      auto promise = self->make_response_promise<state>();
      kept->push_back(promise);
      arrived->set_value(); // from here on the test's thread owns `kept`
      return promise;
    }};
  });
  const auto got = ask_once(in, whom, 30ms);
  CHECK(got.completions == 1);
  CHECK(got.answer->error().code == errc::timed_out);
  REQUIRE(arrived->get_future().wait_for(10s) == std::future_status::ready);
  REQUIRE(kept->size() == 1);
  kept->front().deliver(state{});
  kept->clear();
  in.context.restart();
  in.context.run();
  CHECK(got.completions == 1);
}

TEST_CASE("a request to a dead actor, or to none, fails at once", "[http][bridge]") {
  world in;
  probe_actor none;
  CHECK(ask_once(in, none, 10s).answer->error().code == errc::outcome_unknown);
  auto whom = in.system.spawn([]() -> probe { return {[](actors::get_storage_state) { return state{}; }}; });
  caf::scoped_actor waiter{in.system};
  caf::anon_send_exit(whom, caf::exit_reason::kill);
  waiter->wait_for(whom);
  const auto got = ask_once(in, whom, 10s);
  CHECK(got.completions == 1);
  CHECK(got.answer->error().code != errc::timed_out);
}

TEST_CASE("a dropped promise fails at once", "[http][bridge]") {
  world in;
  auto whom = in.system.spawn([](probe_actor::pointer self) -> probe {
    return {[self](actors::get_storage_state) {
      return self->make_response_promise<state>(); // nobody keeps it
    }};
  });
  const auto got = ask_once(in, whom, 10s);
  CHECK(got.completions == 1);
  CHECK(got.answer->error().code == errc::outcome_unknown);
}

TEST_CASE("an actor that dies over a request fails it at once", "[http][bridge]") {
  world in;
  auto whom = in.system.spawn([](probe_actor::pointer self) -> probe {
    self->set_exception_handler([](std::exception_ptr&) { return caf::make_error(caf::sec::runtime_error); });
    return {[](actors::get_storage_state) -> caf::result<state> { throw std::runtime_error("crash"); }};
  });
  const auto got = ask_once(in, whom, 10s);
  CHECK(got.completions == 1);
  CHECK(got.answer->error().code != errc::timed_out);
}

/// An actor that lays every promise aside until the test, which then owns them, gives its answers.
struct silent {
  explicit silent(world& in, std::size_t expected) {
    whom = in.system.spawn([kept = kept, expected, all = all](probe_actor::pointer self) -> probe {
      return {[self, kept, expected, all](actors::get_storage_state) {
        auto promise = self->make_response_promise<state>();
        kept->push_back(promise);
        if (kept->size() == expected) all->set_value();
        return promise;
      }};
    });
  }
  void wait() { REQUIRE(all->get_future().wait_for(10s) == std::future_status::ready); }

  promise_store kept = std::make_shared<std::vector<caf::typed_response_promise<state>>>();
  std::shared_ptr<std::promise<void>> all = std::make_shared<std::promise<void>>();
  probe_actor whom;
};

TEST_CASE("each of several requests has its own deadline", "[http][bridge]") {
  world in;
  silent actor(in, 3);
  outcome patient, hasty, late;
  const auto ask = [&](std::chrono::milliseconds timeout, outcome& into) {
    auto pending = http::ask<state>(in.system, actor.whom, actors::get_storage_state{}, timeout);
    boost::asio::co_spawn(in.context, wait_for(std::move(pending), into), boost::asio::detached);
  };
  ask(60s, patient);
  ask(5ms, hasty); // before the deadline that is already watched
  ask(10ms, late);
  while (late.completions == 0) in.context.run_one();
  CHECK(hasty.answer->error().code == errc::timed_out);
  CHECK(late.answer->error().code == errc::timed_out);
  CHECK(patient.completions == 0);
  actor.wait();
  for (auto& promise : *actor.kept) promise.deliver(state{});
  actor.kept->clear();
  in.context.run(); // nothing keeps it running when the last one has been answered
  CHECK(patient.answer->has_value());
  CHECK(hasty.completions + late.completions == 2);
}

TEST_CASE("what one request's answer leads to does not keep the others from theirs", "[http][bridge]") {
  world in;
  silent actor(in, 3);
  std::vector<outcome> made(3);
  for (auto& one : made) {
    auto pending = http::ask<state>(in.system, actor.whom, actors::get_storage_state{}, 10s);
    boost::asio::co_spawn(in.context, wait_for(std::move(pending), one),
                          [](const std::exception_ptr&) { throw std::runtime_error("a bad continuation"); });
  }
  in.context.poll();
  actor.wait();
  for (auto& promise : *actor.kept) promise.deliver(state{});
  actor.kept->clear();
  in.context.restart();
  CHECK_THROWS(in.context.run()); // after all of them, as a worker sees it
  for (const auto& one : made) CHECK(one.completions == 1);
}

TEST_CASE("an answer that comes after the context has gone touches nothing", "[http][bridge]") {
  world in;
  auto kept = std::make_shared<std::vector<caf::typed_response_promise<state>>>();
  auto arrived = std::make_shared<std::promise<void>>();
  auto whom = in.system.spawn([kept, arrived](probe_actor::pointer self) -> probe {
    return {[self, kept, arrived](actors::get_storage_state) {
      auto promise = self->make_response_promise<state>();
      kept->push_back(promise);
      arrived->set_value(); // from here on the test's thread owns `kept`
      return promise;
    }};
  });
  outcome made;
  {
    boost::asio::io_context short_lived;
    auto pending = http::ask<state>(in.system, whom, actors::get_storage_state{}, 10s);
    boost::asio::co_spawn(short_lived, wait_for(std::move(pending), made), boost::asio::detached);
    short_lived.poll();
    REQUIRE(arrived->get_future().wait_for(10s) == std::future_status::ready);
  }
  kept->front().deliver(state{});
  kept->clear();
  CHECK(made.completions == 0);
}

} // namespace
