#include "tests/system/answer_load.hpp"

#include <catch2/catch.hpp>

namespace dr::test {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 40s; ///< for one answer to be acknowledged, faults included

} // namespace

answer_load::answer_load(platform& on, int first, int last, int threads) : on_(on), end_(last + 1) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, first, i, threads] { run(first + i, threads); });
}

answer_load::~answer_load() {
  stop_ = true;
  for (auto& each : threads_)
    if (each.joinable()) each.join();
}

void answer_load::run(int first, int step) {
  http_client over(on_.port());
  for (bool accept = true; !stop_; accept = !accept)
    for (int response = first; response < end_ && !stop_; response += step)
      if (!answer(over, response, accept ? "accept" : "deny")) return;
}

/// False: something happened that never should.
bool answer_load::answer(http_client& over, int response, const std::string& what) {
  const auto until = std::chrono::steady_clock::now() + patience;
  const auto target = "/responses/" + std::to_string(response) + "/" + what;
  try {
    for (;;) {
      const auto got = over.put(target);
      if (got.status == 200) break;
      if (got.status != 503 || !got.header("Retry-After")) {
        complain(target + " was answered " + std::to_string(got.status) + ": " + got.body);
        return false;
      }
      ++refused_;
      if (std::chrono::steady_clock::now() > until) {
        complain(target + " was refused to the end: " + got.body);
        return false;
      }
      pause_between_looks();
    }
  } catch (const client_error& why) {
    complain(target + ": " + why.what());
    return false;
  }
  ++acknowledged_;
  const std::scoped_lock lock(mutex_);
  acknowledged_last_[response] = what;
  return true;
}

void answer_load::complain(const std::string& what) {
  stop_ = true;
  const std::scoped_lock lock(mutex_);
  if (complaint_.empty()) complaint_ = what;
}

void answer_load::wait_for_more(long answers) {
  const auto wanted = acknowledged_ + answers;
  eventually(
      "answers are acknowledged", [&] { return acknowledged_ >= wanted || stop_; }, patience);
  const std::scoped_lock lock(mutex_);
  INFO(complaint_);
  REQUIRE(complaint_.empty());
}

void answer_load::stop() {
  stop_ = true;
  for (auto& each : threads_) each.join();
  INFO(complaint_);
  REQUIRE(complaint_.empty());
}

void answer_load::require_kept() {
  for (const auto& [response, what] : acknowledged_last_) {
    INFO("response " << response);
    CHECK(on_.get("/responses/" + std::to_string(response)).at("answer") == what);
  }
}

void require_counts(platform& on, int campaign) {
  const auto summary = on.get("/drs/" + std::to_string(campaign) + "/summary");
  for (const std::string answer : {"accept", "deny", "ignore"}) {
    const auto list = on.get("/responses?size=1&drId=" + std::to_string(campaign) + "&answer=" + answer);
    CHECK(summary.at(answer) == list.at("page").at("totalElements"));
  }
}

} // namespace dr::test
