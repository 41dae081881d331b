// Customers who keep changing their minds while something breaks: a load whose every acknowledgement is remembered.
#pragma once

#include "tests/system/platform.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace dr::test {

/// Each response is answered accept, deny, accept … in turn; an answer that is refused (503) is sent again until it is
/// acknowledged. So after stop() the last acknowledged answer is what must be stored.
class answer_load {
public:
  /// The responses `first` … `last` of a running campaign, shared among the threads.
  answer_load(platform& on, int first, int last, int threads = 3);
  ~answer_load();
  answer_load(const answer_load&) = delete;
  answer_load& operator=(const answer_load&) = delete;

  long acknowledged() const noexcept { return acknowledged_; }
  long refused() const noexcept { return refused_; }
  /// Waits until so many more answers were acknowledged.
  void wait_for_more(long answers);
  /// Ends the load, each answer under way acknowledged; fails the test if anything but 200 and 503 was seen.
  void stop();
  /// Every response stands at its last acknowledged answer.
  void require_kept();

private:
  void run(int first, int step);
  bool answer(http_client& over, int response, const std::string& what);
  void complain(const std::string& what);

  platform& on_;
  int end_;
  std::atomic<bool> stop_{false};
  std::atomic<long> acknowledged_{0};
  std::atomic<long> refused_{0};
  std::mutex mutex_;
  std::map<int, std::string> acknowledged_last_;
  std::string complaint_;
  std::vector<std::thread> threads_;
};

/// The campaign's counts are those of its responses.
void require_counts(platform& on, int campaign);

} // namespace dr::test
