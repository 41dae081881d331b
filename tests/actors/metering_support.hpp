// A small world for the metering actors: CAF's testing scheduler, a memory store behind a store actor without threads,
// a clock moved by hand, a KEPCO that follows a script, and listeners in the places of registry and hub.
#pragma once

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"
#include "actors/metering/metering_tree.hpp"
#include "storage/memory/memory_database.hpp"

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dr::test {

using namespace std::chrono_literals;
using actors::clock_ptr;

/// Business time that moves only by hand, `rate` times as fast as the scheduler's.
class hand_clock final : public dr::clock {
public:
  explicit hand_clock(time_point at) : now_(at) {}
  time_point now() const override { return now_; }
  std::chrono::milliseconds real_delay_until(time_point at) const override {
    return at <= now_ ? 0ms : std::chrono::milliseconds{((at - now_).count() + rate - 1) / rate};
  }
  time_point after_real(std::chrono::milliseconds real) const override { return now_ + real * rate; }
  bool is_virtual() const override { return true; }
  void advance(std::chrono::milliseconds real) { now_ += real * rate; }
  void jump_to(time_point at) { now_ = at; }
  int rate = 1;

private:
  time_point now_;
};

/// What the fake KEPCO does.
struct kepco_script {
  struct reduction {
    std::string cust_no;
    time_point from{}, to{};
    int kw = 0;
  };
  std::shared_ptr<hand_clock> clock;
  std::map<std::string, int> base_kw; ///< everybody else: 1000
  std::vector<reduction> reductions;
  /// A failure instead of the answer; may throw.
  std::function<std::optional<meter_error>(const std::string&, korean_day)> fault;
  /// Changes the answer.
  std::function<void(const std::string&, korean_day, day_profile&)> touch_up;
  int calls = 0;
  std::map<std::pair<std::string, korean_day>, int> asked;

  /// Constant usage less the reductions, up to and with the running quarter hour.
  day_profile profile(const std::string& cust_no, korean_day day) const;
  meter_result<day_profile> answer(const std::string& cust_no, korean_day day);
  int asked_for(const std::string& cust_no, korean_day day) const;
};
meter_source_factory source_of(std::shared_ptr<kepco_script> script);

/// "2026-07-01T14:00" in Korea.
time_point korea(const std::string& local);
korean_day day_of(const std::string& text);

/// The world of one test.
class metering_world {
public:
  explicit metering_world(const std::string& now = "2026-07-01T15:00");
  ~metering_world();
  metering_world(const metering_world&) = delete;
  metering_world& operator=(const metering_world&) = delete;

  // ---- the past, straight into the store
  storage::written commit(storage::change what);
  user_id enrol(const std::string& name, int capacity_kw, const std::string& cust_no);
  /// An open campaign that nobody has answered.
  campaign_id campaign_open(const std::string& from, const std::string& to, const std::string& type = "reliable");
  /// Ends it at its planned end and freezes it.
  void close(campaign_id id);
  /// An ended and frozen campaign that everybody enrolled has accepted; its checks are due at once.
  campaign_id campaign_over(const std::string& from, const std::string& to, const std::string& type = "reliable");
  /// Keeps complete days of all enrolled users for the 30 days before `day`, as the script has them.
  void keep_history(korean_day day);

  // ---- looking
  template <class T> T look(const std::function<result<T>(storage::reader&)>& what) {
    auto got = what(*reader_);
    if (!got) throw std::runtime_error("read failed: " + got.error().detail);
    return *got;
  }
  std::vector<reduction_check> checks(campaign_id of);
  reduction_check only_check(campaign_id of);
  std::int64_t points(user_id of);
  std::vector<ledger_entry> ledger(user_id of);
  campaign find(campaign_id of);
  storage::overview_counts overview();
  std::size_t settled_events();

  // ---- running
  /// Starts queries, gate, verification and (if configured) history under a supervisor.
  void start(int max_restarts = 100);
  /// Ends an actor of the tree as a crash would.
  void crash(const caf::actor& stable);
  void wake();
  /// Lets the scheduler's time and the business time pass, in steps.
  void pass(std::chrono::milliseconds real, std::chrono::milliseconds step = 100ms);
  /// Until the condition holds; false when it does not within the time.
  bool until(const std::function<bool()>& holds, std::chrono::milliseconds most = 60s,
             std::chrono::milliseconds step = 100ms);
  bool settles(campaign_id id, std::chrono::milliseconds most = 60s);
  actors::tree_node tree();
  actors::kepco_state gate_state();
  template <class Answer, class Handle, class Question> result<Answer> ask(const Handle& whom, Question what) {
    auto request = self->request(whom, caf::infinite, std::move(what));
    sched.run();
    dr::result<Answer> out = fail(errc::internal, "no answer");
    request.receive([&](Answer& got) { out = std::move(got); },
                    [&](const caf::error& why) { out = actors::from_caf(why); });
    return out;
  }

private:
  struct config;
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;

public:
  caf::actor_system& system;
  caf::scheduler::test_coordinator& sched;
  std::unique_ptr<caf::scoped_actor> self_holder;
  caf::scoped_actor& self;
  std::shared_ptr<hand_clock> clock;
  std::shared_ptr<kepco_script> kepco;
  std::shared_ptr<storage::memory_database> database;
  actors::metering_parts parts;
  actors::supervisor_actor metering;
  std::vector<storage::check_settled> settled_checks;
  int unsaved = 0;                                                    ///< changes that the store refused
  std::function<std::optional<error>(const storage::change&)> refuse; ///< a fault of single changes
  std::function<bool(int)>
      hold_read; ///< the answer to this read (1, 2, …) stays on its way; without it, until the next read

private:
  std::unique_ptr<storage::writer> writer_;
  std::unique_ptr<storage::reader> reader_;
  std::vector<user_id> users_;
  std::vector<caf::actor> helpers_;
  std::int64_t batch_ = 0;
  int reads_ = 0;
  std::vector<caf::typed_response_promise<actors::read_done>> held_;
};

/// One user with a promise it keeps, in a campaign that is over.
struct one_user {
  explicit one_user(metering_world& w);
  user_id id;
  campaign_id campaign;
};

/// KEPCO has the day without this quarter hour.
void lose_quarter(metering_world& w, korean_day day, int quarter);

} // namespace dr::test
