// On which thread turns are taken, and when: the first ones that a request leads to, and those of many receivers.
#include "actor_world.hpp"
#include "actors/turns.hpp"

#include <thread>

using namespace dr;
using namespace dr::actor_test;

namespace {

/// Sends from outside, as the front does.
void begin(caf::actor_system& system, const caf::actor& to, int what, const caf::actor& sender = {}) {
  send_and_begin(system, caf::actor_cast<caf::strong_actor_ptr>(to), caf::actor_cast<caf::strong_actor_ptr>(sender),
                 sender ? caf::make_message_id(1) : caf::make_message_id(), caf::make_message(what));
}

struct turns_world : stepped_system {
  std::vector<std::string> seen; ///< "name number" of each message, in the order of the turns

  /// Notes what it gets, and passes it on.
  caf::actor link(std::string name, const caf::actor& next = {}) {
    return system.spawn<caf::lazy_init>([this, name = std::move(name), next](caf::event_based_actor* self) {
      return caf::behavior{[this, name, next, self](int what) {
        seen.push_back(name + " " + std::to_string(what));
        if (next) self->send(next, what);
      }};
    });
  }
  std::vector<caf::actor> links(std::size_t count) {
    std::vector<caf::actor> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(link(std::to_string(i)));
    return all;
  }
  /// Sends everybody a number, in one burst, and behind it another one a number.
  caf::actor sender(std::vector<caf::actor> to) {
    return system.spawn<caf::lazy_init>(
        [this, to = std::move(to), other = link("behind")](caf::event_based_actor* self) {
          return caf::behavior{[this, to, other, self](int what) {
            {
              const burst all(self);
              for (const auto& one : to) self->send(one, what);
            }
            seen.push_back("sent");
            self->send(other, what);
          }};
        });
  }
};

TEST_CASE("the first turns of a request are taken by the thread that sends it, the rest by the scheduler", "[turns]") {
  turns_world w;
  const auto fourth = w.link("store's worker");
  const auto third = w.link("store", fourth);
  const auto second = w.link("entity", third);
  begin(w.system, w.link("registry", second), 1);
  CHECK(w.seen == std::vector<std::string>{"registry 1", "entity 1", "store 1"});
  CHECK(w.sched.jobs.size() == 1);
  w.run();
  CHECK(w.seen.back() == "store's worker 1");
}

TEST_CASE("a turn that a request leads to takes one message; more of them are the scheduler's", "[turns]") {
  turns_world w;
  int count = 0;
  const auto eager = w.system.spawn<caf::lazy_init>([&](caf::event_based_actor* self) {
    return caf::behavior{[&count, self](int) {
                           ++count;
                           self->send(self, std::string{"more"});
                         },
                         [&count](const std::string&) { ++count; }};
  });
  begin(w.system, eager, 1);
  CHECK(count == 1);
  w.run();
  CHECK(count == 2);
}

TEST_CASE("whoever has messages waiting takes a request behind them, on the scheduler", "[turns]") {
  turns_world w;
  const auto busy = w.link("busy");
  caf::anon_send(busy, 1);
  begin(w.system, busy, 2);
  CHECK(w.seen.empty());
  w.run();
  CHECK(w.seen == std::vector<std::string>{"busy 1", "busy 2"});
}

TEST_CASE("an actor that ends in a turn of a request is let go", "[turns]") {
  turns_world w;
  auto last = w.system.spawn<caf::lazy_init>(
      [](caf::event_based_actor* self) { return caf::behavior{[self](int) { self->quit(); }}; });
  const auto running = w.system.registry().running();
  const auto address = last.address();
  begin(w.system, last, 1);
  last = {};
  CHECK(w.system.registry().running() == running - 1);
  CHECK(caf::actor_cast<caf::strong_actor_ptr>(address) == nullptr);
}

TEST_CASE("who took a turn on a thread can answer when that thread is gone", "[turns]") {
  turns_world w;
  caf::response_promise later;
  const auto asked = w.system.spawn<caf::lazy_init>([&later](caf::event_based_actor* self) {
    return caf::behavior{[&later, self](int) -> caf::result<int> {
      auto promise = self->make_response_promise<int>();
      later = promise;
      return promise;
    }};
  });
  const auto asker = w.link("asker");
  std::thread([&] { begin(w.system, asked, 1, asker); }).join();
  REQUIRE(later.pending());
  later.deliver(7);
  CHECK(w.sched.jobs.size() == 1); // the asker's, with an answer that it did not ask for
  later = {};
}

TEST_CASE("the turns that a worker's answer leads to are taken in the worker's own", "[turns]") {
  turns_world w;
  const auto worker = w.system.spawn<caf::lazy_init>([](caf::event_based_actor* self) {
    return caf::behavior{[self](int what) -> caf::result<int> {
      auto asker = self->make_response_promise<int>();
      answer_and_begin(self, 2, [&] { asker.deliver(what); });
      return asker;
    }};
  });
  const auto second = w.link("second", w.link("third"));
  int answers = 0;
  w.system.spawn([&, worker, second](caf::event_based_actor* self) {
    const auto heard = [&, self, second](int what) {
      ++answers;
      self->send(second, what);
    };
    self->request(worker, caf::infinite, 1).then(heard);
    self->request(worker, caf::infinite, 2).then(heard);
  });
  w.sched.run_once(); // both are asked
  CHECK(answers == 0);
  w.sched.run_once(); // the worker takes its first message
  CHECK(answers == 1);
  CHECK(w.seen == std::vector<std::string>{"second 1"}); // and the third is the scheduler's
  w.run();
  CHECK(answers == 2);
  CHECK(std::ranges::is_permutation(w.seen, std::vector<std::string>{"second 1", "third 1", "second 2", "third 2"}));
}

TEST_CASE("a worker may take its turn among those of a request", "[turns]") {
  turns_world w;
  int calls = 0;
  const auto worker = w.system.spawn<caf::lazy_init>([&calls](caf::event_based_actor* self) {
    return caf::behavior{[&calls, self](const std::string&) -> caf::result<int> {
      auto asker = self->make_response_promise<int>();
      answer_and_begin(self, 2, [&] { asker.deliver(++calls); });
      return asker;
    }};
  });
  const auto other = w.link("other");
  const auto asker = w.system.spawn<caf::lazy_init>([&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](int what) {
      w.seen.push_back("asked " + std::to_string(what));
      self->request(worker, caf::infinite, std::string{"work"}).then([&, self](int done) {
        w.seen.push_back("done " + std::to_string(done));
        self->send(other, done);
      });
    }};
  });
  begin(w.system, asker, 1);
  CHECK(w.seen == std::vector<std::string>{"asked 1", "done 1"});
  w.run();
  CHECK(w.seen == std::vector<std::string>{"asked 1", "done 1", "other 1"});
  CHECK(calls == 1);
}

TEST_CASE("a request that cannot be sent leaves its thread as it was", "[turns]") {
  turns_world w;
  const auto one = w.link("one");
  const auto broken = w.system.spawn<caf::lazy_init>([&](caf::event_based_actor* self) {
    house_rules(self, "broken");
    return caf::behavior{[&, self](int what) {
      answer_and_begin(self, 2, [&] {
        self->send(one, what);
        throw std::runtime_error("in the middle of an answer");
      });
    }};
  });
  caf::anon_send(broken, 1);
  w.sched.run_once();
  CHECK(w.seen.empty());
  w.run();
  CHECK(w.seen == std::vector<std::string>{"one 1"});
  begin(w.system, one, 2);
  CHECK(w.seen.back() == "one 2");
}

TEST_CASE("a burst makes few jobs of many receivers, who begin behind it", "[turns]") {
  turns_world w;
  const std::size_t count = 2 * row_of_burst + 1;
  const auto sender = w.sender(w.links(count));
  caf::anon_send(sender, 5);
  w.sched.run_once();
  CHECK(w.seen == std::vector<std::string>{"sent"});
  CHECK(w.sched.jobs.size() == 4); // two full rows, one of one receiver, and who came behind them
  w.sched.run_once();
  CHECK(w.seen.size() == 1 + row_of_burst);
  CHECK(w.seen[1] == "0 5");
  CHECK(w.seen.back() == std::to_string(row_of_burst - 1) + " 5");
  w.run();
  CHECK(w.seen.size() == 1 + count + 1);
  CHECK(w.seen.back() == "behind 5");
}

TEST_CASE("a receiver that gets more than a turn's messages in a burst misses none", "[turns]") {
  turns_world w;
  const auto one = w.link("one");
  const auto two = w.link("two");
  caf::anon_send(w.sender({one, two, one, one}), 9);
  w.run();
  CHECK(std::ranges::count(w.seen, "one 9") == 3);
  CHECK(std::ranges::count(w.seen, "two 9") == 1);
}

TEST_CASE("a burst that ends by an exception loses nobody it has sent to", "[turns]") {
  turns_world w;
  const auto receiver = w.link("receiver");
  const auto careless = w.system.spawn<caf::lazy_init>([receiver](caf::event_based_actor* self) {
    house_rules(self, "careless");
    return caf::behavior{[receiver, self](int what) {
      const burst all(self);
      self->send(receiver, what);
      throw std::runtime_error("in the middle of it");
    }};
  });
  caf::anon_send(careless, 3);
  w.run();
  CHECK(w.seen == std::vector<std::string>{"receiver 3"});
}

} // namespace
