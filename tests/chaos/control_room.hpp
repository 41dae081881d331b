// The operator's side of a run: carries out the planned steps over REST, each until its outcome is known.
#pragma once

#include "tests/chaos/customer.hpp"
#include "tests/chaos/history.hpp"
#include "tests/chaos/meters.hpp"
#include "tests/chaos/schedule.hpp"

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace dr::chaos {

class control_room {
public:
  /// `clock_rate`: business seconds per real one, to plan ends and starts by.
  control_room(std::uint16_t port, std::uint64_t seed, double clock_rate, const meters& sites, phase& run,
               history& into);
  /// Waits for its threads; the run must be over or closing.
  ~control_room();

  /// Enrols the first `count` sites, and returns their users. Before faults begin.
  std::vector<std::int64_t> enrol_first(int count);
  /// Carries a step out in the background, in order of arrival; four at a time.
  void take(planned_step what);
  /// Repeats every keyed operation whose outcome is still unknown, once in a rest. Storage must be well, and nothing
  /// under way.
  void insist_on_unknown(std::chrono::milliseconds at_most);
  /// Waits for the planned steps and for every outcome; throws when it is not done in time.
  void resolve(std::chrono::milliseconds at_most);
  /// Orders one last campaign; returns its id and the users in it.
  std::pair<std::int64_t, std::vector<std::int64_t>> order_last();
  /// Ends all that is open and waits until everything is settled; throws when it is not in time.
  void close(std::chrono::milliseconds at_most);
  /// Compares each open campaign's summary with its responses, until they agree or the time is over; notes the last.
  void compare_counts(std::chrono::milliseconds at_most);

  /// The body of a 200; tries again until there is one. Throws when there is none for a minute.
  json get(const std::string& path);
  std::vector<json> list(const std::string& path);

private:
  void work();
  void carry_out(const planned_step& what, test::http_client& over);
  operation& ask(operation what, test::http_client& over);
  void insist(operation& what, test::http_client& over, std::chrono::milliseconds at_most);
  void order(const planned_step& what, test::http_client& over);
  void change(const planned_step& what, test::http_client& over);
  void finish(const planned_step& what, bool cancel, test::http_client& over);
  void enrol(std::uint64_t luck, test::http_client& over);
  void import(std::uint64_t luck, test::http_client& over);
  void withdraw(std::uint64_t luck, test::http_client& over);
  void pay_out(std::uint64_t luck, test::http_client& over);
  void recheck(const planned_step& what, test::http_client& over);
  void conclude_order(int campaign, const operation& order);
  bool waits_for_order(const planned_step& what);
  bool is_too_soon(const planned_step& what);
  std::int64_t id_of(int campaign);
  std::string next_key(const char* what);
  const site* next_site();
  std::int64_t some_user(dice& with);
  json read(const std::string& path, test::http_client& over);
  json count(std::int64_t campaign);
  void end_all_open();
  std::string business_time(test::http_client& over, std::chrono::milliseconds real_ahead);

  std::uint16_t port_;
  std::uint64_t seed_;
  double clock_rate_;
  const meters& sites_;
  phase& run_;
  history& history_;
  test::http_client own_;

  std::mutex mutex_;
  std::deque<planned_step> steps_;
  std::map<int, std::int64_t> campaigns_; ///< by number in the plan: the id; 0: the order was refused
  std::map<int, steady::time_point> known_since_;
  std::map<int, const operation*> open_orders_; ///< given up for the time being, their outcome unknown
  std::multimap<int, planned_step> held_;       ///< what is to be done with a campaign once its order is known
  std::vector<std::int64_t> users_;
  std::size_t sites_used_ = 0;
  int keys_ = 0;
  bool done_ = false;
  std::vector<std::thread> workers_;
};

} // namespace dr::chaos
