// The whole tree over the memory store, under CAF's testing scheduler: nothing runs and no time passes until a test
// says so.
#pragma once

#include "actors/ask.hpp"
#include "actors/errors.hpp"
#include "actors/house.hpp"
#include "actors/stable.hpp"
#include "actors/tree.hpp"
#include "storage/memory/memory_database.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// Catch shows a result by its error.
template <class T> struct Catch::StringMaker<boost::system::result<T, dr::error>> {
  static std::string convert(const boost::system::result<T, dr::error>& got) {
    return got ? std::string{"a value"} : dr::to_string(got.error().code) + (": " + got.error().detail);
  }
};

namespace dr::actor_test {

using namespace std::chrono_literals;
using namespace dr::actors;

/// Business time that moves with the scheduler's, by hand.
class test_clock final : public dr::clock {
public:
  time_point now() const override { return now_; }
  std::chrono::milliseconds real_delay_until(time_point at) const override {
    return at > now_ ? at - now_ : std::chrono::milliseconds{0};
  }
  time_point after_real(std::chrono::milliseconds real) const override { return now_ + real; }
  bool is_virtual() const override { return true; }
  void advance(std::chrono::milliseconds by) { now_ += by; }

private:
  time_point now_ = *parse_rfc3339("2026-07-01T05:00:00Z"); // a Wednesday, 14:00 in Korea
};

/// Remembers what it was told.
class recording_sink final : public push_sink {
public:
  void push(const push_frame& frame) override { got.push_back((frame.head ? *frame.head : "") + frame.tail); }
  std::vector<std::string> got;
};

/// Messages a test can read: "started 1|response 2 of 2 ignore".
class plain_encoder final : public push_encoder {
public:
  std::string alert_head(campaign_notice_kind kind, const campaign& c) const override;
  std::string alert_tail(const response& r) const override;
  std::string campaign_message(campaign_notice_kind kind, const campaign& c) const override;
  std::string response_changed(const response& r) const override;
  std::string reduction_checked(const reduction_check& check) const override;
  std::string point_changed(user_id user, std::int64_t points, const ledger_entry& entry) const override;
  std::string admin_event(const event& e) const override;
  std::string admin_summary(const campaign& c) const override;
  mutable int heads = 0;
};

/// A CAF system whose scheduler is stepped by the test.
struct stepped_system {
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.policy", caf::atom("testing"));
      set("logger.verbosity", caf::atom("quiet"));
      dr::actors::add_error_category(*this);
    }
  } cfg;
  caf::actor_system system{cfg};
  caf::scheduler::test_coordinator& sched = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  ~stepped_system() { sched.run(); }

  void run() { sched.run(); }
  /// Time goes on in steps of at most 10 ms, so that timers set by timers come in turn.
  void advance(std::chrono::milliseconds by, const std::function<void(std::chrono::milliseconds)>& each = {});

  template <class Answer> using pending = std::shared_ptr<std::optional<result<Answer>>>;
  /// Sends a question; the answer appears in what is returned.
  template <class Answer, class Handle, class Question> pending<Answer> send(const Handle& whom, Question what) {
    auto box = std::make_shared<std::optional<result<Answer>>>();
    system.spawn([box, whom, what = std::move(what)](caf::event_based_actor* self) mutable {
      self->request(whom, caf::infinite, std::move(what))
          .then([box](Answer& got) { box->emplace(std::move(got)); },
                [box](const caf::error& why) { box->emplace(from_caf(why)); });
    });
    return box;
  }
  /// The same, and waits until everything has come to rest.
  template <class Answer, class Handle, class Question> result<Answer> ask(const Handle& whom, Question what) {
    auto box = send<Answer>(whom, std::move(what));
    run();
    if (!*box) FAIL("no answer");
    return **box;
  }
};

class actor_world : public stepped_system {
public:
  explicit actor_world(const std::function<void(settings&)>& adjust = {});
  ~actor_world();

  void pass(std::chrono::milliseconds by);
  result<storage::written> write(storage::change what);
  template <class Query> auto look(Query query) {
    auto got = query(*reader_);
    if (!got) FAIL("cannot read: " << got.error().detail);
    return *got;
  }
  /// What stands in the store, read past all actors.
  campaign stored(campaign_id id) {
    return look([&](storage::reader& r) { return r.find_campaign(id); });
  }
  response stored(response_id id) {
    return look([&](storage::reader& r) { return r.find_response(id); }).response;
  }
  std::vector<std::string> event_types();

  user_id enrol(const std::string& name, std::int64_t capacity_w = 100'000, std::int64_t points = 0);
  result<campaign> order(campaign_order what, keyed key = nullptr);
  campaign start_campaign(bool test = false);
  result<storage::written> answer_with(response_id id, dr::answer wanted, user_id by = {}, keyed key = nullptr);
  result<storage::written> end(campaign_id id, keyed key = nullptr);
  std::map<std::string, std::int64_t> alive();
  tree_node tree();

  std::shared_ptr<recording_sink> connect(user_id user);
  std::shared_ptr<recording_sink> connect_admin();
  /// Kills what stands behind a stable handle.
  template <class Handle> void kill(const Handle& stable) {
    caf::anon_send_exit(incarnation_of(caf::actor_cast<caf::actor>(stable)), caf::exit_reason::kill);
    run();
  }

  std::shared_ptr<settings> config = std::make_shared<settings>();
  std::shared_ptr<test_clock> clock = std::make_shared<test_clock>();
  std::shared_ptr<storage::memory_database> database = storage::make_memory_database();
  std::shared_ptr<plain_encoder> encoder = std::make_shared<plain_encoder>();
  int fenced = 0;
  int checks_queued_heard = 0;
  services all;

private:
  std::unique_ptr<storage::reader> reader_;
};

/// An order named "dr for test" of type "reliable".
campaign_order make_order(std::optional<time_point> starts_at = {}, std::optional<time_point> ends_at = {});

/// A key with answers "ok" and "error <code>".
keyed make_key(const std::string& key, const std::string& body = "body", const std::string& path = "/x");

/// The value, or the test fails.
template <class T> const T& value_of(const result<storage::written>& got) {
  if (!got) FAIL("failed: " << to_string(got.error().code) << " " << got.error().detail);
  const auto* value = std::get_if<T>(&*got);
  if (!value) FAIL("an answer of another kind");
  return *value;
}
template <class T> errc error_of(const result<T>& got) {
  if (got) FAIL("should have failed");
  return got.error().code;
}

} // namespace dr::actor_test
